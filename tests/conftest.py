"""What several test files share; the folder above sets CNN_PETS for all of them.

The package sets TensorFlow up (oneDNN, log lines), so it is loaded before any test file.
"""

import os
import subprocess
import sys
from contextlib import contextmanager

import hypothesis
import pytest

import helpers  # noqa: F401

# The same examples in every run, whatever the load of the machine.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("same")


@pytest.fixture
def read_only():
    """Return a context manager in which a folder really cannot be written, by anyone."""
    return _read_only


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Let the clone's data/ be a folder below tmp_path, and the user's cache another one."""
    (tmp_path / "data").mkdir()
    monkeypatch.setattr("helpers.images.data_folder", lambda: tmp_path / "data")
    monkeypatch.setattr("pooch.os_cache", lambda project: str(tmp_path / "user" / project))
    return tmp_path


@contextmanager
def _read_only(folder):
    if sys.platform == "win32":
        everyone = "*S-1-1-0"
        subprocess.run(["icacls", folder, "/deny", f"{everyone}:(WD,AD)"], check=True)
        try:
            yield
        finally:
            subprocess.run(["icacls", folder, "/remove:d", everyone], check=True)
        return
    root = os.geteuid() == 0  # whom no permission stops: be nobody for a while
    for parent in folder.parents if root else ():
        parent.chmod(0o755 if parent.name.startswith("pytest-") else 0o777)
        if parent.name.startswith("pytest-of-"):
            break
    mode = folder.stat().st_mode
    folder.chmod(0o555)
    if root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(mode)
