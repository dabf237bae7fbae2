// A live session with the server: what goes in while it comes, and what is said of it.
import { token } from "/page/api.js";
import { Problem } from "/page/problems.js";

/** Letters that may stand in the name of a protocol. */
function inLetters(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Begin a session.
 *
 * @param {object} settings Of the answers.
 * @param {(message: object) => void} hear Gets what the server says: partial, final.
 * @param {AbortSignal} [signal] Ends it early.
 * @returns {Promise<{send, finish, close, ended}|null>} null where the server has no live sessions; `ended` is kept
 * with the last word, and broken where the session ends without one.
 */
export async function session(settings, hear, signal) {
  signal?.throwIfAborted();
  const protocols = ["elman", ...(token() === null ? [] : [`elman.bearer.${inLetters(token())}`])];
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/stream`, protocols);
  socket.binaryType = "arraybuffer";
  let [finished, failed] = [null, null];
  const end = new Promise((resolve, reject) => { [finished, failed] = [resolve, reject]; });
  end.catch(() => {});

  const send = (samples) => {
    const numbers = Int16Array.from(samples, (one) => Math.max(-1, Math.min(1, one)) * 32767);
    if (socket.readyState === WebSocket.OPEN) socket.send(numbers.buffer);
  };
  const finish = async () => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "finish" }));
    return end;
  };
  return new Promise((resolve, reject) => {
    let started = false;
    signal?.addEventListener("abort", () => {
      reject(signal.reason);
      failed(signal.reason);
      socket.close();
    });
    socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "start", settings })));
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "started") {
        started = true;
        resolve({ send, finish, close: () => socket.close(), ended: end });
      } else if (message.type === "error") {
        const problem = new Problem(message.error);
        reject(problem);
        failed(problem);
      } else hear(message);
      if (message.type === "final") finished(message);
    });
    socket.addEventListener("close", () => {
      if (!started) resolve(null);
      failed(new Problem(null, "live.closed"));
    });
  });
}
