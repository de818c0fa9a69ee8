"""A Jupyter server and browsers for the tests: everything in a temporary folder, on loopback."""

import ast
import base64
import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
import numpy as np
import pytest
from playwright.sync_api import Browser, Error, Locator, Page, Playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
FLAGS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a camera
NO_CHROMIUM = (
    "No Chromium was found: run `python -m playwright install chromium`, "
    "or set the environment variable CHROMIUM to the path of one."
)
NO_FIREFOX = "Firefox was not found, or Playwright cannot drive it: install Debian's firefox-esr."
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    # The state of the widgets is saved with a notebook, so that a test can look into it.
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}


class Server(NamedTuple):
    """A running Jupyter server."""

    url: str
    token: str
    root: Path


def launch(playwright: Playwright, name: str = "chromium") -> Browser:
    """Start a browser; without one skip the test by name. In CI a missing Chromium is an error."""
    if name == "firefox":
        with contextlib.suppress(Error):
            if path := shutil.which("firefox-esr"):
                return playwright.firefox.launch(channel="moz-firefox", executable_path=path)
        pytest.skip(NO_FIREFOX)
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    try:
        return playwright.chromium.launch(executable_path=path, args=FLAGS)
    except Error as error:
        if path is None and not os.environ.get("CI"):
            pytest.skip(NO_CHROMIUM)
        raise RuntimeError(f"{NO_CHROMIUM} ({path or 'none installed'})") from error


@contextlib.contextmanager
def new_page(browser: Browser, **options: object) -> Iterator[Page]:
    """Open a page of its own; an error in one of our scripts fails the test.

    Parameters
    ----------
    **options
        Those of Playwright's ``new_context``.
    """
    size = {"width": options.pop("width", 1280), "height": options.pop("height", 900)}
    context = browser.new_context(viewport=size, **options)
    page = context.new_page()
    page.set_default_timeout(30_000)
    with no_errors(page):
        yield page
        context.close()


@contextlib.contextmanager
def no_errors(page: Page) -> Iterator[None]:
    """Fail at the end if one of our scripts has had an error."""
    errors = []

    def note(error: Error) -> None:
        errors.append(error.stack or str(error))

    page.on("pageerror", note)
    yield
    page.remove_listener("pageerror", note)
    # Our modules come from blob:, data: and file: URLs; JupyterLab has errors of its own.
    ours = [error[:500] for error in errors if re.search("blob:|data:text/java|file:", error)]
    assert not ours, ours


def free_port() -> int:
    """Return the number of a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def serve(root: Path, home: Path) -> Iterator[Server]:
    """Run a Jupyter server over the folder `root` with settings of its own in `home`."""
    port, token = free_port(), secrets.token_hex(16)
    for name, values in SETTINGS.items():
        path = home / "config" / "lab" / "user-settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    options = {
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.root_dir": root,
        "IdentityProvider.token": token,
        "LabApp.expose_app_in_browser": True,
        "JupyterNotebookApp.expose_app_in_browser": True,
    }
    folders = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "IPYTHONDIR": "ipython"}
    log = home / "server.log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *(f"--{k}={v}" for k, v in options.items())],
            env=os.environ | {name: str(home / folder) for name, folder in folders.items()},
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/api/status?token={token}", server, log)
        yield Server(url, token, root)
    finally:
        server.terminate()  # shuts the kernels down, too
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    """Wait until a server of ours answers; if it ends before, say what it has said."""
    for _ in range(300):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    raise RuntimeError(f"{server.args[:3]} did not start:\n{log.read_text()[-2000:]}")


def write_notebook(path: Path, *cells: str) -> Path:
    """Write a notebook with these code cells."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "python3"}},
    )
    nbformat.write(notebook, path)
    return path


_CLOSE = """async () => {
  const notebook = window.jupyterapp.shell.currentWidget;
  await notebook.sessionContext.shutdown();
  notebook.dispose();
}"""


def open_notebook(page: Page, server: Server, path: Path, *, notebook7: bool = False) -> None:
    """Open a notebook of the server's folder in JupyterLab or in Notebook 7; wait for a kernel.

    A page that shows a notebook in JupyterLab already shuts that down and shows this one.
    """
    name = path.resolve().relative_to(server.root.resolve()).as_posix()
    again = not notebook7 and page.url.startswith(f"{server.url}/lab")
    if again:  # several seconds faster than another JupyterLab
        page.evaluate(_CLOSE)
        command(page, "docmanager:open", path=name)
    else:
        # A workspace of its own: JupyterLab would open the notebooks of the last test again.
        lab = f"lab/workspaces/{uuid.uuid4().hex}/tree"
        page.goto(f"{server.url}/{'notebooks' if notebook7 else lab}/{name}?token={server.token}")
        page.wait_for_function("window.jupyterapp !== undefined")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.wait_for_function(
        "() => { const w = window.jupyterapp.shell.currentWidget;"
        " return w?.sessionContext?.isReady && w.sessionContext.session?.kernel; }"
    )
    if not notebook7 and not again:
        command(page, "application:toggle-left-area")


def command(page: Page, name: str, **arguments: object) -> None:
    """Run one of JupyterLab's commands, by its name, to its end."""
    page.evaluate(
        "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)",
        [name, arguments],
    )


def run_all(page: Page) -> None:
    """Run every cell and wait for the last; an error in a cell fails the test."""
    command(page, "notebook:run-all-cells")
    failed = errors(page)
    assert not failed, failed


def errors(page: Page) -> list[str]:
    """Return the errors among the outputs of the notebook's cells: ["NameError: ..."]."""
    return page.evaluate(
        """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
          .flatMap((cell) => cell.toJSON().outputs ?? [])
          .filter((output) => output.output_type === "error")
          .map((output) => `${output.ename}: ${output.evalue}`)"""
    )


def set_theme(page: Page, name: str) -> None:
    """Choose the light or the dark theme."""
    command(page, "apputils:change-theme", theme=f"JupyterLab {name.title()}")
    page.wait_for_function(
        "dark => document.body.dataset.jpThemeLight === String(!dark)", arg=name == "dark"
    )
    page.wait_for_selector("#jupyterlab-splash", state="detached")


def screenshot(page: Page, name: str, *, selector: str | None = None) -> None:
    """Save an image of the page, or of a part, in the folder $SCREENSHOTS, if that is set."""
    if folder := os.environ.get("SCREENSHOTS"):
        target = page.locator(selector).first if selector else page
        target.screenshot(path=Path(folder) / f"{name}.png")


def ask(page: Page, expression: str) -> object:
    """Return the value of a Python expression in the notebook's kernel."""
    reply = page.evaluate(
        """async (code) => {
          const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
          const request = { code: "", user_expressions: { value: code } };
          const { content } = await kernel.requestExecute(request).done;
          return content.user_expressions.value;
        }""",
        expression,
    )
    assert reply["status"] == "ok", f"{expression}: {reply}"
    return ast.literal_eval(reply["data"]["text/plain"])


def wait_for_value(page: Page, expression: str, value: object) -> None:
    """Wait until a Python expression has a value in the notebook's kernel."""
    end = time.monotonic() + 10
    while (found := ask(page, expression)) != value:
        assert time.monotonic() < end, f"{expression} is {found}, not {value}"
        time.sleep(0.02)


def settle(page: Page) -> None:
    """Wait until the page has sent what it had to send, and the kernel has taken it."""
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => setTimeout(r, 30)))")
    ask(page, "0")


def tell(page: Page, code: str) -> None:
    """Run code in the notebook's kernel, outside of its cells."""
    ask(page, f"exec({code!r})")


def canvas_pixels(canvas: Locator) -> np.ndarray:
    """Return what a canvas holds, (H, W, 4) uint8."""
    width, height, data = canvas.evaluate(
        """(canvas) => {
          const { width, height } = canvas;
          const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
          let text = "";
          for (let i = 0; i < data.length; i += 32768) {
            text += String.fromCharCode(...data.subarray(i, i + 32768));
          }
          return [width, height, btoa(text)];
        }"""
    )
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)


def key_to_image(page: Page, keys: list[str], *, width: int = 0) -> float:
    """Press keys; return the median of the milliseconds until each has changed an image.

    Parameters
    ----------
    width : int
        Canvases of fewer pixels do not count.
    """
    page.evaluate(
        """(width) => {
          const again = window.timing;
          window.timing = { drawn: [], began: null, width };
          if (again) return;
          document.addEventListener("keydown", () => { timing.began = performance.now(); }, true);
          const put = CanvasRenderingContext2D.prototype.putImageData;
          CanvasRenderingContext2D.prototype.putImageData = function (...args) {
            put.apply(this, args);
            if (timing.began === null || this.canvas.width < timing.width) return;
            timing.drawn.push(performance.now() - timing.began);
            timing.began = null;
          };
        }""",
        width,
    )
    for number, key in enumerate(keys, 1):
        page.keyboard.press(key)
        page.wait_for_function("n => timing.drawn.length === n", arg=number)
    median = statistics.median(page.evaluate("timing.drawn"))
    print(f"\nkey to image, median of {len(keys)}: {median:.1f} ms")
    return median


_CONTROLS = (
    "button, input, select, textarea, a[href], summary, [tabindex='0'], [contenteditable='true']"
)


def controls(page: Page, selector: str = ".cnn-lab") -> list[dict]:
    """Return role, name and own keys (bool: Notebook 7 leaves it its keys) of each control.

    Role and name are what a screen reader says of an element that the keyboard reaches.
    """
    found = []
    for control in page.locator(selector).locator(_CONTROLS).all():
        said = control.aria_snapshot() or "- none"
        role, name = re.match(r"""- '?(\w+)(?: "(.*?)")?""", said).groups()
        own = control.get_attribute("data-lm-suppress-shortcuts") == "true"
        html = control.evaluate("element => element.outerHTML.slice(0, 120)")
        found.append({"role": role, "name": name or "", "own keys": own, "html": html})
    return found


def check_narrow(page: Page, selector: str = ".cnn-lab") -> None:
    """Wait until nothing of a lab sticks out of the window."""
    page.wait_for_function(
        """(selector) => [...document.querySelectorAll(selector)].every((lab) => {
          const end = lab.getBoundingClientRect().right + 1;
          return end < innerWidth &&
            [...lab.querySelectorAll("*")].every((e) => e.getBoundingClientRect().right <= end);
        })""",
        arg=selector,
    )


def load_module(page: Page, name: str) -> None:
    """Load one of our JavaScript modules in a page; its exports become `window.module`."""
    from helpers.widgets.lab import _bundle

    source = base64.b64encode(_bundle(name).encode()).decode()
    page.evaluate(
        "async (url) => { window.module = await import(url); }",
        f"data:text/javascript;base64,{source}",
    )
