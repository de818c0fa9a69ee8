"""Without a browser the tests are skipped with a sentence; in CI that is an error."""

from types import SimpleNamespace

import pytest
from playwright.sync_api import Error

from . import pages


def no_browser(**_options: object) -> None:
    """Stand in for the launch of a Chromium that is not there."""
    raise Error("Executable doesn't exist")


PLAYWRIGHT = SimpleNamespace(chromium=SimpleNamespace(launch=no_browser))


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this be a machine without Chromium."""
    monkeypatch.setattr(pages, "NAMES", ())
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.delenv("CI", raising=False)


def test_without_a_browser_a_test_is_skipped() -> None:
    with pytest.raises(pytest.skip.Exception, match="playwright install chromium"):
        pages.launch(PLAYWRIGHT)


def test_in_ci_that_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(RuntimeError, match="playwright install chromium"):
        pages.launch(PLAYWRIGHT)


def test_a_named_browser_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(RuntimeError, match="/nowhere/chromium"):
        pages.launch(PLAYWRIGHT)
