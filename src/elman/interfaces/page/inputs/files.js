// A place where files are dropped or chosen.
import { make } from "/page/elements.js";
import { tried } from "/page/problems.js";

/**
 * @param {object} words `say` names the string on it.
 * @param {string} accept Kinds of files.
 * @param {(files: File[]) => Promise<void>} take Gets them.
 */
export function files(words, accept, take, multiple = false) {
  const chooser = make("input.hidden", { type: "file", accept, multiple, tabindex: "-1", "aria-hidden": "true" });
  const button = make("button.drop", { type: "button", on: { click: () => chooser.click() } }, make("span", words), chooser);
  const given = (list) => list.length && tried(() => take([...list]));
  chooser.addEventListener("click", (event) => event.stopPropagation());
  chooser.addEventListener("change", () => {
    given(chooser.files);
    chooser.value = "";
  });
  button.addEventListener("dragover", (event) => {
    event.preventDefault();
    button.classList.add("over");
  });
  button.addEventListener("dragleave", () => button.classList.remove("over"));
  button.addEventListener("drop", (event) => {
    event.preventDefault();
    button.classList.remove("over");
    given(event.dataTransfer.files);
  });
  return button;
}
