"""Without a browser the tests are skipped by name; in CI a missing Chromium is an error."""

from types import SimpleNamespace

import pytest
from playwright.sync_api import Error

from . import pages


def missing(**_options: object) -> None:
    """Stand in for the launch of a browser that is not there."""
    raise Error("Executable doesn't exist")


NOTHING = SimpleNamespace(launch=missing)
PLAYWRIGHT = SimpleNamespace(chromium=NOTHING, firefox=NOTHING)


@pytest.mark.parametrize(
    ("name", "variables", "error", "words"),
    [
        ("chromium", {}, pytest.skip.Exception, "playwright install chromium"),
        ("chromium", {"CI": "true"}, RuntimeError, "playwright install chromium"),
        ("chromium", {"CHROMIUM": "/nowhere/chromium"}, RuntimeError, "/nowhere/chromium"),
        ("firefox", {"CI": "true"}, pytest.skip.Exception, "install Debian's firefox-esr"),
    ],
)
def test_a_browser_that_is_not_there(
    name: str, variables: dict, error: type, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    for variable in ("CI", "CHROMIUM"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(error, match=words):
        pages.launch(PLAYWRIGHT, name)
