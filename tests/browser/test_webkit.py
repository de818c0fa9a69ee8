"""A saved page in WebKit, the engine of Safari, where Debian's webkit2gtk-driver is there."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
from scipy.signal import correlate2d

from helpers.widgets import KernelLab

from .pages import free_port, wait_for
from .test_every_lab import CONTRAST

NO_WEBKIT = "WebKit was not found: install Debian's webkit2gtk-driver and xvfb."
BROWSER = next(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"), None)
OPTIONS = {"binary": str(BROWSER), "args": ["--automation"]}


@pytest.fixture
def webkit(tmp_path: Path) -> Iterator[Callable]:
    """Send a command of the WebDriver protocol: webkit("url", url=...) -> its value."""
    if not (BROWSER and shutil.which("WebKitWebDriver") and shutil.which("xvfb-run")):
        pytest.skip(NO_WEBKIT)
    port = free_port()
    command = ["xvfb-run", "-a", "WebKitWebDriver", f"--port={port}"]
    log = tmp_path / "driver.log"
    with (
        log.open("wb") as stream,
        subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True) as server,
    ):

        def send(command: str, **body: object) -> object:
            reply = requests.post(f"{session}/{command}", json=body, timeout=60)
            assert reply.ok, reply.text
            return reply.json()["value"]

        session = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{session}/status", server, log)
            options = {"alwaysMatch": {"webkitgtk:browserOptions": OPTIONS}}
            session += f"/session/{send('session', capabilities=options)['sessionId']}"
            yield send
            requests.delete(session, timeout=60)
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # and all that it has started


def test_a_saved_page_in_webkit(webkit: Callable, tmp_path: Path) -> None:
    lab = KernelLab()
    webkit("url", url=lab.save_html(tmp_path / "lab.html").as_uri())

    def js(script: str) -> object:
        return webkit("execute/sync", script=f"return {script}", args=[])

    [number] = webkit("element", using="css selector", value=".cnn-number:nth-child(5)").values()
    webkit(f"element/{number}/click")
    for key, value in [("5", 5), ("\ue013", 6)]:  # typed over a 0; the arrow up
        press = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        webkit("actions", actions=[{"type": "key", "id": "keys", "actions": press}])
        assert js("document.querySelector('.cnn-number:nth-child(5)').value") == str(value)
        kernel = np.array(lab.kernel)
        kernel[1, 1] = value
        expected = correlate2d(lab.pixels().astype(float), kernel, mode="valid")
        # The sum of the nine products, and what is read from the result.
        shown = js("[...document.querySelectorAll('.cnn-sum')].map((sum) => sum.textContent)")
        sums = [float(text.replace("−", "-")) for text in shown]
        assert sums == [expected[tuple(lab.chosen)]] * 2
    contrast, text = js(f"({CONTRAST})(document.querySelector('.cnn-lab'))")
    assert contrast >= 4.5, text
