"""One Jupyter server, one Chromium and, where it is there, one Firefox for all browser tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from helpers.widgets.lab import Lab

from . import pages


# Of the folder, not of the session: Playwright keeps an event loop in this thread, and nbval
# wants one of its own afterwards.
@pytest.fixture(scope="package", params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium, then Firefox."""
    with sync_playwright() as playwright:
        browser = pages.launch(playwright, request.param)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pages.Server]:
    """A Jupyter server over an empty folder."""
    root = tmp_path_factory.mktemp("notebooks")
    with pages.serve(root, tmp_path_factory.mktemp("jupyter")) as server:
        yield server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with nothing in it; an error in one of our scripts fails the test."""
    with pages.new_page(browser) as page:
        yield page


@pytest.fixture(scope="package")
def jupyterlab(browser: Browser) -> Iterator[Page]:
    """The page in which JupyterLab opens one notebook after the other."""
    with pages.new_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
def lab_page(jupyterlab: Page, server: pages.Server) -> Iterator[Callable[[Path], Page]]:
    """Open a notebook in JupyterLab, in place of the last one: lab_page(path) -> page."""

    def open_it(path: Path) -> Page:
        jupyterlab.set_viewport_size({"width": 1280, "height": 900})
        pages.open_notebook(jupyterlab, server, path)
        return jupyterlab

    with pages.no_errors(jupyterlab):
        yield open_it


@pytest.fixture
def saved_page(page: Page, tmp_path: Path) -> Callable[[Lab], Page]:
    """Open the saved page of a lab, without Jupyter: saved_page(lab) -> page."""

    def open_it(lab: Lab) -> Page:
        page.goto(lab.save_html(tmp_path / "lab.html").as_uri())
        return page

    return open_it
