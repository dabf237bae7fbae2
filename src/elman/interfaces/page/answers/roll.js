// Chords over time, as on a piano roll, to be heard.
import { predict } from "/page/api.js";
import { make, sharp } from "/page/elements.js";
import { colour, whenColoursChange } from "/page/theme.js";

const STEP = 0.28; // seconds of a chord
const HEIGHT = 180;

export function roll() {
  const canvas = make("canvas.roll", { role: "img", label: "roll" });
  const play = make("button", { type: "button", say: "play" });
  const element = make("div", { hidden: true }, canvas, make("div.row", {}, play));
  let [before, after] = [[], []];
  let player = null;

  const draw = () => {
    const all = [...before, ...after];
    const notes = all.flat();
    if (!notes.length) return;
    const [low, high] = [Math.min(...notes) - 1, Math.max(...notes) + 1];
    const width = canvas.clientWidth || 600;
    const pen = sharp(canvas, width, HEIGHT);
    const [across, up] = [width / all.length, HEIGHT / (high - low + 1)];
    all.forEach((chord, step) => {
      pen.fillStyle = colour(step < before.length ? "--faint" : "--accent");
      for (const note of chord) pen.fillRect(step * across, (high - note) * up, Math.max(1, across - 1), Math.max(1, up - 1));
    });
  };
  const sound = async () => {
    await player?.close();
    player = new AudioContext();
    const loud = new GainNode(player, { gain: 0.08 });
    loud.connect(player.destination);
    [...before, ...after].forEach((chord, step) => {
      for (const note of chord) {
        const tone = new OscillatorNode(player, { type: "triangle", frequency: 440 * 2 ** ((note - 69) / 12) });
        tone.connect(loud);
        tone.start(player.currentTime + 0.05 + step * STEP);
        tone.stop(player.currentTime + 0.05 + (step + 0.95) * STEP);
      }
    });
  };
  play.addEventListener("click", sound);
  whenColoursChange(draw);
  addEventListener("resize", draw);
  const show = async (given, settings, signal) => {
    const answer = await predict(given, settings, signal);
    after = Object.values(answer)[0];
    before = given || [];
    element.hidden = false;
    draw();
    return before.length + after.length ? [...before, ...after] : undefined;
  };
  return { element, show, sets: ["unusual"], verb: "write" };
}
