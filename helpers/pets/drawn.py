"""Drawn pets: 2,000 + 1,000 of them, each fixed by its number.

The drawing is shared out to Python processes, each started afresh as helpers.pets.worker:
unlike multiprocessing, that neither needs nor runs again the main module of whoever calls, so
it works from a notebook and from a bare script on every system.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np

from helpers.drawing import Drawing, draw_pet
from helpers.pets.progress import Line
from helpers.pets.sets import CLASS_NAMES, Stored

# Which pictures there are; a change here needs a new VERSION in helpers.drawing, as do those there.
COUNTS = {"train": 2_000, "validation": 1_000}
FIRST_SEED = {"train": 0, "validation": 1_000_000}  # no picture is in both


def kind_and_seed(split: str, index: int) -> tuple[str, int]:
    """Return what `draw_pet` needs for one picture: the first half are cats."""
    if split not in COUNTS:
        raise ValueError(f'There is no split {split!r}: take "train" or "validation".')
    if not 0 <= index < COUNTS[split]:
        raise IndexError(f"{split} has the pictures 0 to {COUNTS[split] - 1:,}, not {index}.")
    return CLASS_NAMES[index >= COUNTS[split] // 2], FIRST_SEED[split] + index


def drawn_pet(split: str, index: int, *, size: int = 150) -> Drawing:
    """Return one of the drawn pets with the mask of each part.

    Parameters
    ----------
    split : "train" or "validation"
    index : int
        Its place in ``load_pets("drawn").train`` or ``.validation``.
    size : int
        Side of the picture in pixels; the same pet, only finer.

    Returns
    -------
    helpers.drawing.Drawing
        picture (size, size, 3) uint8 and masks, a dict of (size, size) bool arrays.
    """
    kind, seed = kind_and_seed(split, index)
    return draw_pet(kind, seed=seed, size=size)


def pet_of_row(row: int) -> tuple[str, int]:
    """Return the split and the index of a row: all training pets come first."""
    beyond = row - COUNTS["train"]
    return ("validation", beyond) if beyond >= 0 else ("train", row)


def draw_all(*, size: int, line: Line) -> Stored:
    """Draw all the pets, on all processor cores."""
    total = sum(COUNTS.values())
    pictures = np.empty((total, size, size, 3), np.uint8)
    workers = max(1, min(os.cpu_count() or 1, 8))
    done = [0] * workers
    stop = threading.Event()

    def fill(worker: int) -> None:
        rows = range(worker, total, workers)
        for row, picture in zip(rows, _pictures(rows, size, stop), strict=False):
            pictures[row] = picture
            done[worker] += 1

    with (
        line.bar(total, "Drawing them, once:") as bar,
        ThreadPoolExecutor(workers) as pool,
    ):
        shares = [pool.submit(fill, worker) for worker in range(workers)]
        try:
            while wait(shares, timeout=0.1, return_when=FIRST_EXCEPTION).not_done:
                bar.move(sum(done))
            for share in shares:
                share.result()
            bar.move(total)
        finally:
            stop.set()  # where one share failed, or the learner interrupts
    kinds, seeds = zip(*(kind_and_seed(*pet_of_row(row)) for row in range(total)), strict=True)
    labels = np.array([CLASS_NAMES.index(kind) for kind in kinds], np.uint8)
    names = tuple(f"drawn {kind} {seed}" for kind, seed in zip(kinds, seeds, strict=True))
    return Stored(pictures, labels, names, COUNTS["train"])


def _pictures(rows: range, size: int, stop: threading.Event) -> Iterator[np.ndarray]:
    """Yield pets drawn by another process; those that it does not deliver, drawn here."""
    done = 0
    for picture in _from_worker(rows, size):
        if stop.is_set():
            return
        yield picture
        done += 1
    for row in rows[done:]:
        if stop.is_set():
            return
        yield drawn_pet(*pet_of_row(row), size=size).picture


def _from_worker(rows: range, size: int) -> Iterator[np.ndarray]:
    """Yield what helpers.pets.worker writes, until its end or its first failure."""
    command = [sys.executable, "-m", "helpers.pets.worker", size, rows.start, rows.stop, rows.step]
    try:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).resolve().parents[2],
        )
    except OSError:
        return  # where no process may be started
    with process:
        try:
            while len(data := process.stdout.read(size * size * 3)) == size * size * 3:
                yield np.frombuffer(data, np.uint8).reshape(size, size, 3)
        finally:
            process.kill()
