// What is said in a recording, word by word; of some models while one speaks.
import { predict } from "/page/api.js";
import { make } from "/page/elements.js";
import { session } from "/page/live.js";
import { listen } from "/page/microphone.js";
import { report, tried } from "/page/problems.js";
import { shown, tell } from "/page/strings.js";

const BLOCK = 0.2; // seconds that are sent at once

export function transcript(model) {
  const words = make("p.large.words", { "aria-live": "polite" });
  const speak = make("button", { type: "button", say: "speak", hidden: model.live !== "sound" });
  const element = make("div", {}, make("div.row", {}, speak), words);

  const put = (found, rest = "") => {
    words.append(...found.map(word));
    words.querySelector(".rest")?.remove();
    words.append(make("span.rest", {}, rest));
  };
  const hear = (message) => {
    if (message.type === "partial") put(message.words ?? [], message.text ?? "");
    if (message.type === "final") whole(message);
  };
  const whole = (found) => words.replaceChildren(...(found.words?.length ? found.words.map(word) : [found.text || make("span.empty", { say: "words.none" })]));

  /** As a live model hears it; null where the server has no live sessions. */
  const live = async (given, settings, signal) => {
    const { times, ...others } = settings;
    const open = await session(others, hear, signal);
    if (!open) return null;
    const step = Math.round(BLOCK * given.rate);
    try {
      for (let first = 0; first < given.samples.length; first += step) open.send(given.samples.slice(first, first + step));
      return await open.finish();
    } finally {
      open.close();
    }
  };
  const show = async (given, settings, signal) => {
    words.replaceChildren();
    const heard = model.live === "sound" ? await live(given, settings, signal) : null;
    if (!heard) whole(await predict(given, { ...settings, times: true }, signal));
    return given;
  };

  let [stop, busy] = [null, false];
  const begin = async () => {
    words.replaceChildren();
    const open = await session({}, hear);
    if (!open) {
      report({ string: "live.none" });
      return;
    }
    const end = await listen(model.rate, open.send).catch((problem) => {
      open.close();
      throw problem;
    });
    tell(speak, { say: "speak.stop" });
    const own = async () => {
      stop = null;
      tell(speak, { say: "speak" });
      try {
        await end();
        await open.finish();
      } finally {
        open.close();
      }
    };
    stop = own;
    open.ended.catch(() => stop === own && tried(own)); // the server ended it while somebody speaks
  };
  speak.addEventListener("click", () => tried(async () => {
    if (busy) return;
    busy = true;
    try {
      await (stop ?? begin)();
    } finally {
      busy = false;
    }
  }));
  return { element, show, sets: ["times"], verb: "transcribe" };
}

/** A word; the surer, the darker. */
function word(one) {
  const values = { start: shown(one.start, 3), end: shown(one.end, 3), share: `${(one.confidence * 100).toFixed(0)} %` };
  const element = make("span.word", { title: "word", values }, `${one.text} `);
  element.style.setProperty("--sure", Math.max(0.55, one.confidence).toFixed(2));
  return element;
}
