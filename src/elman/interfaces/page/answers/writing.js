// A text that is written on, piece by piece.
import { stream } from "/page/api.js";
import { make } from "/page/elements.js";

const LENGTH = 200;

export function writing() {
  const prompt = make("span.given");
  const written = make("span");
  const element = make("p.written", { hidden: true }, prompt, written);
  const show = async (given, settings, signal) => {
    prompt.textContent = given;
    written.textContent = "";
    element.hidden = false;
    element.classList.add("live");
    try {
      for await (const piece of stream(given, { length: LENGTH, ...settings }, signal)) written.append(piece);
    } catch (problem) {
      if (problem.name !== "AbortError") throw problem;
    } finally {
      element.classList.remove("live");
      written.normalize();
    }
    return given + written.textContent || undefined;
  };
  return { element, show, sets: ["unusual"], verb: "write" };
}
