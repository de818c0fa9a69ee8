"""The web edition as a reader meets it: every page, on a desk and on a phone, without a kernel."""

import base64
import functools
import http.server
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from helpers import activations, check, images, model
from helpers.widgets.browser import _page_network
from helpers.widgets.lab import Lab
from helpers.widgets.progress import TrainingProgress
from web import build

from . import pages
from .test_every_lab import SEEN
from .test_webkit import webkit  # noqa: F401

REPOSITORY = "https://github.com/someone/lessons"
PHONE = {"width": 360, "height": 740, "has_touch": True, "is_mobile": True}
PAGES = ["index.html", *(f"{path.stem}.html" for path in build.LESSONS)]
BROWSER = next(name for name in PAGES if name.startswith("05"))
# Controls, or what a thumb meets in their place, that are less than 40 pixels high.
SMALL = """() => [...document.querySelectorAll(
    "button, select, summary, nav a, .cnn-lab :is(input, a)")]
  .map((e) => e.matches("[type=radio], [type=checkbox], [type=file]") ? e.closest("label") : e)
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 39.9)
  .map((e) => `${e.outerHTML.slice(0, 90)} ${e.getBoundingClientRect().height}`)"""


class Site(NamedTuple):
    """The built site on a server, below a path."""

    url: str
    labs: dict[str, list[Lab]]
    asked: list[tuple[str, int]]
    """What has been asked for, and its bytes."""
    folder: Path


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Build the site once, and serve it from below a path."""
    root, asked = tmp_path_factory.mktemp("web"), []
    folder = root / "some" / "path"
    labs = build.build(folder, REPOSITORY)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            path = Path(self.translate_path(self.path))
            asked.append((self.path, path.stat().st_size if path.is_file() else 0))
            super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Handler, directory=root)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(f"http://127.0.0.1:{server.server_port}/some/path/", labs, asked, folder)
        server.shutdown()


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Open a page of the site: no request leaves the server, and no error is written."""
    opened, urls, said = [], [], []

    def open_it(name: str, **options: object) -> Page:
        opened.append(pages.new_page(browser, **options))
        page = opened[-1].__enter__()
        page.on("request", lambda request: urls.append(request.url))
        page.on("console", lambda message: message.type == "error" and said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(site.url + name)
        return page

    yield open_it
    for page in opened:
        page.__exit__(None, None, None)
    assert [url for url in urls if not url.startswith((site.url, "data:", "blob:"))] == []
    assert said == []


@pytest.fixture
def chromium(browser: Browser) -> None:
    """Skip in Firefox, where the last tests visit every page."""
    if browser.browser_type.name != "chromium":
        pytest.skip("Chromium shows it; Firefox visits every page in a test of its own.")


def living_labs(page: Page) -> list[Locator]:
    """Bring every lab of a page near the window; return those that live."""
    places = page.locator(".lab")
    for place in places.all():
        place.scroll_into_view_if_needed()
        place.locator(".cnn-lab").first.wait_for()
    page.wait_for_function(
        "!document.querySelector('.cnn-busy') && [...document.querySelectorAll('.lab canvas')]"
        ".every((c) => c.width !== 300 || !c.checkVisibility())"
    )
    return places.all()


def check_moves(lab: Locator, *, touch: bool = False) -> None:
    """Press a key in a lab's first control, or tap its first image or control: the lab follows."""
    before = lab.evaluate(SEEN)
    control = lab.locator("input:is([type=range], [type=text]):enabled >> visible=true")
    control = control.first if control.count() else lab.get_by_role("button", name="One step")
    if touch:
        image = lab.locator(".cnn-image-live >> visible=true")
        target = image.first if image.count() else control
        box = target.bounding_box()
        target.tap(position={"x": 0.7 * box["width"], "y": 0.4 * box["height"]})
    else:
        control.press("Enter" if control.text_content() else "ArrowUp")
    changed = f"([lab, before]) => JSON.stringify(({SEEN})(lab)) !== before"
    known = json.dumps(before, ensure_ascii=False, separators=(",", ":"))
    lab.page.wait_for_function(changed, arg=[lab.element_handle(), known])


# One token of each kind stays in the code: axe-core would measure the contrast of thousands.
UNFOLD = """() => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  const kinds = new Set();
  for (const token of document.querySelectorAll(".highlight span")) {
    if (kinds.has(token.className)) token.replaceWith(...token.childNodes);
    kinds.add(token.className);
  }
}"""


def check_accessible(page: Page) -> None:
    """Let axe-core look for violations of its rules, when nothing is folded any more."""
    page.evaluate(UNFOLD)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(v["id"], [node["html"][:200] for node in v["nodes"][:3]]) for v in found] == []


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_a_desk(visit: Callable, site: Site, name: str, tmp_path: Path) -> None:
    del site.asked[:]
    page = visit(name)
    shown = living_labs(page)
    assert sum(size for _, size in site.asked) < 3_000_000
    assert len(shown) == len(site.labs[name])
    pages.screenshot(page, f"web_{name}_desk")
    saved = page.context.new_page()  # test_every_lab.py shows that it is the notebook's lab
    for place, lab in zip(shown, site.labs[name], strict=True):
        drawn = place.locator(".cnn-lab").last.evaluate(SEEN)
        if not isinstance(lab, TrainingProgress):  # which stands at the first step of a run
            first = lab.stored_requests()[:4]
            lab.stored_requests = lambda first=first: first  # what stands there now
            saved.goto(lab.save_html(tmp_path / "lab.html").as_uri())
            saved.wait_for_timeout(150)
            wanted = saved.locator(".cnn-lab").evaluate(SEEN)
            assert drawn[1:] == wanted[1:] and set(wanted[0]) <= set(drawn[0])
        check_moves(place)
    check_accessible(page)


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_a_phone_in_the_dark(visit: Callable, name: str) -> None:
    page = visit(name, color_scheme="dark", **PHONE)
    for lab in living_labs(page):
        check_moves(lab, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(SMALL) == []
    pages.screenshot(page, f"web_{name}_phone")
    check_accessible(page)


@pytest.mark.usefixtures("chromium")
def test_the_first_lab_is_there_at_once(visit: Callable, site: Site) -> None:
    page = visit("index.html")
    session = page.context.new_cdp_session(page)
    speed = {"offline": False, "latency": 40, "downloadThroughput": 1.25e6, "uploadThroughput": -1}
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.emulateNetworkConditions", speed)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    times = []
    for _ in range(3):  # the quickest counts, for other tests may run beside this one
        del site.asked[:]
        begun = time.monotonic()
        page.reload(wait_until="commit")
        page.wait_for_function("document.querySelector('.cnn-sum')?.textContent")
        loaded = sum(size for _, size in site.asked)
        number = page.locator(".cnn-number").nth(4)
        number.press("ArrowUp")
        assert number.input_value() == "1"
        times.append(time.monotonic() - begun)
    print(f"\nfirst lab: {min(times):.1f} s, {loaded / 1e6:.2f} MB")
    assert min(times) < 3 and loaded < 1_500_000


@pytest.mark.usefixtures("chromium")
def test_a_recorded_run_stands_for_the_training(visit: Callable, site: Site) -> None:
    name, labs = next((n, labs) for n, labs in site.labs.items() if n.startswith("04"))
    page = visit(name)
    number = [isinstance(lab, TrainingProgress) for lab in labs].index(True)
    lab = living_labs(page)[number]
    lab.get_by_text(re.compile("epoch 1 of.*step 1 of")).wait_for()
    for press, shown in [("One step", "epoch 1 of.*step 2 of"), ("Play", "epoch 2 of")]:
        lab.get_by_role("button", name=press).click()
        lab.get_by_text(re.compile(shown)).wait_for()
    lab.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(100)
    paused = lab.evaluate(SEEN)
    page.wait_for_timeout(400)
    assert lab.evaluate(SEEN) == paused


COUNT = """() => {
  window.drawn = 0;
  const tile = document.querySelector(".cnn-browser-tile");
  new MutationObserver(() => { drawn++; }).observe(tile, { attributeFilter: ["title"] });
}"""


@pytest.mark.usefixtures("chromium")
def test_a_photo_and_the_camera_stay_in_the_page(
    visit: Callable, site: Site, tmp_path: Path
) -> None:
    photo, turn = tmp_path / "me.jpg", Image.Exif()
    turn[0x112] = 6
    Image.fromarray(images.sample("raccoon")).save(photo, exif=turn, quality=95)
    page = visit(BROWSER)
    [lab] = living_labs(page)
    assert "it is sent nowhere" in lab.text_content()
    del site.asked[:]
    page.set_input_files(".cnn-chooser input >> nth=0", photo)
    page.wait_for_function("document.querySelector('.lab .cnn-image-title').title.includes('your')")
    wanted = images.resize(photo)
    drawn = pages.canvas_pixels(lab.locator("canvas").first)[..., :3]
    assert np.abs(drawn.astype(int) - wanted).max() <= 2  # two decoders of JPEG
    network = model.load_trained()
    maps = activations.activations(network, drawn)
    own = activations.pack(maps)[1][0][: 148 * 148].reshape(148, 148)
    tile = pages.canvas_pixels(lab.locator(".cnn-browser-tile canvas").first)[..., :3]
    colors = matplotlib.colormaps["viridis"](np.arange(256), bytes=True)[:, :3].astype(int)
    assert np.abs(tile - colors[own]).max() <= 6  # a step of the colours
    ask = lab.get_by_role("button", name="What does the network say?")
    assert [name for name, size in site.asked if size > 200_000] == []
    ask.click()
    chance = network.predict(drawn[None], verbose=0).item()
    expected = f"says {'dog' if chance > 0.5 else 'cat'}, with a probability of "
    expected += f"{max(chance, 1 - chance):.1%}. It knows only two answers, cat and dog"
    page.wait_for_function("(text) => document.body.textContent.includes(text)", arg=expected)
    page.evaluate(COUNT)
    lab.get_by_role("button", name="Use the camera, live").click()
    page.wait_for_function("drawn > 5")
    before, begun = page.evaluate("drawn"), time.monotonic()
    page.wait_for_timeout(2000)
    rate = (page.evaluate("drawn") - before) / (time.monotonic() - begun)
    print(f"\ncamera: {rate:.0f} images a second")
    assert rate >= 10
    lab.get_by_role("button", name="Stop, and keep").click()
    lab.get_by_role("slider", name="Layer").press("End")
    page.wait_for_function("document.querySelectorAll('.cnn-browser-tile').length === 64")
    assert len(site.asked) <= 3  # the weights, twice, and the camera's module at most


RUN = """(photo) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const [network, weights, dense] = given;
  const halves = new Uint16Array(bytes(dense).buffer);
  const numbers = [new Float32Array(bytes(weights).buffer), module.fromHalf(halves)];
  const begun = performance.now();
  const { maps, chance } = module.forward(network, ...numbers, bytes(photo));
  const passed = performance.now() - begun;
  const text = (map) => btoa(String.fromCharCode(...new Uint8Array(map.buffer)));
  return [passed, chance, maps.map((layer) => layer.map(text))];
}"""


@pytest.mark.usefixtures("chromium")
def test_the_network_in_the_page_is_keras(page: Page) -> None:
    network, random, times, worst = model.load_trained(), np.random.default_rng(0), [], 0
    photos = [images.resize(images.sample(name)) for name in images.SAMPLES]
    photos += [*random.integers(0, 256, (2, 150, 150, 3), dtype=np.uint8)]
    description, *weights = _page_network(network)
    given = [description, *(base64.b64encode(part).decode() for part in weights)]
    pages.load_module(page, "network.js")
    page.evaluate("(all) => { window.given = all; }", given)
    for photo in photos:
        passed, chance, found = page.evaluate(RUN, base64.b64encode(photo).decode())
        times.append(passed)
        for own, maps in zip(found, activations.activations(network, photo).values(), strict=True):
            numbers = [np.frombuffer(base64.b64decode(one), np.float32) for one in own]
            own = np.stack(numbers, axis=-1).reshape(maps.shape)
            worst = max(worst, np.abs(own - maps).max() / np.ptp(maps))
        assert chance == pytest.approx(float(network(photo[None])[0, 0]), abs=1e-3)
    print(f"\nthe network: {min(times):.0f} ms for an image, off by {worst:.1e} of a layer's range")
    assert min(times) < 250 and worst < 1e-3


ASKED = r'check</span><span class="o">\.</span><span class="n">(\w+)'


def test_texts_links_and_exercises(site: Site) -> None:
    for name in PAGES:
        text = (site.folder / name).read_text(encoding="utf-8")
        for url in re.findall(r'(?:href|src|data-stored)="([^"#][^"]*)"', text):
            path = url.split("#")[0]
            local = not re.match("[a-z]+:", url)
            assert not local or (not url.startswith("/") and (site.folder / path).exists()), url
        assert "base64," not in text and "$$" not in text
        for image in re.findall("<img [^>]*>", text):
            assert re.search(r'alt="[^"]{10,}"', image), image
        if name != "index.html":
            assert f"{REPOSITORY}/blob/main/notebooks/{name[:-5]}.ipynb" in text
            assert "mybinder.org" in text and "colab.research.google.com" in text
            assert text.count("<summary>Solution</summary>") >= 2
            asked = set(re.findall(ASKED, text))
            hints = [check.EXERCISES[n].texts("Hint: ") for n in asked & set(check.EXERCISES)]
            assert text.count("<summary>Hint") == sum(map(len, hints)) > 0
    assert "<math" in (site.folder / PAGES[2]).read_text(encoding="utf-8")
    alone = build.Site(site.folder, None)
    assert (alone.links(Path("README.md")), alone.address("data/README.md")) == ({}, "")


def test_what_runs_for_a_lab_and_what_does_not() -> None:
    code = """
import numpy as np
a = 1
print(a)
b = [a]
b[0] = 2
np.random.seed(0)
np.show(b)
model = np.model(b)
model.load(a)
history = other.fit(b)
c = 3
"""
    statements = build.ast.parse(code).body
    with pytest.raises(ValueError, match="training"):
        build.needed(statements, {"history"})
    chosen = build.needed(statements, {"model"})
    assert [build.ast.unparse(statement) for statement in chosen] == [
        "import numpy as np", "a = 1", "b = [a]", "b[0] = 2", "np.random.seed(0)",
        "model = np.model(b)", "model.load(a)",
    ]  # fmt: skip


def test_every_page_in_firefox(browser: Browser, visit: Callable) -> None:
    if browser.browser_type.name != "firefox":
        pytest.skip("Chromium has tests of its own.")
    for name in PAGES:
        for lab in living_labs(visit(name)):
            check_moves(lab)


def test_a_page_in_webkit(webkit: Callable, site: Site) -> None:  # noqa: F811
    webkit("url", url=site.url + "index.html")
    script = "return document.querySelector('.cnn-sum')?.textContent"
    for _ in range(50):
        if shown := webkit("execute/sync", script=script, args=[]):
            break
        time.sleep(0.1)
    [number] = webkit("element", using="css selector", value=".cnn-number:nth-child(5)").values()
    webkit(f"element/{number}/click")
    press = [{"type": kind, "value": "\ue013"} for kind in ("keyDown", "keyUp")]
    webkit("actions", actions=[{"type": "key", "id": "keys", "actions": press}])
    assert webkit("execute/sync", script=script, args=[]) != shown
