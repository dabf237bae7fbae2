// Gates and states over time, and the step that is pointed at.
import { labelled, make } from "/page/elements.js";
import { attention } from "/page/inspector/attention.js";
import { palette, scaleOf } from "/page/inspector/colours.js";
import { drawHeatMap } from "/page/inspector/heat_map.js";
import { moment } from "/page/inspector/moment.js";
import { halves } from "/page/inspector/safetensors.js";
import { strip } from "/page/inspector/strip.js";
import { lines } from "/page/lines.js";
import { say, shown, tell, whenLanguageChanges } from "/page/strings.js";
import { whenColoursChange } from "/page/theme.js";

const LIVELY = 64;
const PAGE = 10;

/** `{element, show(seen), choose(layer, name, unit), tint(shares)}`. */
export function view() {
  const layers = make("select");
  const names = make("select");
  const many = make("select", {}, ...["lively", "all"].map((one) => make("option", { value: one, say: `units.${one}` })));
  const order = make("select", {}, ...["together", "lively", "number"].map((one) => make("option", { value: one, say: `order.${one}` })));
  const layerField = labelled({ say: "layer" }, layers);
  const canvas = make("canvas.heat");
  const cross = make("i.cross", { "aria-hidden": "true" });
  const across = make("i.across", { "aria-hidden": "true" });
  const map = make("div.map", { tabindex: "0", role: "slider", label: "map", "aria-valuemin": "1" }, canvas, cross, across);
  const about = make("p.about");
  const trace = lines(48);
  const [now, looks] = [moment(), attention()];
  const tokens = make("div");
  const key = make("p.key", { "aria-hidden": "true" }, make("span"), make("canvas", { width: 256, height: 1 }), make("span"));
  const element = make(
    "div",
    { hidden: true },
    tokens,
    make("div.row.controls", {}, layerField, labelled({ say: "shown" }, names), labelled({ say: "units" }, many), labelled({ say: "order" }, order), key),
    map,
    about,
    trace.element,
    looks.element,
    now.element,
  );
  let [seen, rows, row, step, scales, read] = [null, [], 0, 0, new Map(), null];

  const layer = () => Number(layers.value);
  const tensor = (name) => seen.tensors.get(name === "alignment" ? name : `${layer()}.${name}`);
  const scale = (name) => {
    const own = name === "alignment" ? name : `${layer()}.${name}`;
    if (!scales.has(own)) scales.set(own, scaleOf(name, tensor(name).data, halves()));
    return scales.get(own);
  };
  const value = (unit, at) => {
    const { shape, data } = tensor(names.value);
    return halves()[names.value === "alignment" ? data[unit * shape[1] + at] : data[at * shape[1] + unit]];
  };

  const unitRows = () => {
    const facts = seen.facts.layers[layer()];
    const count = tensor(facts.names[0]).shape[1];
    const lively = many.value === "all" ? null : new Set(facts.lively.slice(0, LIVELY));
    const ordered = order.value === "number" ? [...facts.lively].sort((one, other) => one - other) : facts[order.value];
    const found = lively ? ordered.filter((unit) => lively.has(unit)) : ordered;
    return found.filter((unit) => unit < count);
  };
  const draw = () => {
    if (!seen) return;
    const turned = names.value === "alignment";
    const own = tensor(names.value);
    const most = turned ? own.shape[0] : own.shape[1];
    rows = turned ? seen.facts.written.map((_, place) => place) : unitRows().filter((unit) => unit < most);
    row = Math.min(row, rows.length - 1);
    const { kind, low, high } = scale(names.value);
    drawHeatMap(canvas, own, rows, { low, high }, palette(kind), halves(), turned);
    const wanted = Math.min(360, Math.max(96, rows.length * (turned ? 14 : 4)));
    map.style.height = `${wanted}px`;
    key.firstChild.textContent = shown(low, 2);
    key.lastChild.textContent = shown(high, 2);
    const image = new ImageData(256, 1);
    new Uint32Array(image.data.buffer).set(palette(kind));
    key.children[1].getContext("2d").putImageData(image, 0, 0);
    point(step, row);
  };
  const point = (at, line = row) => {
    const steps = seen.facts.steps;
    [step, row] = [Math.max(0, Math.min(steps.length - 1, at)), Math.max(0, Math.min(rows.length - 1, line))];
    const unit = rows[row];
    cross.style.left = `${(step / steps.length) * 100}%`;
    cross.style.width = `${100 / steps.length}%`;
    across.style.top = `${(row / rows.length) * 100}%`;
    across.style.height = `${100 / rows.length}%`;
    read.choose(step);
    const turned = names.value === "alignment";
    const values = {
      step: step + 1,
      steps: steps.length,
      token: steps[step].trim() || "␣",
      unit: turned ? seen.facts.written[unit] : unit,
      gate: say(`gate.${names.value}`),
      value: shown(value(unit, step), 2),
    };
    tell(about, { say: "map.about" }, values);
    map.setAttribute("aria-valuenow", step + 1);
    map.setAttribute("aria-valuetext", say("map.about", values));
    now.show(tensor, scale, unitRows(), step, turned ? 0 : unit);
    if (!looks.element.hidden) looks.show(step);
  };
  const follow = () => trace.show([seen.facts.steps.map((_, at) => value(rows[row], at))]);

  let waiting = null;
  const soon = (at, line) => {
    if (!waiting) requestAnimationFrame(() => {
      const [one, other] = waiting;
      waiting = null;
      const before = row;
      point(one, other);
      if (row !== before) follow();
    });
    waiting = [at, line];
  };
  map.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    soon(Math.floor(((event.clientX - box.left) / box.width) * seen.facts.steps.length), Math.floor(((event.clientY - box.top) / box.height) * rows.length));
  });
  map.addEventListener("keydown", (event) => {
    const moves = {
      ArrowRight: [step + 1, row], ArrowLeft: [step - 1, row], ArrowDown: [step, row + 1], ArrowUp: [step, row - 1],
      PageUp: [step - PAGE, row], PageDown: [step + PAGE, row], Home: [0, row], End: [Infinity, row],
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    const before = row;
    point(Math.min(moves[event.key][0], seen.facts.steps.length - 1), moves[event.key][1]);
    if (row !== before) follow();
  });
  const changed = () => {
    draw();
    follow();
  };
  const fillNames = () => {
    const own = seen.facts.layers[layer()].names;
    const all = seen.tensors.has("alignment") ? [...own, "alignment"] : own;
    const kept = names.value;
    names.replaceChildren(...all.map((name) => make("option", { value: name, say: `gate.${name}` })));
    names.value = all.includes(kept) ? kept : own.includes("hidden") ? "hidden" : own[0];
    now.prepare(own);
  };
  layers.addEventListener("change", () => {
    fillNames();
    changed();
  });
  for (const one of [names, many, order]) one.addEventListener("change", changed);
  whenColoursChange(draw);
  whenLanguageChanges(() => seen && point(step));

  const show = (found) => {
    [seen, scales, row] = [found, new Map(), 0];
    const { facts, tensors } = seen;
    read = strip(facts.steps, (at) => soon(at, row));
    tokens.replaceChildren(read.element);
    const before = layers.value;
    layers.replaceChildren(...facts.layers.map((_, number) => make("option", { value: number }, String(number + 1))));
    if (Number(before) < facts.layers.length && before) layers.value = before;
    layerField.hidden = facts.layers.length < 2;
    looks.prepare(facts.written, tensors.get("alignment"));
    map.setAttribute("aria-valuemax", facts.steps.length);
    element.hidden = false;
    fillNames();
    step = facts.steps.length - 1;
    changed();
  };
  const choose = (number, name, unit) => {
    layers.value = number;
    fillNames();
    names.value = name;
    if (!unitRows().includes(unit)) many.value = "all";
    draw();
    point(step, rows.indexOf(unit));
    follow();
    map.focus();
  };
  return { element, show, choose, tint: (shares) => read.tint(shares) };
}
