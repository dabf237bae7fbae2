// What was read, step by step; the chosen step stands out.
import { make } from "/page/elements.js";

/** `{element, choose(step), tint(shares)}`; `point` is told the step that is pointed at. */
export function strip(steps, point) {
  const moments = steps.every((step) => /^[\d.]+( s)?$/.test(step)); // say nothing that the map does not
  const joined = steps.every((step) => step.length <= 1) || steps.some((step) => step !== step.trim());
  const spans = steps.map((step, number) => {
    const span = make("span", {}, seen(step));
    span.step = number;
    return span;
  });
  const element = make(joined ? "p.tokens" : "p.tokens.apart", { "aria-hidden": "true", hidden: moments && steps.length > 1 }, ...spans);
  element.addEventListener("pointermove", (event) => event.target.step !== undefined && point(event.target.step));
  let last = null;
  const choose = (step) => {
    last?.classList.remove("chosen");
    last = spans[step];
    last.classList.add("chosen");
    const [top, bottom] = [last.offsetTop, last.offsetTop + last.offsetHeight];
    if (top < element.scrollTop || bottom > element.scrollTop + element.clientHeight) element.scrollTop = top - element.clientHeight / 2;
  };
  const tint = (shares) => {
    const most = Math.max(...shares.map(Math.abs)) || 1;
    shares.forEach((share, step) => {
      spans[step].style.setProperty("--share", Math.abs(share / most).toFixed(3));
      spans[step].classList.toggle("against", share < 0);
    });
    element.classList.add("tinted");
  };
  return { element, choose, tint };
}

const seen = (step) => (step === "\n" ? "⏎\n" : step === "" ? "·" : step);
