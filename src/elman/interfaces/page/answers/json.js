// Any answer, as it came.
import { predict } from "/page/api.js";
import { make } from "/page/elements.js";

export function json() {
  const element = make("pre", { hidden: true });
  const show = async (given, settings, signal) => {
    element.textContent = JSON.stringify(await predict(given, settings, signal), null, 1);
    element.hidden = false;
    return given;
  };
  return { element, show };
}
