"""Every test, and every kernel that nbval starts for a lesson, runs on the drawn pets."""

import os

import pytest

os.environ["CNN_PETS"] = "drawn"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Say which tests stay together when two workers share them: those of a file, as a rule.

    The lessons do, for one opens what another saves, and so do the browser tests that share a
    Jupyter server.
    """
    shared = {"notebooks": "lessons", "browser": "labs"}
    folder, file = item.path.parts[-2:]
    group = file if file == "test_web.py" else shared.get(folder, file)
    item.add_marker(pytest.mark.xdist_group(group))
