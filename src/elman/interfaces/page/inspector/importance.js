// Which steps mattered, by two accounts.
import { askForJson } from "/page/api.js";
import { make } from "/page/elements.js";
import { bars } from "/page/inspector/bars.js";
import { more } from "/page/inspector/more.js";
import { shown, tell } from "/page/strings.js";

/** A part for `inspector`; `told` gets the shares of all steps. */
export function importance(input, told) {
  const [gradients, hidden] = [bars("importance.gradients"), bars("importance.occlusion")];
  const rest = make("p.note");
  const content = make(
    "div",
    {},
    make("h4", { say: "importance.gradients" }),
    gradients.element,
    rest,
    make("h4", { say: "importance.occlusion" }),
    hidden.element,
  );
  return more("importance", content, async (current) => {
    const given = input();
    const first = await askForJson("/v1/inspect", { input: given, part: "importance" });
    if (!current()) return;
    const second = await askForJson("/v1/inspect", { input: given, part: "occlusion" });
    if (!current()) return;
    tell(rest, { say: "importance.rest" }, { rest: shown(first.unexplained, 2) });
    told(first.importance);
    content.hidden = false;
    gradients.show(first.importance);
    hidden.show(second.occlusion);
  });
}
