// Asks a person for the server's token; it is kept as long as the tab is open.
import { labelled, make } from "/page/elements.js";

let asking = null;

/** The token; those who ask at the same time get the same. */
export function askForToken(wrong) {
  asking ??= asked(wrong).finally(() => { asking = null; });
  return asking;
}

function asked(wrong) {
  return new Promise((resolve) => {
    const field = make("input", { type: "password", autocomplete: "off", required: true });
    const form = make(
      "form",
      {},
      make("h2", { say: "token.title" }),
      make("p", { say: wrong ? "token.wrong" : "token.why" }),
      labelled({ say: "token" }, field),
      make("button.main", { type: "submit", say: "token.enter" }),
    );
    const box = make("dialog", { label: "token.title" }, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      box.remove();
      resolve(field.value);
    });
    const show = () => {
      if (!box.isConnected) return;
      box.showModal();
      field.focus();
    };
    box.addEventListener("cancel", (event) => event.preventDefault());
    box.addEventListener("close", show); // a second Esc closes it all the same
    document.body.append(box);
    show();
  });
}
