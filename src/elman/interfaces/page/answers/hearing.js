// Sound that was made, to be heard and kept.
import { predict } from "/page/api.js";
import { make } from "/page/elements.js";
import { lines } from "/page/lines.js";
import { waveOf } from "/page/wave.js";

export function hearing(model) {
  const picture = lines(80);
  const player = make("audio", { controls: true, label: "sound.made" });
  const link = make("a.button", { say: "sound.keep", download: "elman.wav" });
  const element = make("div", { hidden: true }, picture.element, make("div.row", {}, player, link));
  const show = async (given, settings, signal) => {
    const { samples } = await predict(given, settings, signal);
    URL.revokeObjectURL(player.src);
    player.src = URL.createObjectURL(waveOf(samples, model.rate));
    link.href = player.src;
    element.hidden = false;
    picture.show([samples]);
    return given || { samples, rate: model.rate };
  };
  return { element, show, sets: ["unusual"], verb: "write" };
}
