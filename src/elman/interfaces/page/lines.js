// Small pictures of numbers over time, without a library.
import { make, sharp } from "/page/elements.js";
import { colour, whenColoursChange } from "/page/theme.js";

export const COLOURS = ["--accent", "--second", "--third", "--fourth"];

/** `{element, show(series)}`: lines above each other, from left to right; `low` and `high` are found out. */
export function lines(height = 64) {
  const canvas = make("canvas.lines", { role: "img", label: "picture.series", hidden: true });
  let shown = [];
  const draw = () => {
    canvas.hidden = !shown.length;
    if (!shown.length) return;
    const width = canvas.clientWidth || 300;
    const pen = sharp(canvas, width, height);
    let [low, high] = [Infinity, -Infinity];
    for (const one of shown) for (const value of one) [low, high] = [Math.min(low, value), Math.max(high, value)];
    const y = (value) => height - 4 - ((value - low) / (high - low || 1)) * (height - 8);
    shown.forEach((values, number) => {
      pen.strokeStyle = colour(COLOURS[number % COLOURS.length]);
      pen.lineWidth = 1.5;
      pen.beginPath();
      const step = Math.max(1, Math.floor(values.length / (width * 4)));
      for (let place = 0; place < values.length; place += step) pen.lineTo((place / Math.max(1, values.length - 1)) * width, y(values[place]));
      pen.stroke();
    });
  };
  canvas.style.height = `${height}px`;
  whenColoursChange(draw);
  addEventListener("resize", draw);
  return {
    element: canvas,
    show: (series) => {
      shown = series;
      draw();
    },
  };
}
