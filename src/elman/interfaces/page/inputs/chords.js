// Music: a chord a line, its notes by number or name.
import { labelled, make } from "/page/elements.js";
import { Problem } from "/page/problems.js";

const NAMES = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const EXAMPLE = "C4 E4 G4 C5\nC4 F4 A4 C5\nB3 D4 G4 D5\nC4 E4 G4 C5";

/** A note's number, of a name such as F#4 or a number. */
export function noteOf(word) {
  if (/^\d+$/.test(word)) return Number(word);
  const found = /^([A-Ga-g])([#b♯♭]?)(-?\d)$/.exec(word);
  if (!found) throw new Problem(null, "note.wrong", { word });
  const [, letter, sign, octave] = found;
  return NAMES[letter.toUpperCase()] + ("#♯".includes(sign) && sign ? 1 : sign ? -1 : 0) + 12 * (Number(octave) + 1);
}

export function chords() {
  const field = make("textarea.numbers", { rows: 5, spellcheck: "false", hint: "hint.chords" });
  const example = make("button", { type: "button", say: "example", on: { click: () => { field.value = EXAMPLE; } } });
  const element = make("div", {}, labelled({ say: "input.chords" }, field), make("div.row", {}, example));
  const value = () => {
    const lines = field.value.trim() ? field.value.trim().split("\n") : [];
    return lines.length ? lines.map((line) => line.split(/[\s,]+/).filter((word) => word && word !== "-").map(noteOf)) : "";
  };
  return { element, value };
}
