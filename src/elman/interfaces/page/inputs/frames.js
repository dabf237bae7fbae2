// A video: a file with several pictures, or several files, in the shape that the model was trained with.
import { make } from "/page/elements.js";
import { files } from "/page/inputs/files.js";
import { canvasOf, pixelsOf } from "/page/inputs/pixels.js";
import { Problem } from "/page/problems.js";

const MADE = 12;

export function frames(model) {
  const [height, width, colours] = model.shape;
  const canvas = make("canvas", { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const strip = make("div.strip");
  let given = [];
  const show = (found) => {
    given = found;
    strip.replaceChildren(...given.slice(0, 24).map((one) => canvasOf(one)));
  };
  const scaled = (picture) => {
    pen.drawImage(picture, 0, 0, width, height);
    return pixelsOf(pen, height, width, colours);
  };
  const take = async (chosen) => {
    const pictures = chosen.length === 1 && chosen[0].type === "image/gif" ? await decoded(chosen[0]) : await Promise.all(chosen.map((one) => createImageBitmap(one)));
    show(pictures.map(scaled));
  };
  const example = () => {
    const size = Math.max(2, Math.round(Math.min(height, width) / 4));
    show(Array.from({ length: MADE }, (_, step) => {
      pen.fillStyle = "#000";
      pen.fillRect(0, 0, width, height);
      pen.fillStyle = "#fff";
      pen.fillRect((step * (width - size)) / MADE, (step * (height - size)) / MADE, size, size);
      return pixelsOf(pen, height, width, colours);
    }));
  };
  const element = make(
    "div.field",
    {},
    make("p.label", { say: "input.frames", values: { height, width } }),
    make("div.row", {}, files({ say: "file.frames" }, "image/*", take, true), make("button", { type: "button", say: "example", on: { click: example } })),
    strip,
  );
  const value = () => {
    if (!given.length) throw new Problem(null, "frames.none");
    return given;
  };
  return { element, value };
}

async function decoded(file) {
  if (!("ImageDecoder" in globalThis)) throw new Problem(null, "gif.unknown");
  const decoder = new ImageDecoder({ data: file.stream(), type: file.type });
  await decoder.completed;
  const count = decoder.tracks.selectedTrack.frameCount;
  const found = [];
  for (let frameIndex = 0; frameIndex < count; frameIndex += 1) found.push((await decoder.decode({ frameIndex })).image);
  return found;
}
