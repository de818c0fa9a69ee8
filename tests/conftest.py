"""What several test files share; the folder above sets CNN_PETS for all of them.

The package sets TensorFlow up (oneDNN, log lines), so it is loaded before any test file.
"""

import ctypes
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
    mode = folder.stat().st_mode
    try:
        folder.chmod(0o555)
        with _as_its_owner():
            if os.access(folder, os.W_OK, effective_ids=True):
                pytest.skip("this user may write everywhere")
            yield
    finally:
        folder.chmod(mode)


@contextmanager
def _as_its_owner():
    """Take from root, whom no permission stops, the two capabilities that let it pass them.

    Only this thread and those it starts are bound; no file and no folder is changed.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3 of linux/capability.h, this thread
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable: low words, high words
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    before = sets[0]
    sets[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")
    try:
        yield
    finally:
        sets[0] = before
        if libc.capset(header, sets):
            raise OSError(ctypes.get_errno(), "capset")
