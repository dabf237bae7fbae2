// A text.
import { labelled, make } from "/page/elements.js";

export function text(model) {
  const hint = model.marked ? "hint.marked" : `hint.${model.task}`;
  const field = make("textarea", { rows: 3, hint, spellcheck: "false" });
  return { element: labelled({ say: `input.${model.task}` }, field), value: () => field.value, focus: () => field.focus() };
}
