"""Take the pictures of docs/page.md: train two small models, serve them, and let a browser without a window look.

    python docs/page_pictures.py FOLDER     about five minutes; the folder keeps the models

It needs chromium and chromedriver in /usr/bin, and the data sets in ELMAN_DATA.
"""

import base64
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from PIL import Image
from selenium import webdriver

import elman
from elman.data.labelled.images import read_idx
from elman.interfaces.server.app import create_app
from elman.interfaces.server.limits import Limits

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
WIDE, PHONE = (1180, 900), (390, 844)


def spelling(folder: Path) -> Path:
    """A model that spells numbers out in seven languages."""
    run = folder / "spelling"
    if not run.exists():
        elman.train("translate", recipe=ROOT / "recipes" / "demo.toml", out=run)
    return run


def digits(folder: Path) -> Path:
    """A model that reads digits, of some of MNIST."""
    run, data = folder / "digits", folder / "mnist.npz"
    if not run.exists():
        source = Path(os.environ.get("ELMAN_DATA", "data")) / "mnist"
        images, labels = (read_idx(source / f"train-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
        np.savez(data, x=images[:12000].numpy(), y=labels[:12000].numpy().astype(np.int64))
        settings = {"hidden_size": 96, "num_layers": 2, "pooling": "concat", "batch_size": 64, "epochs": 3}
        elman.train("classify", train=data, out=run, learning_rate=0.003, schedule="cosine", **settings)
    return run


@contextmanager
def served(run: Path) -> Iterator[str]:
    """The address of a server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(elman.load(run), run.name, Limits(), None, run)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join()


class Camera:
    """A browser without a window."""

    def __init__(self) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for word in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars", "lang=en"):
            options.add_argument(f"--{word}")
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))

    def open(self, address: str, size: tuple[int, int], theme: str = "light", language: str = "en") -> None:
        """Go to the page, in a window of a size."""
        self.size = size
        self._window(*size)
        self.driver.get(address)
        choose = (
            "localStorage.setItem('elman.theme', arguments[0]); localStorage.setItem('elman.language', arguments[1])"
        )
        self.run(choose, theme, language)
        self.driver.get(address)
        self.wait("document.querySelector('#playground form')")

    def _window(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: str) -> None:
        """Until something holds in the page."""
        end = time.monotonic() + 60
        while not self.run(f"return Boolean({condition})"):
            if time.monotonic() > end:
                sys.exit(f"this did not come: {condition}")
            time.sleep(0.1)

    def ask(self, text: str | None = None) -> None:
        """Ask, and wait until the network can be seen."""
        if text is not None:
            self.driver.find_element("css selector", "#playground textarea").send_keys(text)
        self.driver.find_element("css selector", "button.main").click()
        self.wait("document.getElementById('inspector').dataset.drawn")
        if self.size == WIDE:
            self.wait("document.querySelector('#card .chart svg')")

    def take(self, name: str, height: int) -> None:
        """A picture of the page's top."""
        self._window(self.size[0], height)
        time.sleep(0.8)
        found = PICTURES / f"page-{name}.png"
        found.write_bytes(base64.b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", {})["data"]))
        Image.open(found).convert("RGB").save(found, optimize=True)
        print(f"{found.relative_to(ROOT)}: {found.stat().st_size / 1000:.0f} kB")


def draw_seven(camera: Camera) -> None:
    """A seven, by the pointer."""
    from selenium.webdriver import ActionChains

    canvas = camera.driver.find_element("css selector", "canvas.drawing")
    hand = ActionChains(camera.driver, duration=20).move_to_element_with_offset(canvas, -60, -85).click_and_hold()
    for step in [(20, 0)] * 6 + [(-7, 20)] * 9:
        hand.move_by_offset(*step)
    hand.release().perform()


def main(folder: Path) -> None:
    """Train what is missing, and take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = spelling(folder), digits(folder)
    camera = Camera()
    with served(runs[0]) as address:
        camera.open(address, WIDE)
        camera.ask("German: 7352")
        camera.run("document.querySelectorAll('.aligned .unit.live')[13].focus()")
        camera.take("translate", 1180)
        camera.open(address, WIDE, theme="dark")
        camera.ask("Spanish: 48210")
        camera.run("document.querySelectorAll('.more')[0].open = true")
        camera.wait("document.querySelector('.tokens.tinted')")
        camera.run("document.querySelectorAll('.more')[1].open = true")
        camera.wait("document.querySelector('.more .chart svg')")
        camera.run("document.getElementById('inspector').scrollIntoView()")
        camera.run("scrollBy(0, -70)")
        camera.take("inside", 1450)
    with served(runs[1]) as address:
        camera.open(address, WIDE)
        draw_seven(camera)
        camera.ask()
        camera.take("draw", 860)
        camera.open(address, PHONE, theme="dark", language="zh")
        draw_seven(camera)
        camera.ask()
        camera.take("phone", 1180)
    camera.driver.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/page"))
