"""How fast training on the photos is, as ratios: ``python tests/benchmark_training.py``.

Five processes do one thing each and take turns, one working while the others wait; every ratio is
the median over the rounds of what two neighbours in one round took. They are

- `article`, `article_evaluation`: the article's network and its way to read the JPEG files
  (ImageDataGenerator, TensorFlow's own settings, nothing of `helpers`);
- `plain`: the same network, optimizer and batches, fed by `helpers.training`;
- `augmented`: the training steps of the recipe `regularised`, with its own images;
- `evaluation`: `helpers.training.evaluate` on the 1,000 validation photos.

The photos must be there (``python -m helpers.pets download``). It takes some ten minutes on two
cores and 8 GB of memory, and wants a machine that does nothing else: the load is printed first.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

SETTLE = 5  # first batches of a round that are not timed: tracing, and what waits in buffers


def article(folder: Path) -> None:
    model, flow = article_script(folder / "train")
    timed_fits(model, flow, steps=8, settle=1, images=7 * 128)


def article_evaluation(folder: Path) -> None:
    model, flow = article_script(folder / "validation")
    timed(lambda: model.evaluate(flow, verbose=0), images=flow.samples)


def article_script(folder: Path):
    """Return the article's compiled network and its ImageDataGenerator over a folder."""
    from tensorflow import keras

    layers = keras.layers
    model = keras.Sequential([keras.Input((150, 150, 3))])
    for filters in (16, 32, 32, 64):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(512, activation="relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.RMSprop(0.001), "binary_crossentropy", metrics=["accuracy"])
    generator = keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
    flow = generator.flow_from_directory(
        folder, target_size=(150, 150), batch_size=128, class_mode="binary"
    )
    return model, flow


def plain(folder: Path) -> None:
    recipe_fits("article")


def augmented(folder: Path) -> None:
    recipe_fits("regularised")


def recipe_fits(name: str) -> None:
    from helpers import training
    from helpers.model import NETWORKS
    from helpers.pets import load_pets
    from helpers.recipes import RECIPES, training_batches

    recipe, split = RECIPES[name], load_pets("photos").train
    model, count = NETWORKS[recipe.network](seed=0, dropout=recipe.dropout), len(split.labels)
    steps = -(-count // recipe.batch_size)  # of one pass: each image once, wherever it begins
    training.compile_model(model, recipe=recipe, steps=recipe.epochs * steps)
    data = training_batches(split, recipe=recipe, seed=0)
    timed_fits(model, data, steps=steps + SETTLE, settle=SETTLE, images=count)


def evaluation(folder: Path) -> None:
    from helpers import training
    from helpers.model import build_model
    from helpers.pets import load_pets

    model, split = build_model(seed=0), load_pets("photos").validation
    timed(lambda: training.evaluate(model, split), images=len(split.labels))


PARTS = {f.__name__: f for f in (article, plain, augmented, evaluation, article_evaluation)}


def timed_fits(model, data, *, steps: int, settle: int, images: int) -> None:
    """In each turn fit so many steps; tell the rate from the end of step `settle` to the last."""
    import keras

    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ends.append(time.perf_counter())
    )
    while my_turn():
        ends.clear()
        model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[clock])
        print("RESULT", images / (ends[-1] - ends[settle - 1]), flush=True)


def timed(work, *, images: int) -> None:
    """In each turn do it once; it is done once before, for what only the first time takes."""
    work()
    while my_turn():
        begun = time.perf_counter()
        work()
        print("RESULT", images / (time.perf_counter() - begun), flush=True)


def my_turn() -> bool:
    """Say that this process is ready, and wait; return False at the end."""
    print("READY", flush=True)
    return bool(sys.stdin.readline())


class Part:
    """A process that measures one thing whenever it is its turn."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.rates = name, []
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--part", name, str(folder)],
            env={k: v for k, v in os.environ.items() if not k.startswith("TF_")},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.next_line("READY")

    def next_line(self, kind: str) -> str:
        for line in self.process.stdout:
            if line.startswith(kind):
                return line.removeprefix(kind)
        raise SystemExit(f"{self.name} failed.")

    def measure(self) -> None:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.rates.append(float(self.next_line("RESULT")))
        self.next_line("READY")


def against(one: Part, other: Part) -> str:
    """Return how many times faster one is than the other: the median, least and most of a round."""
    ratios = [a / b for a, b in zip(one.rates, other.rates, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


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
    finally:
        for part in parts.values():
            part.process.kill()
    for name, part in parts.items():
        print(f"{name:18} {statistics.median(part.rates):6.0f} images a second")
    its, ours, changed, check, its_check = parts.values()
    print(f"training, images a second / the article's script: {against(ours, its)}, wanted 3")
    print(f"the same, augmented / the article's script:       {against(changed, its)}")
    print(f"evaluation, images a second / the article's way:  {against(check, its_check)}")


if __name__ == "__main__":
    main()
