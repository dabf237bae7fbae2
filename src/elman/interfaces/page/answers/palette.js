// A colour for each label: far apart, readable under dark text and light.
const KNOWN = new Map();

/** A hue for a label, the same whenever it comes. */
export function hueOf(label) {
  if (!KNOWN.has(label)) KNOWN.set(label, (215 + KNOWN.size * 137.5) % 360);
  return KNOWN.get(label);
}

/** Let an element have the colours of a label. */
export function coloured(element, label) {
  element.style.setProperty("--hue", hueOf(label).toFixed(0));
  element.classList.add("hued");
  return element;
}
