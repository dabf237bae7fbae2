// Puts the page together.
import { askForJson } from "/page/api.js";
import { card } from "/page/card.js";
import { listenForServer } from "/page/heartbeat.js";
import { inspector } from "/page/inspector/inspector.js";
import { playground } from "/page/playground.js";
import { tried } from "/page/problems.js";
import { switchLanguage, tell } from "/page/strings.js";
import { switchTheme } from "/page/theme.js";

switchLanguage(document.getElementById("language"));
switchTheme(document.getElementById("theme"));
listenForServer();

await tried(async () => {
  const model = (await askForJson("/v1/models")).models[0];
  document.title = `${model.name} · Elman`;
  document.getElementById("name").textContent = model.name;
  tell(document.getElementById("task"), { say: `task.${model.task}` });
  const inside = model.looked_into ? inspector(model, document.getElementById("inspector")) : null;
  playground(model, document.getElementById("playground"), (given) => inside?.look(given));
  await card(model, document.getElementById("card"));
});
