// How far gradients reach back, beside fresh networks of other cells.
import { askForJson } from "/page/api.js";
import { chart } from "/page/chart.js";
import { make } from "/page/elements.js";
import { more } from "/page/inspector/more.js";
import { COLOURS } from "/page/lines.js";
import { say, whenLanguageChanges } from "/page/strings.js";
import { colour } from "/page/theme.js";

const LEAST = 1e-30;

export function reach(input) {
  const place = make("div.chart", { role: "img", label: "reach" });
  const content = make("div", {}, place, make("p.note", { say: "reach.how" }));
  let [norms, draw] = [{}, null];
  const lines = () => ({
    lines: Object.entries(norms).map(([name, values], number) => ({
      name: number ? name.replace(", untrained", ` (${say("reach.untrained")})`) : say("reach.this"),
      y: values.map((value) => Math.max(value, LEAST)),
      mode: "lines",
      line: { color: colour(COLOURS[number % COLOURS.length]), width: number ? 1.5 : 3 },
    })),
    layout: { height: 280, yaxis: { type: "log", tickformat: ".1~e", nticks: 5 }, xaxis: { title: { text: say("reach.steps") } } },
  });
  return more("reach", content, async (current) => {
    const found = await askForJson("/v1/inspect", { input: input(), part: "reach" });
    if (!current()) return;
    norms = found.reach;
    content.hidden = false;
    if (draw) await draw();
    else whenLanguageChanges((draw = await chart(place, lines)));
  });
}
