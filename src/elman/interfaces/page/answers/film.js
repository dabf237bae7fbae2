// The next frames of a video: a strip, and the whole film moving.
import { predict } from "/page/api.js";
import { make } from "/page/elements.js";
import { canvasOf } from "/page/inputs/pixels.js";

const PAUSE = 120;

export function film() {
  const moving = make("canvas.moving", { role: "img", label: "film" });
  const strip = make("div.strip");
  const element = make("div.side", { hidden: true }, moving, strip);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let frames = [];
  let number = 0;
  setInterval(() => {
    if (!frames.length || document.hidden || still.matches) return;
    number = (number + 1) % frames.length;
    moving.getContext("2d").drawImage(frames[number], 0, 0);
  }, PAUSE);
  const show = async (given, settings, signal) => {
    const answer = await predict(given, settings, signal);
    const coming = Object.values(answer)[0].map((one) => canvasOf(one));
    frames = [...given.slice(0, settings.given ?? given.length).map((one) => canvasOf(one)), ...coming];
    [moving.width, moving.height] = [frames[0].width, frames[0].height];
    moving.getContext("2d").drawImage(frames[0], 0, 0);
    strip.replaceChildren(...coming);
    element.hidden = false;
    return given;
  };
  return { element, show, sets: ["unusual"], verb: "write" };
}
