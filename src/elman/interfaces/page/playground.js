// Something to try: an input of the model's kind, and its answer as people read it.
import { answerFor } from "/page/answers/answers.js";
import { make } from "/page/elements.js";
import { inputFor } from "/page/inputs/inputs.js";
import { settle, tried } from "/page/problems.js";
import { settings } from "/page/settings.js";
import { known, tell } from "/page/strings.js";

/**
 * @param {object} model As the server describes it.
 * @param {HTMLElement} place Where it goes.
 * @param {(given: any) => void} look Is told what was read, once there is an answer, unless it was nothing.
 */
export function playground(model, place, look) {
  const input = inputFor(model);
  const answer = answerFor(model);
  const chosen = settings(model.settings, answer.sets);
  const go = make("button.main", { type: "submit", say: answer.verb ?? "ask" });
  const stop = make("button", { type: "button", say: "stop", hidden: true });
  const busy = make("span.busy", { role: "status" });
  const form = make("form", { novalidate: true }, input.element, chosen.element, make("div.buttons", {}, go, stop, busy));
  const shown = make("div.answer", { "aria-live": "polite", "aria-busy": "false" }, answer.element);
  const title = known(`try.${model.kind}`) ? `try.${model.kind}` : `try.${model.task}`;
  place.append(make("h2", { say: title }), form, shown);

  let running = null;
  const set = (on) => {
    go.disabled = on;
    stop.hidden = !on;
    shown.setAttribute("aria-busy", String(on));
    if (on) tell(busy, { say: "busy" });
    else tell(busy, { say: "nothing" });
  };
  const submit = async (event) => {
    event?.preventDefault();
    if (running) return;
    running = new AbortController();
    settle();
    set(true);
    const given = await tried(async () => answer.show(await input.value(), chosen.values(), running.signal, input));
    running = null;
    set(false);
    if (given !== undefined) look(given);
  };
  form.addEventListener("submit", submit);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  });
  stop.addEventListener("click", () => running?.abort());
  input.whenReady?.(submit);
}
