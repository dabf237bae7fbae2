// Parts that take longer: each is asked for when it is opened.
import { make } from "/page/elements.js";
import { report } from "/page/problems.js";

/**
 * A part that opens.
 *
 * @param {string} title Names the string on it.
 * @param {HTMLElement} content What is in it.
 * @param {(current: () => boolean) => Promise<void>} fill Fills it, once for every input; `current` tells whether
 * there is no newer input yet.
 * @returns {{element: HTMLElement, begin: () => void}} `begin` is called when there is another input.
 */
export function more(title, content, fill) {
  const waits = make("p.busy", { say: "busy" });
  const element = make("details.more", {}, make("summary", { say: title }), waits, content);
  let [filled, round] = [false, 0];
  const open = async () => {
    if (!element.open || filled) return;
    const own = round;
    const current = () => own === round;
    filled = true;
    waits.hidden = false;
    content.hidden = true;
    try {
      await fill(current);
      if (current()) content.hidden = false;
    } catch (problem) {
      if (!current()) return;
      filled = false;
      element.open = false;
      report(problem);
    } finally {
      if (current()) waits.hidden = true;
    }
  };
  element.addEventListener("toggle", open);
  const begin = () => {
    round += 1;
    filled = false;
    content.hidden = true;
    open();
  };
  return { element, begin };
}
