// Asking the server.
import { Problem } from "/page/problems.js";
import { askForToken } from "/page/token.js";

const KEPT = "elman.token";

export const token = () => sessionStorage.getItem(KEPT);

/**
 * The server's answer.
 *
 * @param {string} path Of a route.
 * @param {object} [body] What is sent as JSON; without it, nothing is.
 * @param {AbortSignal} [signal] Ends it early.
 * @throws {Problem} The server is gone, or refuses, in its own words.
 */
export async function ask(path, body, signal) {
  for (;;) {
    const headers = shown();
    const response = headers && (await sent(path, headers, body, signal));
    if (response?.ok) return response;
    if (!response || response.status === 401) {
      sessionStorage.setItem(KEPT, await askForToken(token() !== null));
      continue;
    }
    const said = await response.json().catch(() => ({}));
    throw new Problem(said.error ?? `${response.status} ${response.statusText}`);
  }
}

/** Headers with the token in them, as bytes: it may have any letters; null where none can carry it. */
function shown() {
  if (token() === null) return new Headers();
  const bytes = new TextEncoder().encode(token());
  try {
    return new Headers({ authorization: `Bearer ${String.fromCharCode(...bytes)}` });
  } catch {
    return null;
  }
}

async function sent(path, headers, body, signal) {
  if (body !== undefined) headers.set("content-type", "application/json");
  try {
    return await fetch(path, { method: body === undefined ? "GET" : "POST", headers, body: body && JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(null, "gone");
  }
}

export const askForJson = async (path, body, signal) => (await ask(path, body, signal)).json();

/** What the model says to one input. */
export async function predict(input, settings = {}, signal = undefined) {
  return (await askForJson("/v1/predict", { inputs: [input], settings }, signal)).answers[0];
}

/** Pieces of a text as they come, from server-sent events. */
export async function* stream(input, settings, signal) {
  const response = await ask("/v1/stream", { input, settings }, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      throw error.name === "AbortError" ? error : new Problem(null, "gone");
    });
    if (done) throw new Problem(null, "gone");
    held += value;
    const events = held.split("\n\n");
    held = events.pop();
    for (const event of events) {
      const [kind, data] = event.split("\n").map((line) => line.slice(line.indexOf(": ") + 2));
      if (kind === "final") return;
      if (kind === "error") throw new Problem(JSON.parse(data).error);
      yield JSON.parse(data).text;
    }
  }
}
