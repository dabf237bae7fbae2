// How probable each label is; or a number.
import { predict } from "/page/api.js";
import { make } from "/page/elements.js";
import { shown } from "/page/strings.js";

const MOST = 12;

export function shares(model) {
  const element = make("div.shares", { hidden: true });
  const show = async (given, settings, signal) => {
    const labelled = model.labels.length > 0;
    const { answer } = await predict(given, labelled ? { ...settings, probabilities: true } : settings, signal);
    element.hidden = false;
    element.replaceChildren(...(labelled ? bars(answer) : [make("p.large", {}, shown(answer))]));
    return given;
  };
  return { element, show, sets: ["probabilities", "threshold"] };
}

function bars(answer) {
  const rows = Object.entries(answer).sort(([, one], [, other]) => other - one);
  const list = make("ol.bars", {}, ...rows.slice(0, MOST).map(([label, share], place) => {
    const bar = make("span.bar");
    bar.style.width = `${share * 100}%`;
    return make(`li${place ? "" : ".best"}`, {}, make("span.label", {}, label), make("span.rail", { "aria-hidden": "true" }, bar), make("span.share", {}, `${(share * 100).toFixed(1)} %`));
  }));
  return rows.length > MOST ? [list, make("p.note", { say: "labels.more", values: { count: rows.length - MOST } })] : [list];
}
