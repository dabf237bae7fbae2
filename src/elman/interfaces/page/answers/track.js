// A label or a number for every step of a series.
import { predict } from "/page/api.js";
import { coloured } from "/page/answers/palette.js";
import { make } from "/page/elements.js";
import { lines } from "/page/lines.js";

export function track(model) {
  const picture = lines(90);
  const band = make("div.track", { role: "img", label: "track" });
  const legend = make("ul.legend");
  const element = make("div", { hidden: true }, picture.element, band, legend);
  const show = async (given, settings, signal) => {
    const { answer } = await predict(given, settings, signal);
    element.hidden = false;
    const labels = model.labels.length > 0;
    band.hidden = !labels;
    if (!labels) {
      picture.show([given.map((row) => row[0]), answer]);
      legend.replaceChildren();
      return given;
    }
    picture.show(given[0].map((_, column) => given.map((row) => row[column])));
    const said = answer.map((one) => one.label ?? one);
    band.replaceChildren(...said.map((one, step) => coloured(make("i", { title: "track.step", values: { step: step + 1, label: one } }), one)));
    legend.replaceChildren(...[...new Set(said)].map((one) => coloured(make("li", {}, `${one} · ${said.filter((each) => each === one).length}`), one)));
    return given;
  };
  return { element, show, sets: ["confidence", "n_best"] };
}
