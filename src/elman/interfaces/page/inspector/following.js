// Units that follow something a person can name.
import { askForJson } from "/page/api.js";
import { labelled, make } from "/page/elements.js";
import { tried } from "/page/problems.js";
import { shown } from "/page/strings.js";

const PROPERTIES = ["position", "quote", "since"];

/** `choose` is told the layer, state and unit that a person wants to see. */
export function following(input, choose) {
  const which = make("select", {}, ...PROPERTIES.map((name) => make("option", { value: name, say: `property.${name}` })));
  const mark = make("input", { type: "text", value: ",", size: 6 });
  const since = labelled({ say: "property.mark" }, mark);
  const go = make("button", { type: "submit", say: "property.find" });
  const body = make("tbody");
  const heads = ["layer", "state", "unit", "correlation"].map((name) => make("th", { scope: "col", say: `following.${name}` }));
  const table = make("table", { hidden: true }, make("thead", {}, make("tr", {}, ...heads, make("th"))), body);
  const form = make("form.row", {}, labelled({ say: "property" }, which), since, go);
  const element = make("details.more", {}, make("summary", { say: "following" }), form, table);
  since.hidden = true;
  which.addEventListener("change", () => { since.hidden = which.value !== "since"; });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    tried(async () => {
      const property = which.value === "since" ? `since:${mark.value}` : which.value;
      const given = input();
      const found = await askForJson("/v1/inspect", { input: given, part: "following", property }).catch((problem) => {
        if (given === input()) throw problem;
      });
      if (given !== input()) return; // another one was given meanwhile
      table.hidden = false;
      body.replaceChildren(...found.units.map(row));
    });
  });
  const row = ({ layer, name, unit, correlation }) => make(
    "tr",
    {},
    make("td", {}, String(layer + 1)),
    make("td", { say: `gate.${name}` }),
    make("td.number", {}, String(unit)),
    make("td.number", {}, shown(correlation, 3)),
    make("td", {}, make("button.quiet", { type: "button", say: "following.show", on: { click: () => choose(layer, name, unit) } })),
  );
  return { element, begin: () => { table.hidden = true; } };
}
