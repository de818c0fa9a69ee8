"""A Jupyter server and Chromium for the tests: everything in a temporary folder, on loopback."""

import ast
import base64
import contextlib
import json
import os
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

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NO_BROWSER = (
    "No Chromium was found: run `python -m playwright install chromium`, "
    "or set the environment variable CHROMIUM to the path of one."
)
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
}
# The state of the widgets is saved with a notebook, so that a test can look into it.
WIDGET_SETTINGS = {"@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True}}


class Server(NamedTuple):
    """A running Jupyter server."""

    url: str
    token: str
    root: Path
    kernels: Path
    """A folder for kernel specifications of a test's own."""


def find_chromium() -> str | None:
    """Return the path of a Chromium of this machine, or None for Playwright's own."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Playwright) -> Browser:
    """Start Chromium; without one skip the test with a sentence, or fail where CI is set."""
    path = find_chromium()
    try:
        return playwright.chromium.launch(executable_path=path, args=FLAGS)
    except Error as error:
        if path is None and not os.environ.get("CI"):
            pytest.skip(NO_BROWSER)
        raise RuntimeError(f"{NO_BROWSER} ({path or 'none installed'})") from error


@contextlib.contextmanager
def new_page(browser: Browser, *, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """Open a page of its own; an error in one of our scripts fails the test."""
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(60_000)
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
    # Our modules are loaded from blob: and data: URLs; JupyterLab has errors of its own.
    ours = [error[:500] for error in errors if "blob:" in error or "data:text/java" in error]
    assert not ours, ours


@contextlib.contextmanager
def serve(root: Path, home: Path) -> Iterator[Server]:
    """Run a Jupyter server over the folder `root` with settings of its own in `home`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    settings = {f"@jupyterlab/{name}": value for name, value in SETTINGS.items()}
    for name, value in (settings | WIDGET_SETTINGS).items():
        path = home / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    environment = dict(os.environ, **{k: str(home / v) for k, v in folders.items()})
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
    log = home / "server.log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *(f"--{k}={v}" for k, v in options.items())],
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{url}/api/status?token={token}", server, log)
        yield Server(url, token, root, home / "data" / "kernels")
    finally:
        server.terminate()  # shuts the kernels down, too
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait(url: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    raise RuntimeError(f"The Jupyter server did not start:\n{log.read_text()[-2000:]}")


def write_notebook(path: Path, *cells: str, kernel: str = "python3") -> Path:
    """Write a notebook with these code cells."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": kernel, "display_name": kernel}},
    )
    nbformat.write(notebook, path)
    return path


_CLOSE = """async () => {
  await window.jupyterapp.serviceManager.kernelspecs.refreshSpecs(); // a test may have its own
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
        page.wait_for_function("window.jupyterapp !== undefined", timeout=60_000)
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
    page.wait_for_function(
        "() => { const w = window.jupyterapp.shell.currentWidget;"
        " return w?.sessionContext?.isReady && w.sessionContext.session?.kernel; }",
        timeout=60_000,
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
    if failed:
        raise AssertionError(failed)


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
    """Save a picture of the page, or of a part, in the folder $SCREENSHOTS, if that is set."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
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
    if reply["status"] != "ok":
        raise AssertionError(f"{expression}: {reply}")
    return ast.literal_eval(reply["data"]["text/plain"])


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


_TIMED = ("drawn", "painted")


def time_drawing(page: Page, *, event: str = "keydown", width: int = 0) -> None:
    """From now on measure the time from each event to the picture that it changes.

    `times` reads what was measured: milliseconds until a canvas of at least `width` pixels is
    drawn, and until the page has been painted with it.
    """
    page.evaluate(
        """([event, width]) => {
          window.times = { drawn: [], painted: [] };
          let start = null;
          window.untime?.();
          const begin = () => { start = performance.now(); };
          document.addEventListener(event, begin, true);
          const put = CanvasRenderingContext2D.prototype.putImageData;
          CanvasRenderingContext2D.prototype.putImageData = function (...args) {
            put.apply(this, args);
            if (start === null || this.canvas.width < width) return;
            const began = start;
            start = null;
            window.times.drawn.push(performance.now() - began);
            // The second frame begins when the first has been painted.
            requestAnimationFrame(() => requestAnimationFrame(() =>
              window.times.painted.push(performance.now() - began)));
          };
          window.untime = () => {
            document.removeEventListener(event, begin, true);
            CanvasRenderingContext2D.prototype.putImageData = put;
          };
        }""",
        [event, width],
    )


def times(page: Page) -> dict[str, list[float]]:
    """Return what `time_drawing` has measured so far: {"drawn": [...], "painted": [...]}."""
    return page.evaluate("window.times")


def key_to_picture(page: Page, keys: list[str], *, bound: float, width: int = 0) -> float:
    """Press keys; return the median of the milliseconds until each has changed the picture.

    What is above the bound is measured a second time: other programs may have had the machine.
    """
    for _ in range(2):
        time_drawing(page, width=width)
        for number, key in enumerate(keys, 1):
            page.keyboard.press(key)
            page.wait_for_function("n => window.times.drawn.length === n", arg=number)
        drawn, painted = (statistics.median(times(page)[name] or [0]) for name in _TIMED)
        print(f"\nmedian of {len(keys)}: drawn {drawn:.1f} ms, painted {painted:.1f} ms")
        if drawn < bound:
            break
    return drawn


# What a screen reader calls every element that the keyboard reaches, and whether Notebook 7
# leaves it its keys.
_CONTROLS = (
    "button, input, select, textarea, a[href], summary, [tabindex='0'], [contenteditable='true']"
)


def controls(page: Page, selector: str = ".cnn-lab") -> list[dict]:
    """Return name, role and own keys (bool) of each control inside `selector`."""
    session = page.context.new_cdp_session(page)
    found = []
    for number in range(page.locator(selector).locator(_CONTROLS).count()):
        control = page.locator(selector).locator(_CONTROLS).nth(number)
        control.evaluate("element => { window.found = element; }")
        element = session.send("Runtime.evaluate", {"expression": "window.found"})
        tree = session.send(
            "Accessibility.getPartialAXTree",
            {"objectId": element["result"]["objectId"], "fetchRelatives": False},
        )["nodes"][0]
        found.append(
            {
                "name": tree.get("name", {}).get("value", ""),
                "role": tree.get("role", {}).get("value", ""),
                "own keys": control.get_attribute("data-lm-suppress-shortcuts") == "true",
                "html": control.evaluate("element => element.outerHTML.slice(0, 120)"),
            }
        )
    session.detach()
    return found


def load_module(page: Page, name: str) -> None:
    """Load one of our JavaScript modules in a page; its exports become `window.module`."""
    from helpers.widgets import module_source

    source = base64.b64encode(module_source(name).encode()).decode()
    page.evaluate(
        "async (url) => { window.module = await import(url); }",
        f"data:text/javascript;base64,{source}",
    )
