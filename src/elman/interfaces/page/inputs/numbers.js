// A series: a step a line, with commas between its numbers.
import { labelled, make } from "/page/elements.js";
import { rowsOf } from "/page/inputs/comma_separated.js";
import { files } from "/page/inputs/files.js";
import { lines } from "/page/lines.js";
import { Problem } from "/page/problems.js";

const LENGTH = 60;

export function numbers(model) {
  const [features] = model.shape;
  const field = make("textarea.numbers", { rows: 6, spellcheck: "false", hint: "hint.numbers" });
  const picture = lines();
  const read = () => rowsOf(field.value).map((row) => row.map(Number));
  const preview = () => {
    const rows = read();
    const good = rows.length > 1 && rows.every((row) => row.length === rows[0].length && row.every(Number.isFinite));
    picture.show(good ? rows[0].map((_, column) => rows.map((row) => row[column])) : []);
  };
  const fill = (text) => {
    field.value = text;
    preview();
  };
  const example = () => {
    const wave = (step, feature) => Math.sin(step / (4 + feature) + feature) + 0.2 * Math.sin(step * 2.1);
    fill(Array.from({ length: LENGTH }, (_, step) => Array.from({ length: features }, (__, feature) => wave(step, feature).toFixed(3)).join(", ")).join("\n"));
  };
  field.addEventListener("input", preview);
  const element = make(
    "div",
    {},
    labelled({ say: features === 1 ? "input.number" : "input.numbers", values: { features } }, field),
    picture.element,
    make("div.row", {}, files({ say: "file.table" }, ".csv,.tsv,.txt,text/*", async ([file]) => fill(await file.text())), make("button", { type: "button", say: "example", on: { click: example } })),
  );
  const value = () => {
    let rows = read();
    if (rows.length && rows[0].some(Number.isNaN)) rows = rows.slice(1); // a header
    if (!rows.length || rows.flat().some((one) => !Number.isFinite(one))) throw new Problem(null, "numbers.wrong");
    return rows;
  };
  return { element, value };
}
