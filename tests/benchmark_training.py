"""How fast training on the photos is, as ratios: ``python tests/benchmark_training.py``.

Six processes do one thing each and take turns, one working while the others wait; every ratio is
the median over the rounds of what two neighbours in one round took. They are

- `article`, `article_evaluation`: the article's script as it stands, on the JPEG files
  (ImageDataGenerator, TensorFlow's own settings, nothing of `helpers`);
- `plain`: the same network, optimizer and batches, fed by `helpers.training`;
- `bare`: the training steps of the recipe `regularised` alone, on one batch held in memory;
- `augmented`: the same steps with the recipe's own pictures, shuffled and augmented on the way;
- `evaluation`: `helpers.training.evaluate` on the 1,000 validation photos.

The photos must be there (``python -m helpers.pets download``). It takes some ten minutes on two
cores and 8 GB of memory, and wants a machine that does nothing else: the load is printed first.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH, SIDE = 128, 150  # the article's
SETTLE = 5  # first batches of a round that are not timed: tracing, and what waits in buffers


def article(folder: Path) -> None:
    model, flow = article_script(folder / "train")
    timed_fits(model, flow, steps=8, settle=1, pictures=7 * BATCH)


def article_evaluation(folder: Path) -> None:
    model, flow = article_script(folder / "validation")
    timed(lambda: model.evaluate(flow, verbose=0), pictures=flow.samples)


def article_script(folder: Path):
    """Return the article's compiled network and its ImageDataGenerator over a folder."""
    from tensorflow import keras

    layers = keras.layers
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3))])
    for filters in (16, 32, 32, 64):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(512, activation="relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    assert model.count_params() == 1_639_489
    model.compile(keras.optimizers.RMSprop(0.001), "binary_crossentropy", metrics=["accuracy"])
    generator = keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
    flow = generator.flow_from_directory(
        folder, target_size=(SIDE, SIDE), batch_size=BATCH, class_mode="binary"
    )
    return model, flow


def plain(folder: Path) -> None:
    from helpers.training import ARTICLE

    model, data, steps, pictures = prepared(ARTICLE)
    timed_fits(model, data, steps=steps + SETTLE, settle=SETTLE, pictures=pictures)


def augmented(folder: Path) -> None:
    from helpers.training import REGULARISED

    model, data, steps, pictures = prepared(REGULARISED)
    timed_fits(model, data, steps=steps + SETTLE, settle=SETTLE, pictures=pictures)


def bare(folder: Path) -> None:
    from helpers.training import REGULARISED  # isort: skip  # before TensorFlow: sets its options
    import tensorflow as tf

    model, data, steps, _ = prepared(REGULARISED)
    x, y = next(iter(data))
    data = tf.data.Dataset.from_tensors((x, y)).repeat()
    timed_fits(model, data, steps=steps + SETTLE, settle=SETTLE, pictures=steps * len(y))


def prepared(recipe):
    """Return a recipe's compiled network, its batches, the steps and the pictures of one pass."""
    import math

    from helpers import training
    from helpers.model import NETWORKS
    from helpers.pets import load_pets

    split = load_pets("photos", quiet=True).train
    model = NETWORKS[recipe.network](seed=0, dropout=recipe.dropout)
    count = len(split.labels)
    steps = math.ceil(count / recipe.batch_size)
    training.compile_model(model, recipe=recipe, steps=recipe.epochs * steps)
    return model, training.training_batches(split, recipe=recipe, seed=0), steps, count


def evaluation(folder: Path) -> None:
    from helpers import training
    from helpers.model import build_model
    from helpers.pets import load_pets

    model, split = build_model(seed=0), load_pets("photos", quiet=True).validation
    timed(lambda: training.evaluate(model, split), pictures=len(split.labels))


PARTS = {f.__name__: f for f in (article, plain, augmented, bare, evaluation, article_evaluation)}


def timed_fits(model, data, *, steps: int, settle: int, pictures: int) -> None:
    """In each turn fit so many steps; tell the seconds from the end of step `settle` to the last.

    As many steps as one pass has see each picture once, wherever in a pass they begin.
    """
    import keras

    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ends.append(time.perf_counter())
    )
    while my_turn():
        ends.clear()
        model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[clock])
        tell(pictures, ends[-1] - ends[settle - 1])


def timed(work, *, pictures: int) -> None:
    """In each turn do it once; it is done once before, for what only the first time takes."""
    work()
    while my_turn():
        begun = time.perf_counter()
        work()
        tell(pictures, time.perf_counter() - begun)


def my_turn() -> bool:
    """Say that this process is ready, and wait; return False at the end."""
    print("READY", flush=True)
    return bool(sys.stdin.readline())


def tell(pictures: int, seconds: float) -> None:
    print("RESULT", json.dumps([pictures / seconds, peak_gigabytes()]), flush=True)


def peak_gigabytes() -> float:
    """Return the most memory that this process has held so far."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


class Part:
    """A process that measures one thing whenever it is its turn."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.rates, self.memory = name, [], 0.0
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--part", name, str(folder)],
            env={k: v for k, v in os.environ.items() if not k.startswith("TF_")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.next_line("READY")

    def next_line(self, kind: str) -> str:
        for line in self.process.stdout:
            if line.startswith(kind):
                return line.removeprefix(kind)
        self.errors.seek(0)
        raise SystemExit(f"{self.name} failed:\n{self.errors.read()[-2000:]}")

    def measure(self) -> None:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        rate, self.memory = json.loads(self.next_line("RESULT"))
        self.rates.append(rate)
        self.next_line("READY")


def against(one: Part, other: Part, *, digits: int = 2) -> str:
    """Return how many times faster one is than the other: the median, least and most of a round."""
    ratios = [a / b for a, b in zip(one.rates, other.rates, strict=True)]
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def report(parts: dict[str, Part]) -> None:
    a, ours, with_change, steps, check, a_check = parts.values()
    for name, part in parts.items():
        rate = statistics.median(part.rates)
        print(f"{name:18} {rate:6.0f} pictures a second, {part.memory:.2f} GB at most")
    print(f"training, pictures a second / the article's script:  {against(ours, a)}, wanted 3")
    print(f"the same, augmented / the article's script:          {against(with_change, a)}")
    print(
        "time of a step with shuffling and augmentation / bare: "
        f"{against(steps, with_change, digits=3)}, wanted at most 1.1"
    )
    print(f"evaluation, pictures a second / the article's way:   {against(check, a_check)}")
    photos = 1_000 / statistics.median(check.rates)
    print(f"evaluation of the 1,000 photos: {photos:.2f} s")
    print(f"memory, training augmented / the article's script: {with_change.memory / a.memory:.2f}")


def main() -> None:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        name, folder = options.part
        PARTS[name](Path(folder))
        return
    from helpers import pets

    folder = pets.folder("photos")
    if hasattr(os, "getloadavg"):
        print(f"Load of the machine before: {os.getloadavg()[0]:.1f} (wanted: 0.3 at most)")
    parts = {}
    try:
        for name in PARTS:
            parts[name] = Part(name, folder)
        for number in range(options.rounds):
            for part in list(parts.values())[:: 1 if number % 2 == 0 else -1]:
                part.measure()
        report(parts)
    finally:
        for part in parts.values():
            part.process.kill()


if __name__ == "__main__":
    main()
