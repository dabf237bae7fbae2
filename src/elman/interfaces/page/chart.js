// Charts, by a library that is loaded when the first one is to be seen.
import { Problem } from "/page/problems.js";
import { colour, whenColoursChange } from "/page/theme.js";

let library = null;

function loaded() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/page/plotly.min.js";
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => reject(new Problem(null, "charts.missing"));
    document.head.append(script);
  });
  return library;
}

/**
 * A chart that follows the theme and the width of its place.
 *
 * @param {HTMLElement} place Where it goes.
 * @param {() => {lines: object[], layout: object}} content Makes it, in the colours of now.
 */
export async function chart(place, content) {
  const Plotly = await loaded();
  const draw = () => {
    const { lines, layout } = content();
    const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line"), automargin: true };
    return Plotly.react(
      place,
      lines,
      {
        paper_bgcolor: "transparent",
        plot_bgcolor: "transparent",
        font: { color: colour("--soft"), family: getComputedStyle(document.body).fontFamily, size: 12 },
        margin: { l: 8, r: 8, t: 8, b: 8 },
        legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
        hovermode: "x unified",
        hoverlabel: { bgcolor: colour("--raised"), bordercolor: colour("--line"), font: { color: colour("--text") } },
        ...layout,
        xaxis: { ...axis, ...layout.xaxis },
        yaxis: { ...axis, ...layout.yaxis },
      },
      { displayModeBar: false, responsive: true },
    );
  };
  await draw();
  whenColoursChange(draw);
  return draw;
}

/** Call a function once an element is to be seen and nothing else is to be done. */
export function whenSeen(element, action) {
  const watch = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    (globalThis.requestIdleCallback ?? setTimeout)(action);
  });
  watch.observe(element);
}
