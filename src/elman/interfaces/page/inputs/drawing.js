// An image, drawn by hand or from a file, in the shape that the model was trained with.
import { make } from "/page/elements.js";
import { files } from "/page/inputs/files.js";
import { pixelsOf } from "/page/inputs/pixels.js";
import { say } from "/page/strings.js";

const SIDE = 280;
const KEYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export function drawing(model) {
  const [height, width, colours] = model.shape;
  const canvas = make("canvas.drawing", { width, height, tabindex: "0", role: "application", label: "draw.label" });
  const scale = SIDE / Math.max(height, width);
  canvas.style.width = `${width * scale}px`;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const where = make("span", { class: "visually-hidden", role: "status" });
  let drawn = false;
  let last = null;
  let place = [Math.floor(height / 2), Math.floor(width / 2)];

  const clear = () => {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, width, height);
    drawn = false;
  };
  const line = (from, to) => {
    pen.strokeStyle = "#fff";
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = Math.max(1, Math.max(height, width) / 12);
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(to[0] + 0.01, to[1]);
    pen.stroke();
    drawn = true;
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = at(event);
    line(last, next);
    last = next;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
  canvas.addEventListener("keydown", (event) => {
    const step = KEYS[event.key];
    if (!step && event.key !== " ") return;
    event.preventDefault();
    const before = place;
    if (step) place = [place[0] + step[0], place[1] + step[1]].map((one, axis) => Math.min(Math.max(one, 0), [height, width][axis] - 1));
    if (event.key === " " || event.shiftKey) line([before[1] + 0.5, before[0] + 0.5], [place[1] + 0.5, place[0] + 0.5]);
    where.textContent = say("draw.place", { row: place[0] + 1, column: place[1] + 1 });
  });
  clear();

  const fromFile = async ([file]) => {
    const picture = await createImageBitmap(file);
    clear();
    pen.drawImage(picture, 0, 0, width, height);
    drawn = true;
  };
  const element = make(
    "div.field",
    {},
    make("p.label", { say: "input.image", values: { height, width } }),
    make(
      "div.side",
      {},
      canvas,
      make(
        "div.stack",
        {},
        make("button", { type: "button", say: "clear", on: { click: clear } }),
        files({ say: "file.image" }, "image/*", fromFile),
        make("p.note", { say: model.task === "generate" ? "draw.optional" : "draw.keys" }),
      ),
    ),
    where,
  );
  return { element, value: () => (drawn || model.needs_input ? pixelsOf(pen, height, width, colours) : "") };
}
