// A text made of another; pointing at a unit shows what was looked at.
import { predict } from "/page/api.js";
import { make } from "/page/elements.js";

export function translation() {
  const text = make("p.large");
  const source = make("p.units", { label: "units.source" });
  const target = make("p.units", { label: "units.target" });
  const note = make("p.note", { say: "alignment.how" });
  const others = make("ol.others");
  const element = make("div", { hidden: true }, text, make("div.aligned", {}, source, target, note), others);

  const show = async (given, settings, signal) => {
    const { answers } = await predict(given, { ...settings, n_best: settings.n_best ?? 1 }, signal);
    const [best, ...rest] = answers;
    text.textContent = best.text;
    others.replaceChildren(...rest.map((one) => make("li", {}, one.text)));
    element.hidden = false;
    const reads = best.source_units.map((unit) => make("span.unit", {}, seen(unit)));
    const writes = best.units.map((unit) => make(`span.unit${best.alignment ? ".live" : ""}`, best.alignment ? { tabindex: "-1" } : {}, seen(unit)));
    source.replaceChildren(...reads);
    target.replaceChildren(...writes);
    note.hidden = !best.alignment;
    if (best.alignment) follow(reads, writes, best.alignment);
    return given;
  };
  return { element, show };
}

const seen = (unit) => (unit.trim() ? unit : unit.includes("\n") ? "⏎" : "␣");

/** Let a unit that is pointed at, or focused, show its row of the alignment. */
function follow(reads, writes, alignment) {
  const look = (place) => {
    writes.forEach((one, number) => one.classList.toggle("chosen", number === place));
    reads.forEach((one, number) => one.style.setProperty("--weight", (alignment[place]?.[number] ?? 0).toFixed(3)));
  };
  writes[0].tabIndex = 0;
  writes.forEach((one, place) => {
    one.addEventListener("pointerenter", () => look(place));
    one.addEventListener("focus", () => look(place));
    one.addEventListener("keydown", (event) => {
      const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: writes.length - 1 }[event.key];
      if (next === undefined || !writes[next]) return;
      event.preventDefault();
      one.tabIndex = -1;
      writes[next].tabIndex = 0;
      writes[next].focus();
    });
  });
  look(0);
}
