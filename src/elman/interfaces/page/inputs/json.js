// Anything, as JSON.
import { labelled, make } from "/page/elements.js";
import { Problem } from "/page/problems.js";

export function json() {
  const field = make("textarea", { rows: 5, spellcheck: "false" });
  const value = () => {
    try {
      return JSON.parse(field.value || '""');
    } catch {
      throw new Problem(null, "json.wrong");
    }
  };
  return { element: labelled({ say: "input.json" }, field), value };
}
