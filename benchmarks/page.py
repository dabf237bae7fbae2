"""How fast the page shows what goes on inside a large network, and follows the pointer: python benchmarks/page.py

A language model of 512 units reads a thousand characters; Chromium has no window; server and browser share a machine.

    page_paint_ms     from asking for the page until its first words are painted
    first_paint_ms    from asking for gates and states until the heat map is painted, the median of pages
    pointing_ms       from a movement of the pointer until everything that follows it is painted, 95 of 100 times
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from results import ROOT, write_result

import elman

sys.path.insert(0, str(ROOT / "docs"))
from page_pictures import Camera, served

STEPS, UNITS = 1000, 512
PAGES, MOVES = 5, 200

WATCH = """
globalThis.delays = [];
const after = (then) => requestAnimationFrame(() => {
  const next = new MessageChannel();
  next.port1.onmessage = then;
  next.port2.postMessage(0);
});
const place = document.getElementById("inspector");
new MutationObserver(() => after(() => { globalThis.painted = performance.now(); }))
  .observe(place, { attributeFilter: ["data-drawn"] });
addEventListener("pointermove", (event) => after(() => delays.push(performance.now() - event.timeStamp)), true);
"""


def large_model(folder: Path) -> Path:
    """A model of this size; it need not be a good one."""
    (folder / "rhyme.txt").write_text("".join(f"{n} green bottles, hanging on the wall,\n" for n in range(99, 0, -1)))
    settings = {"hidden_size": UNITS, "epochs": 1, "train": folder / "rhyme.txt"}
    elman.train("generate", out=folder / "large", **settings)
    return folder / "large"


def measure_page(camera: Camera, address: str, text: str) -> dict[str, Any]:
    """One visit."""
    camera.open(address, (1280, 900))
    paint = camera.run("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN")
    camera.run(WATCH)
    fill = "document.querySelector('#playground textarea').value = arguments[0]; "
    no_more = "document.querySelector('.settings input[step=\"1\"][min=\"0\"]').value = '0'"
    camera.run(fill + no_more, text)
    camera.driver.find_element("css selector", "button.main").click()
    camera.wait("globalThis.painted")
    began = camera.run(
        "return performance.getEntriesByType('resource').find((one) => one.name.endsWith('inspect')).startTime"
    )
    steps = camera.run("return Number(document.querySelector('.map').getAttribute('aria-valuemax'))")
    return {"page_paint_ms": paint, "first_paint_ms": camera.run("return globalThis.painted") - began, "steps": steps}


def measure_pointing(camera: Camera) -> list[float]:
    """Delays of movements over all units."""
    change = "arguments[0].value = 'all'; arguments[0].dispatchEvent(new Event('change'))"
    camera.run(change, camera.driver.find_element("css selector", ".controls .field:nth-child(3) select"))
    camera.run("document.querySelector('.map').scrollIntoView({ block: 'center' })")
    edges = "const { x, y, width, height } = document.querySelector('.map').getBoundingClientRect(); "
    box = camera.run(edges + "return [x, y, width, height]")
    for move in range(MOVES):
        place = {
            "x": box[0] + box[2] * ((move * 37) % MOVES) / MOVES,
            "y": box[1] + box[3] * ((move * 53) % MOVES) / MOVES,
        }
        camera.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", **place})
        time.sleep(0.02)
    return camera.run("return globalThis.delays")


def main() -> None:
    """Measure, and write the result."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = large_model(Path(folder))
        text = (Path(folder) / "rhyme.txt").read_text()[:STEPS]
        camera = Camera()
        with served(run) as address:
            measure_page(camera, address, text)  # compiles what the model needs
            rows = [measure_page(camera, address, text) for _ in range(PAGES)]
            delays = measure_pointing(camera)
        camera.driver.quit()
    metrics = {name: round(median(row[name] for row in rows), 1) for name in ("page_paint_ms", "first_paint_ms")}
    metrics["pointing_ms"] = round(quantiles(delays, n=20)[-1], 1)
    rows += [{"movements": len(delays), "median_ms": median(delays), "slowest_ms": max(delays)}]
    note = f"{STEPS:,} steps, {UNITS} units, all of them shown; Chromium without a window and without a graphics card"
    write_result("page", metrics, time.perf_counter() - start, rows, note)


if __name__ == "__main__":
    main()
