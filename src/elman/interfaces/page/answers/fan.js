// What is to come, with the intervals in which it should lie.
import { askForJson } from "/page/api.js";
import { chart } from "/page/chart.js";
import { make } from "/page/elements.js";
import { say, shown, whenLanguageChanges } from "/page/strings.js";
import { colour } from "/page/theme.js";

const MOST = 200;

export function fan(model) {
  const which = make("select", { label: "series" });
  const choice = make("label.inline", { hidden: true }, make("span", { say: "series" }), which);
  const place = make("div.chart", { role: "img", label: "fan" });
  const rows = make("tbody");
  const head = make("tr");
  const element = make(
    "div",
    { hidden: true },
    choice,
    place,
    make("details", {}, make("summary", { say: "as.table" }), make("div.wide", {}, make("table", {}, make("thead", {}, head), rows))),
  );
  let [answer, known, draw] = [[], {}, null];
  const chosen = () => answer.filter((row) => String(row.unique_id) === which.value);

  const content = () => {
    const coming = chosen();
    const before = known[which.value] ?? { ds: [], y: [] };
    const moments = coming.map((row) => row.ds);
    const levels = Object.keys(coming[0] ?? {}).filter((name) => name.startsWith("hi-")).map((name) => name.slice(3)).sort((one, other) => other - one);
    const bands = levels.flatMap((level) => [
      { x: moments, y: coming.map((row) => row[`lo-${level}`]), mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false },
      { x: moments, y: coming.map((row) => row[`hi-${level}`]), mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: colour("--veil"), name: `${level} %`, hoverinfo: "skip" },
    ]);
    return {
      lines: [
        { x: before.ds.slice(-MOST), y: before.y.slice(-MOST), mode: "lines", name: say("fan.known"), line: { color: colour("--soft"), width: 1.5 } },
        ...bands,
        { x: moments, y: coming.map((row) => row.forecast), mode: "lines", name: say("fan.coming"), line: { color: colour("--accent"), width: 2.5 } },
      ],
      layout: { height: 320 },
    };
  };
  const refresh = async () => {
    const coming = chosen();
    head.replaceChildren(...Object.keys(coming[0] ?? {}).map((name) => make("th", { scope: "col" }, name)));
    rows.replaceChildren(...coming.map((row) => make("tr", {}, ...Object.values(row).map((value) => make("td", {}, shown(value))))));
    if (draw) await draw();
    else whenLanguageChanges((draw = await chart(place, content)));
  };
  which.addEventListener("change", refresh);

  const show = async (given, settings, signal) => {
    const found = await askForJson("/v1/predict", { inputs: [given], settings }, signal);
    answer = found.answers.flatMap((one) => (Array.isArray(one) ? one : one.rows ?? [one]));
    known = given === "" ? model.recent : columns(given, model);
    const names = [...new Set(answer.map((row) => String(row.unique_id)))];
    which.replaceChildren(...names.map((name) => make("option", { value: name }, name || "·")));
    choice.hidden = names.length < 2;
    element.hidden = false;
    await refresh();
    return given;
  };
  return { element, show, sets: ["unusual"], verb: "forecast" };
}

/** Of a table with columns by name, each series' moments and numbers. */
function columns(given, model) {
  const { series, time, target } = model.columns;
  const first = target.split(",")[0];
  const owners = given[series ?? "unique_id"];
  const found = {};
  (given[first] ?? []).forEach((value, row) => {
    if (value === null) return;
    const name = owners ? String(owners[row]) : Object.keys(model.recent)[0] ?? "";
    found[name] ??= { ds: [], y: [] };
    found[name].ds.push(given[time ?? "ds"]?.[row] ?? row);
    found[name].y.push(value);
  });
  return found;
}
