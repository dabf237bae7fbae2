// Samples as a WAV file.

export function waveOf(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const word = (place, text) => [...text].forEach((letter, number) => view.setUint8(place + number, letter.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + samples.length * 2, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((one, place) => view.setInt16(44 + place * 2, Math.max(-1, Math.min(1, one)) * 32767, true));
  return new Blob([view], { type: "audio/wav" });
}
