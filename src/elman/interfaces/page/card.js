// The run: what it learned from, how good it is, how it got there.
import { askForJson } from "/page/api.js";
import { chart, whenSeen } from "/page/chart.js";
import { make } from "/page/elements.js";
import { report } from "/page/problems.js";
import { say, shown, whenLanguageChanges } from "/page/strings.js";
import { colour } from "/page/theme.js";

export async function card(model, place) {
  const run = await askForJson("/v1/run");
  place.append(
    make("h2", { say: "run" }),
    make("p.summary", { say: `summary.${model.task}` }),
    ...scores(run),
    ...curves(run),
    make("h3", { say: "data" }),
    pairs({ ...run.data, ...run.facts }),
    ...run.notes.map((note) => make("p.note", {}, note)),
    make("h3", { say: "network" }),
    pairs({ parameters: run.parameters, cell: run.settings.cell, layers: run.settings.num_layers, "units a layer": run.settings.hidden_size }),
    make("details", {}, make("summary", { say: "settings.all" }), pairs(run.settings)),
    make("p.note", { say: "limits" }),
  );
}

function pairs(facts) {
  const rows = Object.entries(facts).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return make("dl", {}, ...rows.flatMap(([name, value]) => [
    make("dt", { say: `fact.${name}` }),
    make("dd", {}, shown(value)),
  ]));
}

function scores(run) {
  const rows = Object.entries(run.scores);
  if (!rows.length) return [make("p.empty", { say: "scores.none" })];
  return [
    make("h3", { say: "scores" }),
    make("dl.scores", {}, ...rows.flatMap(([name, value]) => [make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, shown(value))])),
  ];
}

function curves(run) {
  const names = ["train_loss", "valid_loss"].filter((name) => run.curves[name]?.length > 1);
  if (!names.length) return [];
  const place = make("div.chart", { role: "img", label: "curves" });
  const content = () => ({
    lines: names.map((name) => ({
      name: say(`curve.${name}`),
      x: run.curves[name].map(([step]) => step),
      y: run.curves[name].map(([, value]) => value),
      mode: "lines",
      line: { color: colour(name === "train_loss" ? "--faint" : "--accent"), width: name === "train_loss" ? 1.5 : 2.5 },
    })),
    layout: { height: 220, xaxis: { title: { text: say("step") }, nticks: 5 }, yaxis: { rangemode: "normal" } },
  });
  whenSeen(place, async () => {
    try {
      whenLanguageChanges(await chart(place, content));
    } catch (problem) {
      report(problem);
    }
  });
  return [make("h3", { say: "curves" }), place];
}
