// Units over time as a picture: a row for each unit, a column for each step.

/**
 * Draw a tensor (T, U).
 *
 * @param {HTMLCanvasElement} canvas Gets a pixel for each number.
 * @param {{shape: number[], data: Uint16Array}} tensor Half-precision numbers.
 * @param {number[]} rows Units from top to bottom.
 * @param {{low: number, high: number}} scale What the colours' ends stand for.
 * @param {Uint32Array} colours From low to high.
 * @param {Float32Array} numbers Of half-precision bits.
 * @param {boolean} [turned] The tensor is (U, T).
 */
export function drawHeatMap(canvas, { shape, data }, rows, { low, high }, colours, numbers, turned = false) {
  const steps = turned ? shape[1] : shape[0];
  const [along, down] = turned ? [1, shape[1]] : [shape[1], 1];
  [canvas.width, canvas.height] = [steps, rows.length];
  const image = new ImageData(steps, rows.length);
  const pixels = new Uint32Array(image.data.buffer);
  const factor = (colours.length - 1) / (high - low);
  const last = colours.length - 1;
  for (let row = 0; row < rows.length; row += 1) {
    let place = rows[row] * down;
    const first = row * steps;
    for (let step = 0; step < steps; step += 1, place += along) {
      const level = (numbers[data[place]] - low) * factor;
      pixels[first + step] = colours[level < 0 ? 0 : level > last ? last : level | 0];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}
