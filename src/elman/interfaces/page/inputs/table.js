// Time series as a table: columns by name, from a file or written.
import { labelled, make } from "/page/elements.js";
import { numberOf, rowsOf } from "/page/inputs/comma_separated.js";
import { files } from "/page/inputs/files.js";
import { lines } from "/page/lines.js";
import { Problem } from "/page/problems.js";

export function table(model) {
  const { target, time } = model.columns;
  const field = make("textarea.numbers", { rows: 6, spellcheck: "false", hint: "hint.table" });
  const picture = lines();
  const fill = (text) => {
    field.value = text;
    preview();
  };
  const read = () => {
    const [names = [], ...rows] = rowsOf(field.value);
    if (rows.some((row) => row.length !== names.length)) throw new Problem(null, "table.wrong");
    return Object.fromEntries(names.map((name, column) => [name, rows.map((row) => numberOf(row[column]))]));
  };
  const preview = () => {
    try {
      const values = read()[target.split(",")[0]] ?? [];
      picture.show(values.length > 1 && values.every((one) => typeof one === "number") ? [values] : []);
    } catch {
      picture.show([]);
    }
  };
  field.addEventListener("input", preview);
  const example = () => {
    const [known] = Object.values(model.recent);
    const [when, what] = [time ?? "ds", target.split(",")[0]];
    fill([`${when},${what}`, ...known.ds.map((moment, step) => `${moment},${known.y[step] ?? ""}`)].join("\n"));
  };
  const simple = !model.columns.past && !model.columns.future && !model.columns.static && Object.keys(model.recent).length === 1;
  const element = make(
    "div",
    {},
    labelled({ say: "input.table" }, field),
    picture.element,
    make(
      "div.row",
      {},
      files({ say: "file.table" }, ".csv,.tsv,.txt,text/*", async ([file]) => fill(await file.text())),
      simple ? make("button", { type: "button", say: "table.known", on: { click: example } }) : null,
    ),
    make("p.note", { say: "table.empty" }),
  );
  return { element, value: () => (field.value.trim() ? read() : ""), example };
}
