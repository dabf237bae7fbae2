"""The page in a browser: playgrounds, the view into the network, errors, languages, themes, small windows."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import elman
from elman.interfaces.server.limits import Limits

pytest.importorskip("fastapi")
uvicorn = pytest.importorskip("uvicorn")
webdriver = pytest.importorskip("selenium.webdriver")
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()), reason="needs chromium and chromedriver in /usr/bin"
)

PATIENCE = 20.0
SIZES: dict[str, Any] = {"hidden_size": 6, "epochs": 1}


def write_sounds(folder: Path) -> Path:
    """Short tones."""
    soundfile = pytest.importorskip("soundfile")
    (folder / "sounds").mkdir()
    for number in range(8):
        wave = np.sin(np.arange(800) * (0.1 + number / 10))
        soundfile.write(folder / "sounds" / f"{number}.wav", wave, 8000)
    return folder / "sounds"


def write_images(folder: Path) -> Path:
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (24, 8, 8), dtype=np.uint8)
    np.savez(folder / "images.npz", x=images, y=np.array(["dark", "light"] * 12))
    return folder / "images.npz"


def write_videos(folder: Path) -> Path:
    random = np.random.default_rng(0)
    np.savez(folder / "videos.npz", x=random.integers(0, 255, (10, 12, 8, 8), dtype=np.uint8))
    return folder / "videos.npz"


def write_pairs(folder: Path) -> Path:
    (folder / "pairs.tsv").write_text("".join(f"one {n}\teins {n}\n" for n in "abcdefghij" * 3))
    return folder / "pairs.tsv"


def write_names(folder: Path) -> Path:
    sentences = "Anna B-PER\nsees O\nRome B-LOC\n. O\n\nBob B-PER\nsleeps O\n\n" * 12
    (folder / "names.conll").write_text(sentences)
    return folder / "names.conll"


def write_rhyme(folder: Path) -> Path:
    rhyme = "".join(f"{n} green bottles, hanging on the wall,\n" for n in range(99, 0, -1))
    (folder / "rhyme.txt").write_text(rhyme)
    return folder / "rhyme.txt"


Writer = Callable[[Path], Path]
KINDS: dict[str, tuple[str, Writer | None, dict[str, Any]]] = {
    "text": ("generate", write_rhyme, {"window": 8, "batch_size": 4}),
    "chords": ("generate", None, {"kind": "chords"}),
    "images": ("generate", write_images, {"kind": "images"}),
    "sound": ("generate", write_sounds, {"kind": "sound"}),
    "video": ("generate", write_videos, {"kind": "video", "given": 4, "ahead": 2}),
    "translation": ("translate", write_pairs, {}),
    "motifs": ("classify", None, {}),
    "digits": ("classify", write_images, {}),
    "names": ("tag", write_names, {}),
    "waves": ("tag", None, {"kind": "steps"}),
    "scenes": ("tag", None, {"kind": "scenes"}),
    "boxes": ("tag", None, {"kind": "boxes"}),
    "passengers": ("forecast", None, {}),
    "calls": ("transcribe", None, {}),
    "live calls": ("transcribe", None, {"bidirectional": False}),
}


@dataclass
class Served:
    """A server of its own for a run."""

    run: Path
    token: str | None = None
    server: Any = field(init=False)
    thread: threading.Thread = field(init=False)
    address: str = field(init=False)

    def __post_init__(self) -> None:
        from elman.interfaces.server.app import create_app

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        app = create_app(elman.load(self.run), self.run.name, Limits(), self.token, self.run)
        self.server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", ws="websockets-sansio")
        )
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        self.address = f"http://127.0.0.1:{port}/"
        until(lambda: self.server.started)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(PATIENCE)


def until(true: Callable[[], Any]) -> Any:
    """What becomes true in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come in time")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    """A server for each kind of model, trained when it is first wanted."""
    folder, known, others = tmp_path_factory.mktemp("runs"), {}, []

    def serve(kind: str, token: str | None = None, *, own: bool = False) -> Served:
        task, write, settings = KINDS[kind]
        run = folder / kind.replace(" ", "-")
        if not run.exists():
            data = tmp_path_factory.mktemp("data")
            given = {} if write is None else {"train": write(data)}
            given |= {"valid": given["train"]} if task == "translate" else {}
            elman.train(task, out=run, **given, **SIZES, **settings)
        if token or own:
            others.append(Served(run, token))
            return others[-1]
        if kind not in known:
            known[kind] = Served(run)
        return known[kind]

    yield serve
    for one in (*known.values(), *others):
        one.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--lang=en",
        "--mute-audio",
        "--window-size=1200,900",
    ):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


class Page:
    """What a person does with it."""

    def __init__(self, driver: Any) -> None:
        self.driver, self.troubled = driver, False
        """Are errors in the console expected?"""

    def open(self, server: Served) -> "Page":
        self.driver.get(server.address)
        until(lambda: self.all("#playground form") or self.all("dialog"))
        return self

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def one(self, selector: str) -> Any:
        return until(lambda: self.all(selector))[0]

    def click(self, words: str, within: str = "#playground") -> None:
        """Press what has these words on it."""
        (found, *_) = [one for one in self.all(f"{within} button, {within} summary") if one.text == words]
        found.click()

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def answered(self) -> None:
        """Wait for the end of an answer."""
        until(lambda: self.run("return document.querySelector('.answer').getAttribute('aria-busy')") == "false")
        problem = self.one("#problem")
        assert not problem.is_displayed(), problem.text

    def ask(self, text: str | None = None) -> None:
        if text is not None:
            self.one("#playground textarea").send_keys(text)
        self.one("button.main").click()
        self.answered()

    def inside(self) -> None:
        """Wait until the network can be seen."""
        until(lambda: self.run("return document.getElementById('inspector').dataset.drawn"))

    def choose(self, selector: str, value: str) -> None:
        change = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))"
        self.run(change, self.one(selector), value)

    def key(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()


@pytest.fixture
def page(chromium: Any) -> Iterator[Page]:
    """A fresh page; at its end nothing went wrong in the console, and nothing was asked of anyone but the server."""
    for kind in ("browser", "performance"):
        chromium.get_log(kind)
    found = Page(chromium)
    yield found
    chromium.execute_script("localStorage.clear(); sessionStorage.clear()")
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    errors = [line["message"] for line in chromium.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]
    assert found.troubled or not errors
    events = [json.loads(line["message"])["message"] for line in chromium.get_log("performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert not {url for url in asked if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))}


def test_text_is_written_while_one_watches_and_can_be_looked_into(served: Any, page: Page) -> None:
    page.open(served("text"))
    assert "nats per character" in page.one("#card").text
    page.one("#playground textarea").send_keys("9 green")
    page.click("Settings")
    page.one("#playground input[type=number]").clear()
    page.ask()
    written = page.one(".written").text
    assert written.startswith("9 green")
    assert len(written) > 50
    page.inside()
    words = page.one(".map").get_attribute("aria-valuetext")
    assert words.startswith(f"step {len('9 green') + 200} of {len('9 green') + 200}")
    page.run("document.querySelector('#card .chart').scrollIntoView()")
    until(lambda: page.all("#card .chart svg"))


def test_the_view_follows_keys_and_the_pointer(served: Any, page: Page) -> None:
    page.open(served("motifs"))
    page.ask("TATA GG")
    page.inside()
    slider = page.one(".map")
    page.run("arguments[0].focus()", slider)
    page.key("\ue011")  # Home
    assert slider.get_attribute("aria-valuenow") == "1"
    page.key("\ue014", "\ue015")  # right, down
    assert slider.get_attribute("aria-valuenow") == "2"
    assert page.one(".about").text.startswith("step 2 of 4")
    move = "const b = arguments[0].getBoundingClientRect(); arguments[0].dispatchEvent(new PointerEvent('pointermove', "
    page.run(move + "{clientX: b.right - 2, clientY: b.top + 2, bubbles: true}))", slider)
    until(lambda: slider.get_attribute("aria-valuenow") == "4")
    chosen = page.one(".tokens .chosen")
    assert chosen.text == "GG"
    page.run(move + "{bubbles: true}))", page.all(".tokens span")[0])
    until(lambda: slider.get_attribute("aria-valuenow") == "1")
    names = [one.text for one in page.all(".moment tbody th")]
    assert names == ["input gate", "forget gate", "candidate", "output gate", "hidden state", "cell state"]
    assert all(float(one.text) is not None for one in page.all(".moment tbody td.number"))
    page.choose("#inspector .controls .field:nth-child(3) select", "all")
    assert page.run("return document.querySelector('canvas.heat').height") == SIZES["hidden_size"]


def test_what_takes_longer_is_there_when_it_is_opened(served: Any, page: Page) -> None:
    page.open(served("motifs"))
    page.ask("TATA GG TATA")
    page.inside()
    for words in ("Which steps mattered", "How far gradients reach back", "Gates that are stuck"):
        page.click(words, "#inspector")
    until(lambda: page.all(".tokens.tinted"))
    until(lambda: page.all("#inspector .chart svg"))
    assert len(page.all("#inspector td.share")) >= 6
    page.click("Units that follow something", "#inspector")
    page.click("Find", "#inspector")
    until(lambda: len(page.all("#inspector form + table tbody tr")) == 10)
    page.click("Show", "#inspector")
    assert page.run("return document.activeElement.className") == "map"


def test_what_comes_late_changes_nothing(served: Any, page: Page) -> None:
    page.open(served("motifs"))
    page.run(
        "const known = fetch; globalThis.fetch = (path, ...rest) => {"
        "  if (path !== '/v1/inspect') return known(path, ...rest);"
        "  globalThis.fetch = known;"
        "  return new Promise((_, reject) => { globalThis.fail = () => reject(new Error('late')); });"
        "};"
    )
    page.ask("TATA GG")
    page.ask(" TATA")
    page.inside()
    page.run("globalThis.fail()")
    time.sleep(0.2)
    assert page.one(".map").is_displayed()
    assert page.one(".map").get_attribute("aria-valuemax") == "7"  # "TATA GG TATA", of which the first says 4


def test_a_property_that_nobody_knows_is_said(served: Any, page: Page) -> None:
    page.troubled = True  # the browser itself notes refused requests
    page.open(served("motifs"))
    page.ask("TATA GG")
    page.inside()
    page.click("Units that follow something", "#inspector")
    page.choose("#inspector form select", "since")
    page.one("#inspector form input").clear()
    page.click("Find", "#inspector")
    until(lambda: "there is no property" in page.one("#problem").text)


def test_chords_go_on(served: Any, page: Page) -> None:
    page.open(served("chords"))
    page.click("Example")
    page.ask()
    page.inside()
    assert page.one("canvas.roll").is_displayed()
    assert page.one(".map").get_attribute("aria-valuemax") == "68"


def test_images_are_drawn_and_completed(served: Any, page: Page) -> None:
    page.open(served("images"))
    page.ask()
    assert len(page.all(".gallery canvas")) == 16
    page.run("arguments[0].focus()", page.one("canvas.drawing"))
    page.key(" ")
    page.ask()
    assert len(page.all(".gallery canvas")) == 2


def test_sound_is_made_to_be_heard(served: Any, page: Page) -> None:
    page.open(served("sound"))
    page.run("document.querySelector('.settings').open = true")
    page.one(".settings input[step='1'][min='0']").send_keys("300")
    page.ask()
    assert page.run("return document.querySelector('.answer audio').src").startswith("blob:")
    page.inside()


@pytest.mark.filterwarnings("ignore::elman.engine.FallbackWarning")  # convolutions over time are not fused
def test_videos_go_on(served: Any, page: Page) -> None:
    page.open(served("video"))
    page.click("Example")
    page.ask()
    assert len(page.all(".answer .strip canvas")) == 2
    page.inside()


def test_translations_show_what_they_looked_at(served: Any, page: Page) -> None:
    page.open(served("translation"))
    page.ask("one a")
    page.inside()
    units = page.all(".aligned .unit.live")
    assert units
    page.run("arguments[0].focus()", units[0])
    page.key("\ue014")
    weights = page.run(
        "return [...document.querySelectorAll('.aligned .units:first-child .unit')]"
        ".map((one) => Number(one.style.getPropertyValue('--weight')))"
    )
    assert sum(weights) == pytest.approx(1, abs=0.02)
    assert page.one(".attention .unit").is_displayed()


def test_probabilities_are_bars(served: Any, page: Page) -> None:
    page.open(served("motifs"))
    page.ask("TATA GG")
    shares = [float(one.text.removesuffix(" %")) for one in page.all(".bars .share")]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    assert shares == sorted(shares, reverse=True)


def test_a_drawing_becomes_an_array(served: Any, page: Page) -> None:
    from selenium.webdriver import ActionChains

    page.open(served("digits"))
    canvas = page.one("canvas.drawing")
    ActionChains(page.driver).move_to_element(canvas).click_and_hold().move_by_offset(40, 40).release().perform()
    page.ask()
    assert len(page.all(".bars li")) == 2
    page.inside()
    assert page.one(".map").get_attribute("aria-valuemax") == "8"


def test_names_are_marked(served: Any, page: Page) -> None:
    page.open(served("names"))
    page.ask("Anna sees Rome .")
    assert page.one(".tagged, .answer .empty").is_displayed()
    page.inside()


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("waves", ".track i"), ("boxes", ".answer .strip canvas"), ("scenes", ".answer .strip canvas")],
)
def test_steps_frames_and_pixels_are_tagged(kind: str, shown: str, served: Any, page: Page) -> None:
    page.open(served(kind))
    if kind != "scenes":
        page.click("Example")
    page.ask()
    assert len(page.all(shown)) >= 2


def test_forecasts_are_fans(served: Any, page: Page) -> None:
    page.open(served("passengers"))
    page.ask()
    until(lambda: page.all(".answer .chart svg"))
    page.click("As a table")
    assert len(page.all(".answer tbody tr")) == 12
    page.click("The last known steps")
    page.ask()
    page.inside()


def test_recordings_are_written_down(served: Any, page: Page) -> None:
    page.open(served("calls"))
    page.click("Example: three tones")
    page.ask()
    assert page.one(".words").text
    page.inside()


SERVER_SOCKET = """
globalThis.sent = [];
globalThis.WebSocket = class extends EventTarget {
  static OPEN = 1;
  constructor(address, protocols) {
    super();
    [this.readyState, this.protocols] = [1, protocols];
    setTimeout(() => this.dispatchEvent(new Event("open")));
  }
  say(message) { this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) })); }
  send(data) {
    globalThis.sent.push(typeof data === "string" ? JSON.parse(data).type : data.byteLength);
    const word = { text: "five", start: 0, end: 0.2, confidence: 0.9 };
    const kind = globalThis.sent.at(-1);
    if (kind === "start") this.say({ type: "started", session: "1", takes: "sound", rate: 8000 });
    else if (kind === "finish") this.say({ type: "final", text: "five six", words: [word, { ...word, text: "six" }] });
    else this.say({ type: "partial", heard: 1600, words: globalThis.sent.length === 2 ? [word] : [], text: "si" });
  }
  close() {}
};
"""


def test_a_live_model_hears_while_it_comes(served: Any, page: Page) -> None:
    page.open(served("live calls"))
    page.run(SERVER_SOCKET)
    page.click("Example: three tones")
    page.ask()
    assert page.one(".words").text.split() == ["five", "six"]
    assert page.run("return globalThis.sent") == ["start", *[3200] * 5, "finish"]


def test_a_live_model_answers_over_a_socket(served: Any, page: Page) -> None:
    page.open(served("live calls"))
    page.click("Example: three tones")
    page.ask()
    until(lambda: page.one(".words").text)
    page.run("globalThis.seen = performance.getEntriesByType('resource').map((one) => one.name)")
    assert not page.run("return seen.some((one) => one.endsWith('/v1/predict'))")  # the session said it
    page.inside()


QUIET_SOCKET = SERVER_SOCKET.replace("close() {}", "close() { globalThis.sent.push('close'); }").replace(
    'kind === "finish"', 'kind === "never"'
)


def test_a_live_model_can_be_stopped(served: Any, page: Page) -> None:
    page.open(served("live calls"))
    page.run(QUIET_SOCKET)
    page.click("Example: three tones")
    page.one("button.main").click()
    until(lambda: "finish" in page.run("return globalThis.sent"))
    page.click("Stop")
    page.answered()
    assert "close" in page.run("return globalThis.sent")


def test_speaking_leaves_nothing_open(served: Any, page: Page) -> None:
    page.open(served("live calls"))
    page.run(QUIET_SOCKET)
    page.run("navigator.mediaDevices.getUserMedia = async () => { throw new Error('no'); }")
    page.run("const one = document.querySelector('.answer button'); one.click(); one.click()")
    until(lambda: "was not allowed" in page.one("#problem").text)
    assert page.run("return globalThis.sent") == ["start", "close"]
    page.run(
        "globalThis.sent = []; globalThis.tracks = new AudioContext().createMediaStreamDestination().stream;"
        "navigator.mediaDevices.getUserMedia = async () => tracks;"
        "const Socket = WebSocket;"
        "globalThis.WebSocket = class extends Socket {"
        "  constructor(...all) { super(...all); globalThis.open = this; }"
        "};"
    )
    page.click("Speak, and see it written")
    until(lambda: page.one(".answer button").text == "Stop")
    page.run("globalThis.open.readyState = 3; globalThis.open.dispatchEvent(new Event('close'))")
    until(lambda: "ended early" in page.one("#problem").text)
    assert page.one(".answer button").text == "Speak, and see it written"
    assert page.run("return tracks.getTracks().every((one) => one.readyState === 'ended')")
    assert "close" in page.run("return globalThis.sent")


def test_errors_are_said(served: Any, page: Page) -> None:
    page.troubled = True
    page.open(served("text"))
    page.one("#playground textarea").send_keys("ж")
    page.one("button.main").click()
    until(lambda: "'ж'" in page.one("#problem").text)
    assert page.one("#problem").get_attribute("role") == "alert"
    page.one("#problem button").click()
    assert not page.one("#problem").is_displayed()


def test_a_server_that_is_gone_is_said(served: Any, page: Page) -> None:
    page.troubled = True
    server = served("text", own=True)
    page.open(server)
    server.stop()
    page.one("#playground textarea").send_keys("9")
    page.one("button.main").click()
    until(lambda: "The server does not answer" in page.one("#problem").text)


def test_a_token_is_asked_for(served: Any, page: Page) -> None:
    page.troubled = True
    page.open(served("motifs", "secret"))
    for token in ("wrong", "secret"):
        page.one("dialog input").send_keys(token)
        page.one("dialog button").click()
        until(lambda token=token: (token == "wrong" and page.all("dialog input")) or page.all("#playground form"))
    page.ask("TATA GG")
    assert page.all(".bars li")


def test_the_question_for_a_token_stays(served: Any, page: Page) -> None:
    page.troubled = True
    page.open(served("motifs", "secret"))
    for _ in range(4):
        page.key("\ue00c")  # Esc
        until(lambda: page.all("dialog:modal"))
    page.run("document.querySelector('dialog').close()")
    until(lambda: page.all("dialog:modal"))
    page.one("dialog input").send_keys("secret")
    page.one("dialog button").click()
    until(lambda: page.all("#playground form"))
    assert not page.all("dialog")


def test_a_token_may_have_any_letters(served: Any, page: Page) -> None:
    page.troubled = True
    page.open(served("motifs", "schlüssel-ж"))
    for token in ("ключ", "schlüssel-ж"):
        page.one("dialog input").send_keys(token)
        page.one("dialog button").click()
        until(lambda token=token: (token == "ключ" and page.all("dialog input")) or page.all("#playground form"))
    page.ask("TATA GG")
    page.run("sessionStorage.setItem('elman.token', 'a\\0b')")  # what no header can carry
    page.driver.refresh()
    until(lambda: page.all("dialog input"))
    assert not page.one("#problem").is_displayed()


def test_it_speaks_two_languages_and_remembers(served: Any, page: Page) -> None:
    page.open(served("text"))
    assert page.one("#playground h2").text == "Let it write"
    page.one("#language").click()
    assert page.one("#playground h2").text == "让它写"
    page.driver.refresh()
    until(lambda: page.all("#playground form"))
    assert page.one("#playground h2").text == "让它写"
    assert page.run("return document.documentElement.lang") == "zh"
    assert page.one("button.main").text == "续写"


def test_it_is_light_or_dark(served: Any, page: Page) -> None:
    page.open(served("text"))

    def background() -> str:
        return page.run("return getComputedStyle(document.body).backgroundColor")

    def prefer(scheme: str) -> None:
        features = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", features)

    prefer("light")
    light = background()
    prefer("dark")
    dark = background()
    assert light != dark
    page.one("#theme").click()  # light, whatever the system prefers
    assert background() == light
    prefer("light")
    page.one("#theme").click()
    assert background() == dark
    page.driver.refresh()
    assert background() == dark


@pytest.mark.parametrize("kind", ["text", "digits", "passengers"])
def test_it_fits_a_phone(kind: str, served: Any, page: Page) -> None:
    small = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", small)
    page.open(served(kind))
    page.ask("9 green" if kind == "text" else None)
    page.inside()
    assert page.run("return document.documentElement.scrollWidth") <= 360


def test_keys_alone_are_enough(served: Any, page: Page) -> None:
    page.open(served("motifs"))
    page.key("\ue004")
    assert page.run("return document.activeElement.className") == "skip"
    page.one("#playground textarea").send_keys("TATA GG\ue009\ue007")  # control and enter
    until(lambda: page.all(".bars li"))
    page.inside()
    seen = set()
    for _ in range(20):
        page.key("\ue004")
        seen.add(page.run("const one = document.activeElement; return one.className || one.tagName"))
    assert {"map", "SELECT", "SUMMARY"} <= seen
    names = "return [...document.querySelectorAll('input, select, textarea, button, [role=slider]')].filter((one) => "
    unnamed = page.run(
        names + "one.checkVisibility() && !one.labels?.length && !one.ariaLabel && !one.textContent.trim()).length"
    )
    assert unnamed == 0
