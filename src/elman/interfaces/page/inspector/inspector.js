// What goes on inside the network while it reads what was given.
import { ask } from "/page/api.js";
import { make } from "/page/elements.js";
import { following } from "/page/inspector/following.js";
import { importance } from "/page/inspector/importance.js";
import { reach } from "/page/inspector/reach.js";
import { read } from "/page/inspector/safetensors.js";
import { saturation } from "/page/inspector/saturation.js";
import { view } from "/page/inspector/view.js";
import { tell } from "/page/strings.js";

/** `{look(given)}` shows it; the first time, the place appears. */
export function inspector(model, place) {
  const status = make("p.empty", { role: "status", say: "inside.none" });
  const seen = view();
  const stuck = saturation();
  let [given, drawn] = [null, null]; // what was asked for last, and what is seen
  const parts = [
    importance(() => drawn, seen.tint),
    reach(() => drawn),
    following(() => drawn, seen.choose),
  ];
  const rest = make("div", { hidden: true }, parts[0].element, parts[1].element, stuck.element, parts[2].element);
  place.append(make("h2", { say: "inside" }), status, seen.element, rest);
  place.hidden = false;

  const look = async (input) => {
    given = input;
    if (seen.element.hidden) tell(status, { say: "busy" });
    try {
      const found = read(await (await ask("/v1/inspect", { input, part: "gates" })).arrayBuffer());
      if (input !== given) return; // another one was given meanwhile
      drawn = input;
      status.hidden = true;
      seen.show(found);
      stuck.show(found.facts.saturation);
      rest.hidden = false;
      parts.forEach((part) => part.begin());
      place.dataset.drawn = performance.now();
    } catch (problem) {
      if (input !== given) return;
      seen.element.hidden = rest.hidden = true;
      status.hidden = false;
      if (problem.string) tell(status, { say: problem.string }, problem.values);
      else {
        delete status.dataset.told;
        status.textContent = problem.message;
      }
    }
  };
  return { look };
}
