// A number for each step, above the line or below it, as wide as the heat map.
import { make, sharp } from "/page/elements.js";
import { colour, whenColoursChange } from "/page/theme.js";

const HEIGHT = 56;

export function bars(label) {
  const canvas = make("canvas.bars-over-time", { role: "img", label });
  canvas.style.height = `${HEIGHT}px`;
  let values = [];
  const draw = () => {
    if (!values.length || !canvas.clientWidth) return;
    const width = canvas.clientWidth;
    const pen = sharp(canvas, width, HEIGHT);
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    const scale = (HEIGHT - 2) / (high - low || 1);
    const zero = 1 + high * scale;
    const across = width / values.length;
    values.forEach((value, step) => {
      pen.fillStyle = colour(value < 0 ? "--warm" : "--accent");
      pen.fillRect(step * across, Math.min(zero, zero - value * scale), Math.max(0.75, across - (across > 4 ? 1 : 0)), Math.max(0.5, Math.abs(value * scale)));
    });
  };
  whenColoursChange(draw);
  addEventListener("resize", draw);
  const show = (found) => {
    values = found;
    draw();
  };
  return { element: canvas, show };
}
