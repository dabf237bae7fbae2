// Parts that take longer: each is asked for when it is opened.
import { make } from "/page/elements.js";
import { report } from "/page/problems.js";

/**
 * A part that opens.
 *
 * @param {string} title Names the string on it.
 * @param {HTMLElement} content What is in it.
 * @param {() => Promise<void>} fill Fills it, once for every input.
 * @returns {{element: HTMLElement, begin: () => void}} `begin` is called when there is another input.
 */
export function more(title, content, fill) {
  const waits = make("p.busy", { say: "busy" });
  const element = make("details.more", {}, make("summary", { say: title }), waits, content);
  let filled = false;
  const open = async () => {
    if (!element.open || filled) return;
    filled = true;
    waits.hidden = false;
    content.hidden = true;
    try {
      await fill();
      content.hidden = false;
    } catch (problem) {
      filled = false;
      element.open = false;
      report(problem);
    } finally {
      waits.hidden = true;
    }
  };
  element.addEventListener("toggle", open);
  const begin = () => {
    filled = false;
    content.hidden = true;
    open();
  };
  return { element, begin };
}
