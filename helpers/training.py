"""Train a network by a recipe of lessons 4 and 7, with checkpoints and a record of the run.

``python -m helpers.training`` trains on the photos from a terminal. A run that was stopped or
killed goes on as if nothing had happened: bit for bit, with the same number of threads.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.errors import LearnerError
from helpers.images import cache_folder, data_folder
from helpers.model import NETWORKS, save_weights
from helpers.pets import CLASS_NAMES, Pets, Split, hold_out, load_pets
from helpers.recipes import ARTICLE, RECIPES, Recipe, training_batches

if TYPE_CHECKING:
    import keras


def compile_model(model: "keras.Model", *, recipe: Recipe, steps: int) -> None:
    """Give a network a recipe's optimizer for a run of `steps`, and lesson 4's loss and metric."""
    import keras

    rate = recipe.learning_rate
    if recipe.cosine:
        warmup = steps * recipe.warmup_epochs // recipe.epochs
        rate = keras.optimizers.schedules.CosineDecay(
            rate / 20, steps - warmup, warmup_target=rate, warmup_steps=warmup
        )
    average = {"use_ema": True, "ema_momentum": recipe.averaging} if recipe.averaging else {}
    if recipe.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **average)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    else:
        optimizer = keras.optimizers.RMSprop(rate, **average)
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=[accuracy])


def accuracy(labels: "keras.KerasTensor", answers: "keras.KerasTensor") -> "keras.KerasTensor":
    """Return which answers are on the label's side of 1/2: (N, 1) tensors to (N,) zeros and ones.

    Keras's own wants labels of exactly 0 or 1; this one takes mixed labels, too.
    """
    import keras

    return keras.ops.mean(keras.ops.greater(labels, 0.5) == (answers > 0.5), axis=-1)


def fit(
    model: "keras.Model",
    pets: Pets,
    *,
    recipe: Recipe = ARTICLE,
    seed: int = 0,
    checkpoint: Path | None = None,
    validate_every: int = 1,
    callbacks: Sequence["keras.callbacks.Callback"] = (),
    verbose: int | str = "auto",
) -> list[dict[str, Any]]:
    """Train a network by a recipe; go on where `checkpoint` stands, if there is one.

    What lesson 4 does by ``compile`` and ``fit``, with order, augmentation and checkpoints. The
    model is freshly built (with the same seed each time, or a resumed run differs); `seed` is for
    order and augmentation. The training images are learnt from; the validation images are only
    watched, every `validate_every` epochs (0: never). The checkpoint is a file, written after
    every epoch in one step (beside, then renamed). `callbacks` and `verbose` are as in
    ``model.fit``: by default a bar for each epoch is printed; 2 prints a line, 0 nothing.

    The result has a row for each epoch: epoch (from 1), loss, accuracy, and where they were looked
    at val_loss and val_accuracy (with the averaged weights, where the recipe averages). A
    `LearnerError` says that the checkpoint is damaged, or belongs to another recipe, seed or set
    of images.
    """
    steps, validation = recipe.steps(len(pets.train.labels)), pets.validation
    compile_model(model, recipe=recipe, steps=steps * recipe.epochs)
    model.optimizer.build(model.trainable_variables)
    run = {"recipe": asdict(recipe), "seed": seed, "data": pets.digest}
    run["layers"] = [list(variable.shape) for variable in _state(model)]
    rows = _restore(model, checkpoint, run) if checkpoint and checkpoint.exists() else []
    model.fit(
        training_batches(pets.train, recipe=recipe, seed=seed, start_epoch=len(rows)),
        epochs=recipe.epochs,
        initial_epoch=len(rows),
        steps_per_epoch=steps,
        callbacks=[_keeper(rows=rows, run=run, path=checkpoint, steps=steps), *callbacks],
        shuffle=False,
        verbose=verbose,
        validation_data=(validation.images, validation.labels[:, None]) if validate_every else None,
        validation_batch_size=100,
        validation_freq=validate_every or 1,
    )
    _settle_normalization(model, pets.train.images)
    return rows


def _settle_normalization(model: "keras.Model", images: np.ndarray) -> None:
    """Measure the means and variances of batch normalisation anew, on whole training images.

    Those kept during the training belong to small, cropped and mixed images and to the weights
    before they were averaged, as in P. Izmailov and others (2018), "Averaging weights leads to
    wider optima and better generalization", section 3.2. The (N, H, W, 3) images, 0 to 255, are
    taken in batches of 100, in an order that mixes the classes.
    """
    from keras import layers

    each = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    order = np.random.default_rng(0).permutation(len(images)) if each else ()
    momenta = [layer.momentum for layer in each]
    for batch, first in enumerate(range(0, len(order), 100)):
        for layer in each:
            layer.momentum = batch / (batch + 1)  # so the mean of all batches so far is kept
        model(images[order[first : first + 100]].astype(np.float32), training=True)
    for layer, momentum in zip(each, momenta, strict=True):
        layer.momentum = momentum


def _keeper(*, rows: list, run: dict, path: Path | None, steps: int) -> "keras.callbacks.Callback":
    """Return the callback that keeps the history, writes checkpoints, and tests on the average.

    Keras has one for each of these, but they round, or leave out the state of the dropout.
    """
    import keras

    class Keeper(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            if self.model.optimizer.iterations.numpy() < (epoch + 1) * steps:
                return  # stopped in mid-epoch: what was learnt stays, but no whole epoch is kept
            rows.append({"epoch": epoch + 1} | {name: float(logs[name]) for name in logs})
            if path is not None:
                _save(self.model, path, {"run": run, "rows": rows})

        def on_test_begin(self, logs: dict | None = None) -> None:
            self.own = [variable.numpy() for variable in self.model.trainable_variables]
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)

        def on_test_end(self, logs: dict | None = None) -> None:
            for variable, value in zip(self.model.trainable_variables, self.own, strict=True):
                variable.assign(value)

    return Keeper()


def _state(model: "keras.Model") -> list:
    """Return every variable that training moves: weights, seeds of dropout, the optimizer's."""
    return [v for layer in model.layers for v in layer.variables] + model.optimizer.variables


def _save(model: "keras.Model", path: Path, about: dict[str, Any]) -> None:
    """Write the whole state of a run into one file: beside it first, then renamed in one step."""
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        np.savez(file, json.dumps(about), *(variable.numpy() for variable in _state(model)))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _restore(model: "keras.Model", path: Path, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Put a run's state back into a compiled network and return its history so far."""
    try:
        with np.load(path) as file:
            about, *arrays = (file[name] for name in file.files)
        about = json.loads(str(about))
    except Exception as error:  # zipfile, NumPy and JSON each have errors of their own
        raise LearnerError(
            f"The checkpoint {path.name} cannot be read ({error}); "
            "delete it, and the run starts from the beginning."
        ) from error
    run = json.loads(json.dumps(run))  # tuples become lists, as in the file
    if other := [key for key in run if about["run"][key] != run[key]]:
        raise LearnerError(
            f"The checkpoint {path.name} belongs to another run (another {', '.join(other)}); "
            "choose another name, or delete it to start anew."
        )
    for variable, array in zip(_state(model), arrays, strict=True):
        variable.assign(array)
    return about["rows"]


def evaluate(model: "keras.Model", split: Split) -> dict[str, Any]:
    """Count what a network gets right, each image once.

    The result has correct, total, accuracy, interval (95%) and probabilities ((N,), of a dog).
    """
    probabilities = model.predict(split.images, batch_size=100, verbose=0)[:, 0].astype(float)
    correct, total = int(np.sum((probabilities > 0.5) == split.labels)), len(split.labels)
    return {
        "correct": correct,
        "total": total,
        "accuracy": correct / total,
        "interval": confidence_interval(correct, total),
        "probabilities": probabilities,
    }


def train(
    pets: Pets, *, recipe: Recipe, seed: int = 0, name: str | None = None, validate_every: int = 1
) -> None:
    """Train a network from scratch; write its weights and its record into the cache's ``runs``.

    A run of the same name (by default the recipe's name and the seed) that was stopped half-way
    goes on from its last whole epoch. The accuracy in the record (JSON), printed too, is that of
    the weights as stored, on the validation images after the last epoch; nothing was chosen by it.
    """
    folder, name = cache_folder() / "runs", name or f"{recipe.name}-seed{seed}"
    folder.mkdir(exist_ok=True)
    checkpoint, path = folder / f"{name}.npz", folder / f"{name}.json"
    any_side = {"side": None} if recipe.sides else {}
    model = NETWORKS[recipe.network](seed=seed, dropout=recipe.dropout, **any_side)
    options = {"validate_every": validate_every, "checkpoint": checkpoint, "verbose": 2}
    rows = fit(model, pets, recipe=recipe, seed=seed, **options)
    weights = save_weights(model, folder / f"{name}.weights.h5", network=recipe.network)
    stored = NETWORKS[recipe.network]()
    stored.load_weights(folder / weights["file"])
    learnt, result = evaluate(stored, pets.train), evaluate(stored, pets.validation)
    del learnt["probabilities"]
    versions = {package: version(package) for package in ("tensorflow", "keras", "numpy")}
    # How many processors this process may use; `taskset` can allow fewer than there are.
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    record = {
        "recipe": asdict(recipe),
        "seed": seed,
        "data": {"source": pets.source, "held_out": pets.held_out, "sha256": pets.digest},
        "versions": {"python": sys.version.split()[0], **versions, "threads": str(allowed)},
        "classes": CLASS_NAMES,
        "weights": weights,
        "history": rows,
        "train": learnt,
        "validation": result | {"labels": "".join(map(str, pets.validation.labels))},
    }
    whole = json.dumps(record, default=np.ndarray.tolist)
    rounded = json.loads(whole, parse_float=lambda digits: round(float(digits), 5))
    path.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
    checkpoint.unlink()
    low, high = result["interval"]
    print(
        f"{name}: {result['correct']} of {result['total']} validation images right, "
        f"{result['accuracy']:.1%} (95% interval {low:.1%} to {high:.1%}). Written: {path}"
    )


def confidence_interval(correct: int, total: int) -> tuple[float, float]:
    """Return the 95% interval of a share, by Wilson's method."""
    from scipy.stats import binomtest

    return tuple(map(float, binomtest(int(correct), int(total)).proportion_ci(method="wilson")))


def mean_accuracy(runs: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Return the mean accuracy of several seeds' records, and its 95% interval (low, high).

    Both kinds of luck are in it: which photos were asked about, and which seeds were drawn. The
    variance is that of the photos' mean marks (each photo's share of seeds that are right) over
    their number, plus that of the seeds' accuracies over theirs: that of a difference of two means
    (0 here) in B. L. Welch (1947), "The generalization of 'Student's' problem when several
    different population variances are involved", which takes into account that three seeds tell
    little of how far seeds lie apart. One run alone gets its Wilson interval, which knows nothing
    of the seeds.
    """
    from scipy import stats

    results = [run["validation"] for run in runs]
    mean = float(np.mean([result["accuracy"] for result in results]))
    if len(runs) == 1:
        return mean, *results[0]["interval"]
    labels = np.array([list(result["labels"]) for result in results]) == "1"
    marks = labels == (np.array([result["probabilities"] for result in results]) > 0.5)
    photos, seeds = marks.mean(axis=0), marks.mean(axis=1)
    apart = stats.ttest_ind(photos, seeds, equal_var=False).confidence_interval()
    return mean, mean + float(apart.low), mean + float(apart.high)


def load_runs(recipe: str) -> list[dict[str, Any]]:
    """Return the records of a recipe's runs on the photos that ship in data/, by seed."""
    paths = [*data_folder().glob("*.json"), *data_folder().glob("runs/*.json")]
    records = (json.loads(path.read_text(encoding="utf-8")) for path in paths)
    runs = [record for record in records if record["recipe"]["name"] == recipe]
    return sorted(runs, key=lambda record: record["seed"])


def accuracy_table() -> str:
    """Return the README's table of accuracies, Markdown, made from the records that ship."""
    seeds = "seeds: right of 1,000 validation photos"
    lines = [f"| recipe | parameters | epochs | {seeds} | mean | 95% interval | training photos |"]
    lines.append("|---" * 7 + "|")
    for name, recipe in RECIPES.items():
        runs = load_runs(name)
        mean, low, high = mean_accuracy(runs)
        seeds = ", ".join(f"{run['validation']['accuracy']:.1%}" for run in runs)
        learnt = np.mean([run["train"]["accuracy"] for run in runs])
        parameters = NETWORKS[recipe.network]().count_params()
        lines.append(
            f"| {name} | {parameters:,} | {recipe.epochs} | {seeds} "
            f"| **{mean:.1%}** | {low:.1%} to {high:.1%} | {learnt:.1%} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a terminal: ``python -m helpers.training --help``. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m helpers.training", description=__doc__)
    add = parser.add_argument
    add("--recipe", choices=RECIPES, default="regularised")
    add("--seed", type=int, default=0)
    add("--name", help="name of the files (default: recipe and seed)")
    add("--validate-every", type=int, default=1, help="epochs between looks (default 1; 0: never)")
    hold = "to choose a recipe: learn from all but N training images and examine with these"
    add("--hold-out", type=int, default=0, metavar="N", help=hold)
    add("--table", action="store_true", help="only print the accuracies of the runs that ship")
    options = parser.parse_args(arguments)
    if options.table:
        print(accuracy_table())
        return 0
    try:
        pets = hold_out(load_pets("photos"), count=options.hold_out)
        recipe, every = RECIPES[options.recipe], options.validate_every
        train(pets, recipe=recipe, seed=options.seed, name=options.name, validate_every=every)
    except (LearnerError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
