// Tensors as the server sends them: eight bytes of length, a header in JSON, then half-precision numbers.

/** `{tensors: Map of {shape, data: Uint16Array}, facts}`. */
export function read(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const { __metadata__: about, ...entries } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const tensors = new Map();
  for (const [name, { shape, data_offsets: [first, last] }] of Object.entries(entries)) {
    const begin = 8 + length + first;
    const data = begin % 2 ? new Uint16Array(buffer.slice(begin, 8 + length + last)) : new Uint16Array(buffer, begin, (last - first) / 2);
    tensors.set(name, { shape, data });
  }
  return { tensors, facts: JSON.parse(about.facts) };
}

let table = null;

/** All half-precision numbers as usual ones, by their bits. */
export function halves() {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 0) return sign * 2 ** -24 * fraction;
    return exponent === 31 ? (fraction ? NaN : sign * Infinity) : sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
  });
  return table;
}
