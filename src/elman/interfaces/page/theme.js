// Light or dark: what the system prefers, unless a person has chosen.
import { tell } from "/page/strings.js";

const ORDER = ["auto", "light", "dark"];
const SIGNS = { auto: "◐", light: "☀", dark: "☾" };
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

export const dark = () => (root.dataset.theme === "auto" ? system.matches : root.dataset.theme === "dark");

/** A value of the style sheet, such as --text. */
export const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

/** Call a function whenever colours change. */
export function whenColoursChange(change) {
  system.addEventListener("change", change);
  root.addEventListener("theme", change);
}

/** Let a button go round: as the system, light, dark. */
export function switchTheme(button) {
  const show = () => {
    button.textContent = SIGNS[root.dataset.theme];
    tell(button, { label: `theme.${root.dataset.theme}`, title: `theme.${root.dataset.theme}` });
  };
  button.addEventListener("click", () => {
    root.dataset.theme = ORDER[(ORDER.indexOf(root.dataset.theme) + 1) % ORDER.length];
    localStorage.setItem("elman.theme", root.dataset.theme);
    show();
    root.dispatchEvent(new Event("theme"));
  });
  show();
}
