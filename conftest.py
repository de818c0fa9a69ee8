"""Every test, and every kernel that nbval starts for a lesson, runs on the drawn pets."""

import os

import pytest

os.environ["CNN_PETS"] = "drawn"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Share the tests between two workers: the lessons, the browser tests, each other file.

    The lessons stay together, for one opens what another saves; the browser tests, for they share
    a server.
    """
    kinds = {"notebooks": "lessons", "browser": "browser"}
    group = kinds.get(item.path.parent.name, item.path.name)
    item.add_marker(pytest.mark.xdist_group(group))
