// Says it when the server is gone, and when it is back.
import { Problem, report, reported, settle } from "/page/problems.js";

const PAUSE = 10000;

/** Ask from time to time whether the server runs, while somebody looks. */
export function listenForServer() {
  setInterval(async () => {
    if (document.hidden) return;
    const there = await fetch("/healthz").then((response) => response.ok, () => false);
    if (!there && !reported("gone")) report(new Problem(null, "gone"));
    if (there && reported("gone")) settle();
  }, PAUSE);
}
