// What was written, and how much of the chosen step each unit looked at.
import { make } from "/page/elements.js";
import { halves } from "/page/inspector/safetensors.js";

/** `{element, prepare(written, tensor), show(step)}`. */
export function attention() {
  const line = make("p.units");
  const element = make("div.attention", { hidden: true }, make("h4", { say: "attention" }), line);
  let [units, tensor] = [[], null];
  const prepare = (written, found) => {
    tensor = found;
    element.hidden = !tensor;
    units = tensor ? written.map((unit) => make("span.unit", {}, unit.trim() || "␣")) : [];
    line.replaceChildren(...units);
  };
  const show = (step) => {
    const numbers = halves();
    units.forEach((unit, place) => unit.style.setProperty("--weight", numbers[tensor.data[place * tensor.shape[1] + step]].toFixed(3)));
  };
  return { element, prepare, show };
}
