// Elements of the page. Texts go in as texts, never as markup.
import { tell } from "/page/strings.js";

const TOLD = ["say", "label", "hint", "title"];

/**
 * An element.
 *
 * @param {string} tag Its name, with classes behind dots.
 * @param {object} given Attributes; `say`, `label`, `hint` and `title` name strings, with `values`; `on` has listeners.
 * @param {...(Node|string)} children What is in it.
 */
export function make(tag, given = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.classList.add(...classes);
  const { on = {}, values, ...rest } = given;
  const names = Object.fromEntries(TOLD.filter((way) => rest[way] !== undefined).map((way) => [way, rest[way]]));
  if (Object.keys(names).length) tell(element, names, values);
  for (const [key, value] of Object.entries(rest)) {
    if (TOLD.includes(key) || value === undefined || value === false || value === null) continue;
    if (value === true) element.setAttribute(key, "");
    else element.setAttribute(key, value);
  }
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

let count = 0;

/** A field with a visible label, and a sentence under it where there is one. */
export function labelled(words, field, help) {
  field.id ||= `field-${(count += 1)}`;
  const line = make("div.field", {}, make("label", { for: field.id, ...words }), field);
  if (help) {
    const below = make("small", { id: `${field.id}-help` }, help);
    field.setAttribute("aria-describedby", below.id);
    line.append(below);
  }
  return line;
}

/** A canvas that is as sharp as the screen. */
export function sharp(canvas, width, height) {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}
