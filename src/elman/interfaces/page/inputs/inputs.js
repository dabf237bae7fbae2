// Which way of giving an input fits a model.
import { chords } from "/page/inputs/chords.js";
import { drawing } from "/page/inputs/drawing.js";
import { frames } from "/page/inputs/frames.js";
import { json } from "/page/inputs/json.js";
import { numbers } from "/page/inputs/numbers.js";
import { sound } from "/page/inputs/sound.js";
import { table } from "/page/inputs/table.js";
import { text } from "/page/inputs/text.js";

const WAYS = { text, image: drawing, sound, numbers, table, chords, frames };

/** `{element, value()}`: what a person sees, and what the server gets. */
export const inputFor = (model) => (WAYS[model.takes] ?? json)(model);
