// One step in full: each gate and state of a layer, all its units.
import { make } from "/page/elements.js";
import { palette } from "/page/inspector/colours.js";
import { halves } from "/page/inspector/safetensors.js";
import { shown } from "/page/strings.js";

/** `{element, show(seen, layer, rows, step, unit)}`. */
export function moment() {
  const body = make("tbody");
  const head = make("tr", {}, make("th", { scope: "col", say: "moment.name" }), make("th", { scope: "col", say: "moment.units" }), make("th.number", { scope: "col", say: "moment.mean" }), make("th.number", { scope: "col", say: "moment.unit" }));
  const element = make("table.moment", {}, make("caption", { class: "visually-hidden", say: "moment" }), make("thead", {}, head), body);
  let parts = [];

  /** A row for each gate and state of a layer. */
  const prepare = (names) => {
    parts = names.map((name) => {
      const [canvas, mean, one] = [make("canvas", { height: 1 }), make("td.number"), make("td.number")];
      return { name, canvas, mean, one, row: make("tr", {}, make("th", { scope: "row", say: `gate.${name}` }), make("td.units-row", {}, canvas), mean, one) };
    });
    body.replaceChildren(...parts.map((part) => part.row));
  };
  const show = (tensors, scales, rows, step, unit) => {
    const numbers = halves();
    const colours = { one: palette("one"), two: palette("two") };
    for (const { name, canvas, mean, one } of parts) {
      const { shape, data } = tensors(name);
      const { kind, low, high } = scales(name);
      const first = step * shape[1];
      canvas.width = rows.length;
      const image = new ImageData(rows.length, 1);
      const pixels = new Uint32Array(image.data.buffer);
      rows.forEach((row, place) => {
        const level = ((numbers[data[first + row]] - low) / (high - low)) * 255;
        pixels[place] = colours[kind][Math.max(0, Math.min(255, level | 0))];
      });
      canvas.getContext("2d").putImageData(image, 0, 0);
      let sum = 0;
      for (let place = first; place < first + shape[1]; place += 1) sum += numbers[data[place]];
      mean.textContent = shown(sum / shape[1], 2);
      one.textContent = shown(numbers[data[first + unit]], 2);
    }
  };
  return { element, prepare, show };
}
