// Gates that are stuck: as good as shut, or as good as open.
import { make } from "/page/elements.js";

/** `{element, show(saturation)}`. */
export function saturation() {
  const body = make("tbody");
  const heads = ["layer", "gate", "shut", "open"].map((name) => make(name.length > 5 || name === "gate" || name === "layer" ? "th" : "th.number", { scope: "col", say: `saturation.${name}` }));
  const element = make("details.more", {}, make("summary", { say: "saturation" }), make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body));
  const percent = (share) => `${(share * 100).toFixed(1)} %`;
  const show = (found) => {
    const rows = found.flatMap((layer, number) => Object.entries(layer).map(([name, { shut, open }]) => make(
      "tr",
      {},
      make("td", {}, String(number + 1)),
      make("td", { say: `gate.${name}` }),
      ...[shut, open].map((share) => {
        const cell = make("td.number.share", {}, percent(share));
        cell.style.setProperty("--share", share.toFixed(3));
        return cell;
      }),
    )));
    body.replaceChildren(...rows);
    element.hidden = !rows.length;
  };
  return { element, show };
}
