// Stretches of a text, each in the colour of its label.
import { predict } from "/page/api.js";
import { coloured } from "/page/answers/palette.js";
import { make } from "/page/elements.js";

export function spans(model) {
  const element = make("div", { hidden: true });
  const show = async (given, settings, signal) => {
    const { answer } = await predict(given, { ...settings, confidence: true }, signal);
    element.hidden = false;
    const line = make("p.tagged");
    let place = 0;
    const letters = Array.from(given); // places are those of characters, not of halves
    for (const one of answer) {
      line.append(letters.slice(place, one.start).join(""));
      const mark = coloured(make("mark", { title: "share", values: { share: share(one) } }), one.label);
      mark.append(letters.slice(one.start, one.end).join(""), make("sub", {}, one.label));
      line.append(mark);
      place = one.end;
    }
    line.append(letters.slice(place).join(""));
    const nothing = answer.length ? null : make("p.empty", { say: "spans.none" });
    element.replaceChildren(line, nothing ?? table(answer));
    return given;
  };
  return { element, show, sets: ["confidence", "n_best"] };
}

const share = (one) => (one.probability === undefined ? "" : `${(one.probability * 100).toFixed(1)} %`);

function table(answer) {
  const head = make("tr", {}, ...["spans.text", "spans.label", "spans.share"].map((say) => make("th", { scope: "col", say })));
  const rows = answer.map((one) => make("tr", {}, make("td", {}, one.text), make("td", {}, one.label), make("td.number", {}, share(one))));
  return make("details", {}, make("summary", { say: "as.table" }), make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}
