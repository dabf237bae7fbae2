// A recording: a file, or what a microphone hears, at the model's rate.
import { make } from "/page/elements.js";
import { files } from "/page/inputs/files.js";
import { lines } from "/page/lines.js";
import { listen } from "/page/microphone.js";
import { Problem, tried } from "/page/problems.js";
import { shown, tell } from "/page/strings.js";
import { waveOf } from "/page/wave.js";

export function sound(model) {
  const { rate } = model;
  const picture = lines();
  const player = make("audio", { controls: true, hidden: true });
  const about = make("p.note", { say: "sound.none" });
  const record = make("button", { type: "button", say: "record" });
  let samples = null;
  let stop = null;

  const show = (found) => {
    samples = found;
    picture.show([envelope(samples)]);
    URL.revokeObjectURL(player.src);
    player.src = URL.createObjectURL(waveOf(samples, rate));
    player.hidden = false;
    tell(about, { say: "sound.long" }, { seconds: shown(samples.length / rate, 3), rate: shown(rate) });
  };
  const decoded = async ([file]) => {
    let found;
    try {
      found = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await file.arrayBuffer());
    } catch {
      throw new Problem(null, "sound.wrong", { name: file.name });
    }
    const mixed = new Float32Array(found.length);
    for (let channel = 0; channel < found.numberOfChannels; channel += 1) found.getChannelData(channel).forEach((one, place) => { mixed[place] += one / found.numberOfChannels; });
    show(mixed);
  };
  const recorded = async () => {
    if (stop) {
      const end = stop;
      stop = null;
      tell(record, { say: "record" });
      await end();
      return;
    }
    const blocks = [];
    stop = await listen(rate, (block) => {
      blocks.push(block);
      show(joined(blocks));
    });
    tell(record, { say: "record.stop" });
  };
  let busy = false;
  record.addEventListener("click", () => tried(async () => {
    if (busy) return;
    busy = true;
    try {
      await recorded();
    } finally {
      busy = false;
    }
  }));
  const example = () => {
    const tones = [[697, 1209], [770, 1336], [852, 1477]];
    const found = new Float32Array(rate);
    for (let place = 0; place < found.length; place += 1) {
      const [low, high] = tones[Math.min(2, Math.floor((place / found.length) * 3))];
      const on = ((place / found.length) * 3) % 1 < 0.7;
      found[place] = on ? 0.25 * (Math.sin((2 * Math.PI * low * place) / rate) + Math.sin((2 * Math.PI * high * place) / rate)) : 0;
    }
    show(found);
  };
  const element = make(
    "div.field",
    {},
    make("p.label", { say: "input.sound" }),
    make("div.row", {}, files({ say: "file.sound" }, "audio/*", decoded), record, make("button", { type: "button", say: "example.tones", on: { click: example } })),
    picture.element,
    player,
    about,
  );
  const value = () => {
    if (samples) return { samples: Array.from(samples, (one) => Math.round(one * 1e5) / 1e5), rate };
    if (model.needs_input) throw new Problem(null, "sound.missing");
    return "";
  };
  return { element, value };
}

function joined(blocks) {
  const all = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let place = 0;
  for (const block of blocks) {
    all.set(block, place);
    place += block.length;
  }
  return all;
}

/** Few enough points to draw, the loudest ones. */
function envelope(samples) {
  const step = Math.max(1, Math.floor(samples.length / 1500));
  const found = [];
  for (let first = 0; first < samples.length; first += step) {
    let loudest = 0;
    for (let place = first; place < Math.min(samples.length, first + step); place += 1) if (Math.abs(samples[place]) > Math.abs(loudest)) loudest = samples[place];
    found.push(loudest);
  }
  return found;
}
