// A class for every pixel of a picture.
import { predict } from "/page/api.js";
import { coloured, hueOf } from "/page/answers/palette.js";
import { make } from "/page/elements.js";
import { canvasOf } from "/page/inputs/pixels.js";

export function scene() {
  const element = make("figure", { hidden: true });
  const show = async (given, settings, signal) => {
    const { answer } = await predict(given, settings, signal);
    const classes = [...new Set(answer.flat())].sort((one, other) => one - other);
    const rows = answer.map((row) => row.map((one) => (one ? rgb(hueOf(String(one))) : [24, 24, 28])));
    const legend = make("ul.legend", {}, ...classes.filter(Boolean).map((one) => coloured(make("li", {}, String(one)), String(one))));
    element.hidden = false;
    element.replaceChildren(make("div.strip.large", {}, canvasOf(given), canvasOf(rows)), legend);
    return given;
  };
  return { element, show };
}

/** A hue as three bytes, of middling lightness. */
function rgb(hue) {
  const part = (shift) => {
    const place = (shift + hue / 30) % 12;
    return Math.round(255 * (0.55 - 0.36 * Math.max(-1, Math.min(place - 3, 9 - place, 1))));
  };
  return [part(0), part(8), part(4)];
}
