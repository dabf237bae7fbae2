// From a canvas to lists of bytes.

/** Rows of pixels; of one colour a number each, else a list. */
export function pixelsOf(pen, height, width, colours) {
  const { data } = pen.getImageData(0, 0, width, height);
  const pixel = (place) => {
    const [red, green, blue] = data.slice(place, place + 3);
    return colours === 1 ? Math.round(0.299 * red + 0.587 * green + 0.114 * blue) : [red, green, blue].slice(0, colours);
  };
  return Array.from({ length: height }, (_, row) => Array.from({ length: width }, (__, column) => pixel((row * width + column) * 4)));
}

/** A canvas with rows of pixels: numbers from 0 to 255, or lists of three. */
export function canvasOf(rows) {
  const canvas = document.createElement("canvas");
  [canvas.height, canvas.width] = [rows.length, rows[0].length];
  const image = new ImageData(canvas.width, canvas.height);
  rows.flat().forEach((one, place) => {
    const colours = Array.isArray(one) ? (one.length === 1 ? [one[0], one[0], one[0]] : one) : [one, one, one];
    image.data.set([...colours, 255], place * 4);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
