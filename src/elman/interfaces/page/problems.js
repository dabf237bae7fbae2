// What went wrong, where a person sees it and a screen reader says it.
import { make } from "/page/elements.js";
import { say, tell } from "/page/strings.js";

const place = document.getElementById("problem");

/** An error whose words are for people; `name` is that of a string, if it is one of the page's own. */
export class Problem extends Error {
  constructor(words, name = null, values = {}) {
    super(words ?? say(name, values));
    this.name = "Problem";
    this.string = name;
    this.values = values;
  }
}

let lasting = null;

/** Show an error until it is closed, or something is done anew. */
export function report(problem) {
  if (problem?.name === "AbortError") return;
  const words = make("span", problem.string ? { say: problem.string, values: problem.values } : {});
  if (!problem.string) words.textContent = problem.message || String(problem);
  const close = make("button.quiet", { type: "button", label: "close", on: { click: settle } }, "×");
  place.replaceChildren(words, close);
  place.hidden = false;
  lasting = problem.string ?? null;
}

/** Take an error away. */
export function settle() {
  place.hidden = true;
  place.replaceChildren();
  lasting = null;
}

/** Is this what is shown? */
export const reported = (name) => lasting === name;

/** Run something a person asked for; what goes wrong is shown. */
export async function tried(action) {
  try {
    return await action();
  } catch (problem) {
    report(problem);
    return undefined;
  }
}

export { tell };
