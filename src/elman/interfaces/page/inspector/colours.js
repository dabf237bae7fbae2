// From numbers to colours: one scale from nothing to all, one with a middle.
import { dark } from "/page/theme.js";

const STEPS = 256;
const SCALES = {
  light: { one: [[250, 250, 252], [126, 164, 232], [30, 52, 150]], two: [[176, 58, 24], [240, 172, 130], [250, 250, 252], [126, 164, 232], [30, 52, 150]] },
  dark: { one: [[24, 26, 32], [52, 84, 178], [190, 214, 255]], two: [[255, 190, 150], [186, 84, 36], [24, 26, 32], [52, 84, 178], [190, 214, 255]] },
};

/** Colours as the pixels of an image have them, from the lowest number to the highest. */
export function palette(kind) {
  const stops = SCALES[dark() ? "dark" : "light"][kind];
  return Uint32Array.from({ length: STEPS }, (_, step) => {
    const place = (step / (STEPS - 1)) * (stops.length - 1);
    const first = Math.min(Math.floor(place), stops.length - 2);
    const [red, green, blue] = stops[first].map((one, part) => Math.round(one + (stops[first + 1][part] - one) * (place - first)));
    return (255 << 24) | (blue << 16) | (green << 8) | red;
  });
}

/** Of a gate from 0 to 1; of a state as far on both sides as it goes; of weights from 0 to the largest. */
export function scaleOf(name, data, numbers) {
  if (name.endsWith("_gate")) return { kind: "one", low: 0, high: 1 };
  const step = Math.max(1, Math.floor(data.length / 20000));
  const some = [];
  for (let place = 0; place < data.length; place += step) some.push(Math.abs(numbers[data[place]]));
  some.sort((one, other) => one - other);
  const most = some[Math.floor((some.length - 1) * 0.995)] || 1;
  return name === "alignment" ? { kind: "one", low: 0, high: some.at(-1) || 1 } : { kind: "two", low: -most, high: most };
}
