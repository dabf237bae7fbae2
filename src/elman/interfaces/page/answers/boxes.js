// Where something is in every frame of a video.
import { predict } from "/page/api.js";
import { make } from "/page/elements.js";
import { canvasOf } from "/page/inputs/pixels.js";
import { colour } from "/page/theme.js";

const SIDE = 96;

export function boxes() {
  const element = make("div.strip", { hidden: true });
  const show = async (given, settings, signal) => {
    const { answer } = await predict(given, settings, signal);
    element.hidden = false;
    element.replaceChildren(...given.map((frame, number) => framed(frame, answer[number])));
    return given;
  };
  return { element, show };
}

function framed(frame, [left, top, right, bottom]) {
  const scale = SIDE / Math.max(frame.length, frame[0].length);
  const canvas = make("canvas", { width: Math.round(frame[0].length * scale), height: Math.round(frame.length * scale) });
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(canvasOf(frame), 0, 0, canvas.width, canvas.height);
  pen.strokeStyle = colour("--warm");
  pen.lineWidth = 2;
  pen.strokeRect(left * scale, top * scale, (right - left) * scale, (bottom - top) * scale);
  return canvas;
}
