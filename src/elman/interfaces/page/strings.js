// What the page says, in the language that was chosen.
import { english } from "/page/strings/english.js";
import { chinese } from "/page/strings/chinese.js";

const LANGUAGES = { en: english, zh: chinese };
const root = document.documentElement;
const told = new WeakMap();
const WAYS = {
  say: (element, text) => { element.textContent = text; },
  label: (element, text) => element.setAttribute("aria-label", text),
  title: (element, text) => element.setAttribute("title", text),
  hint: (element, text) => element.setAttribute("placeholder", text),
};

/** A string by its name, {values} filled in. */
export function say(name, values = {}) {
  const text = LANGUAGES[root.lang]?.[name] ?? english[name] ?? name.slice(name.indexOf(".") + 1).replaceAll("_", " ");
  return text.replace(/\{(\w+)\}/g, (whole, word) => values[word] ?? whole);
}

export const known = (name) => name in LANGUAGES[root.lang];

/** A number as people write it. */
export function shown(number, digits = 4) {
  if (typeof number !== "number") return String(number);
  return new Intl.NumberFormat(root.lang, { maximumSignificantDigits: Number.isInteger(number) ? 21 : digits }).format(number + 0);
}

/** Let an element say a string, now and in the language that is chosen later. */
export function tell(element, names, values = {}) {
  told.set(element, { ...told.get(element), ...Object.fromEntries(Object.keys(names).map((way) => [way, [names[way], values]])) });
  element.dataset.told = "";
  for (const way in names) WAYS[way](element, say(names[way], values));
}

function again() {
  for (const element of document.querySelectorAll("[data-told]")) {
    for (const [way, [name, values]] of Object.entries(told.get(element) ?? {})) WAYS[way](element, say(name, values));
  }
}

/** Let a button switch to the other language. */
export function switchLanguage(button) {
  for (const element of document.querySelectorAll("[data-say]")) tell(element, { say: element.dataset.say });
  const show = () => {
    button.textContent = root.lang === "zh" ? "English" : "中文";
    button.lang = root.lang === "zh" ? "en" : "zh";
  };
  button.addEventListener("click", () => {
    root.lang = root.lang === "zh" ? "en" : "zh";
    localStorage.setItem("elman.language", root.lang);
    show();
    again();
    root.dispatchEvent(new Event("language"));
  });
  show();
}

/** Call a function whenever the language changes. */
export const whenLanguageChanges = (change) => root.addEventListener("language", change);
