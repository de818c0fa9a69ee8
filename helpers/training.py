"""Train a network as lesson 4 does, by a recipe, with checkpoints and a record of the run.

``python -m helpers.training --help`` trains on the photos from a terminal. Every random choice
(the order of the pictures, how each is cropped and coloured) is a function of the seed, the step
and the place in the batch, so a run that was stopped or killed goes on as if nothing had happened:
bit for bit, on a machine with the same number of threads.
"""

import argparse
import dataclasses
import functools
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.errors import LearnerError
from helpers.images import cache_folder, data_folder
from helpers.model import NETWORKS, load_trained, save_trained
from helpers.pets import CLASS_NAMES, PetsError, hold_out, load_pets

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from helpers.pets import Pets, Split


class TrainingError(LearnerError):
    """A run that cannot go on: its checkpoint is damaged or belongs to another run."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained: everything but the network, the pictures and the seed.

    Attributes
    ----------
    name : str
    epochs : int
    batch_size : int
    steps_per_epoch : int or None
        None: as many steps as one pass over every picture takes.
    optimizer : str
        "rmsprop" or "adamw".
    learning_rate : float
        Constant, or where `cosine` starts.
    cosine : bool
        Let the learning rate fall to zero along half a cosine.
    weight_decay : float
        For AdamW.
    averaging : float
        Momentum of an exponential moving average of the weights, which replaces them at the end;
        0 for none.
    dropout : float
        See `build_model`.
    smallest_crop : float
        The smallest share of a picture's area that a random crop keeps; 1 for no crops.
    flip : bool
        Mirror half of the pictures left to right.
    color : float
        How far brightness, contrast and saturation may each move; 0.3 is from 0.7 to 1.3 times.
    mixup : float
        The largest share of another picture, and of its label, that is mixed into each picture.
    network : str
        Which network of `helpers.model.NETWORKS`.
    sides : tuple of int
        Sides, in pixels, of the pictures learnt from, each for an equal part of the run: small ones
        first cost little time. Empty: as they are. A network is always examined at 150.
    warmup_epochs : int
        In which the learning rate rises to `learning_rate`, before the cosine.
    """

    name: str
    epochs: int
    batch_size: int
    steps_per_epoch: int | None = None
    optimizer: str = "rmsprop"
    learning_rate: float = 0.001
    cosine: bool = False
    weight_decay: float = 0.0
    averaging: float = 0.0
    dropout: float = 0.0
    smallest_crop: float = 1.0
    flip: bool = False
    color: float = 0.0
    mixup: float = 0.0
    network: str = "article"
    sides: tuple[int, ...] = ()
    warmup_epochs: int = 0


# The article's recipe as it stands: 10 epochs of 8 steps of 128 pictures, half of them each epoch.
ARTICLE = Recipe(name="article", epochs=10, batch_size=128, steps_per_epoch=8)
# The same, with every picture in each epoch.
EVERY_PHOTO = dataclasses.replace(ARTICLE, name="every-photo", epochs=30, steps_per_epoch=None)
# The same layers, held back from memorising: no two epochs show a picture alike.
REGULARISED = Recipe(
    name="regularised",
    epochs=250,
    batch_size=50,
    optimizer="adamw",
    cosine=True,
    weight_decay=0.2,
    averaging=0.998,
    dropout=0.5,
    smallest_crop=0.35,
    flip=True,
    color=0.3,
    mixup=0.2,
)
# Lesson 4's last section: the same number of parameters, spent better.
RESIDUAL = Recipe(
    name="residual",
    network="residual",
    epochs=100,
    batch_size=40,
    optimizer="adamw",
    learning_rate=0.002,
    cosine=True,
    warmup_epochs=4,
    weight_decay=0.05,
    averaging=0.995,
    dropout=0.3,
    smallest_crop=0.35,
    flip=True,
    color=0.3,
    mixup=0.2,
    sides=(48, 64, 80, 96, 112),
)
# Twice as long: what is left to gain when nothing else changes.
LONGER = dataclasses.replace(RESIDUAL, name="residual-longer", epochs=200)
# The way there: the same recipe for the networks between the article's and that one.
STEPS = [
    dataclasses.replace(RESIDUAL, name=n, network=n) for n in ("average", "normalized", "wider")
]
RECIPES = {r.name: r for r in (ARTICLE, EVERY_PHOTO, REGULARISED, *STEPS, RESIDUAL, LONGER)}


def augment(
    pictures: "tf.Tensor",
    *,
    seed: Sequence[int],
    smallest_crop: float = 0.5,
    flip: bool = True,
    color: float = 0.3,
    side: "int | tf.Tensor | None" = None,
) -> "tf.Tensor":
    """Crop, mirror and recolour each picture of a batch at random.

    Parameters
    ----------
    pictures : (N, H, W, 3) array or tensor
        From 0 to 255.
    seed : two ints
        The same seed gives the same pictures.
    smallest_crop, flip, color
        As in `Recipe`.
    side : int, optional
        Of the square pictures that come out; by default they keep their height and width.

    Returns
    -------
    (N, H, W, 3) or (N, side, side, 3) float32 tensor
        From 0 to 255. One crop-and-resize for the whole batch does crop, zoom and mirror at once
        (a box whose left and right are swapped is a mirrored one).
    """
    import tensorflow as tf

    pictures = tf.convert_to_tensor(pictures)
    count, height, width = tf.shape(pictures)[0], pictures.shape[1], pictures.shape[2]
    random = tf.unstack(tf.random.stateless_uniform([8, count], seed=seed))
    area = smallest_crop + (1 - smallest_crop) * random[0]
    share = tf.sqrt(area)
    aspect = tf.minimum(math.sqrt(4 / 3), 1 / share) ** (2 * random[1] - 1)
    tall, wide = share * aspect, share / aspect  # neither above 1
    top, left = random[2] * (1 - tall), random[3] * (1 - wide)
    mirrored = (random[4] < 0.5) if flip else tf.zeros_like(random[4], tf.bool)
    first, last = tf.where(mirrored, left + wide, left), tf.where(mirrored, left, left + wide)
    boxes = tf.stack([top, first, top + tall, last], axis=1)
    size = [height, width] if side is None else [side, side]
    x = tf.image.crop_and_resize(pictures, boxes, tf.range(count), size)
    if not color:
        return x
    return _compiled(_recolored)(x, 1 + color * (2 * tf.stack(random[5:]) - 1))


@functools.cache
def _compiled(function: Callable) -> Callable:
    """Return a function of tensors that XLA compiles: one pass over the pictures, not ten."""
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


def _recolored(x: "tf.Tensor", factors: "tf.Tensor") -> "tf.Tensor":
    """Change (N, H, W, 3) pictures by (3, N) factors of brightness, contrast and saturation."""
    import tensorflow as tf

    brightness, contrast, saturation = tf.unstack(factors[:, :, None, None, None])
    grey = tf.reduce_mean(x, axis=3, keepdims=True)
    mean = tf.reduce_mean(grey, axis=[1, 2], keepdims=True)
    # x + saturation, then contrast, then brightness, multiplied out
    x = brightness * contrast * saturation * x + (
        brightness * (contrast * (1 - saturation) * grey + (1 - contrast) * mean)
    )
    return tf.clip_by_value(x, 0, 255)


def mix(
    pictures: "tf.Tensor", labels: "tf.Tensor", *, seed: Sequence[int], most: float
) -> tuple["tf.Tensor", "tf.Tensor"]:
    """Lay a little of another picture of the batch over each, and mix their labels alike.

    Parameters
    ----------
    pictures : (N, H, W, 3) float tensor
    labels : (N, 1) float tensor
    seed : two ints
    most : float
        The largest share of the other picture; shares are drawn evenly from 0 to `most`.

    References
    ----------
    H. Zhang, M. Cisse, Y. Dauphin and D. Lopez-Paz (2018), "mixup: beyond empirical risk
    minimization". There the shares follow a beta distribution.
    """
    import tensorflow as tf

    pictures = tf.cast(pictures, tf.float32)
    share = tf.random.stateless_uniform([tf.shape(pictures)[0], 1], seed=seed, maxval=most)
    laid_over = _compiled(_laid_over)
    return laid_over(pictures, share[:, :, None, None]), laid_over(labels, share)


def _laid_over(x: "tf.Tensor", share: "tf.Tensor") -> "tf.Tensor":
    """Mix each item of a batch with the one as far from the other end."""
    return x + share * (x[::-1] - x)


def training_batches(
    split: "Split",
    *,
    recipe: Recipe,
    seed: int,
    start_epoch: int = 0,
) -> "tf.data.Dataset":
    """Return every batch that a run still needs, from the first step of `start_epoch` on.

    Pictures stay uint8 in memory. Each pass over them has an order of its own, and an epoch is
    `steps_per_epoch` batches of the passes laid end to end.

    Returns
    -------
    tf.data.Dataset
        Of ((B, H, W, 3) uint8 or, augmented, float32 pictures, (B, 1) float32 labels).
    """
    import tensorflow as tf

    count, size = len(split.labels), recipe.batch_size
    pictures = tf.constant(split.images)
    labels = tf.constant(np.asarray(split.labels, np.float32).reshape(-1, 1))
    per_pass = math.ceil(count / size)
    steps = steps_per_epoch(recipe, count)
    changed = recipe.smallest_crop < 1 or recipe.flip or recipe.color > 0 or recipe.sides

    def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(count), seed=tf.stack([seed, 2 * (step // per_pass)])
        )
        first = (step % per_pass) * size
        chosen = order[first : first + size]
        x, y = tf.gather(pictures, chosen), tf.gather(labels, chosen)
        if changed:
            x = augment(
                x,
                seed=tf.stack([seed, 2 * step + 1]),
                smallest_crop=recipe.smallest_crop,
                flip=recipe.flip,
                color=recipe.color,
                side=_side(step, steps=steps, recipe=recipe),
            )
        if recipe.mixup:
            x, y = mix(x, y, seed=tf.stack([seed + 1, 2 * step + 1]), most=recipe.mixup)
        return x, y

    todo = tf.data.Dataset.range(start_epoch * steps, recipe.epochs * steps)
    todo = todo.map(lambda step: tf.cast(step, tf.int32))
    return todo.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)


def _side(step: "tf.Tensor", *, steps: int, recipe: Recipe) -> "tf.Tensor | None":
    """Return the side of the pictures at a step of the run, or None for their own."""
    import tensorflow as tf

    if not recipe.sides:
        return None
    return tf.constant(recipe.sides)[step * len(recipe.sides) // (steps * recipe.epochs)]


def steps_per_epoch(recipe: Recipe, count: int) -> int:
    """Return how many batches one epoch of a recipe takes from `count` pictures."""
    return recipe.steps_per_epoch or math.ceil(count / recipe.batch_size)


def compile_model(model: "keras.Model", *, recipe: Recipe, steps: int) -> None:
    """Give a network the recipe's optimizer, and the loss and metric of lesson 4.

    Parameters
    ----------
    steps : int
        Steps of the whole run, for the cosine.
    """
    import keras

    rate = recipe.learning_rate
    if recipe.cosine:
        warmup = steps * recipe.warmup_epochs // recipe.epochs
        rate = keras.optimizers.schedules.CosineDecay(
            rate / 20 if warmup else rate,
            steps - warmup,
            warmup_target=rate if warmup else None,
            warmup_steps=warmup,
        )
    average = {"use_ema": True, "ema_momentum": recipe.averaging} if recipe.averaging else {}
    if recipe.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **average)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    elif recipe.optimizer == "rmsprop":
        optimizer = keras.optimizers.RMSprop(rate, **average)
    else:
        raise ValueError(f"{recipe.optimizer!r} is no optimizer of a recipe: rmsprop or adamw.")
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=[_accuracy()])


def _accuracy() -> "keras.metrics.Metric":
    """Return the share of answers on the label's side of 1/2, for mixed labels as for whole ones.

    Keras's own wants labels of exactly 0 or 1.
    """
    import keras

    def accuracy(labels: "tf.Tensor", answers: "tf.Tensor") -> "tf.Tensor":
        labels = keras.ops.cast(labels, answers.dtype)
        return keras.ops.mean((labels > 0.5) == (answers > 0.5), axis=-1)

    return keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")


def fit(
    model: "keras.Model",
    pets: "Pets",
    *,
    recipe: Recipe = ARTICLE,
    seed: int = 0,
    checkpoint: Path | None = None,
    validate_every: int = 1,
    callbacks: Sequence["keras.callbacks.Callback"] = (),
) -> list[dict[str, Any]]:
    """Train a network by a recipe; go on where `checkpoint` stands, if there is one.

    What stands in lesson 4 as ``model.compile`` and ``model.fit``, with the order, the
    augmentation and the checkpoints around it.

    Parameters
    ----------
    model : keras.Model
        Freshly built; `build_model` with the same seed each time, or a resumed run differs.
    pets : Pets
        The training pictures are learnt from. The validation pictures are only watched.
    seed : int
        For order and augmentation.
    checkpoint : Path, optional
        A file, written after every epoch in one step (beside, then renamed).
    validate_every : int
        Watch the validation pictures every so many epochs; 0 for never.

    Returns
    -------
    list of dict
        One row per epoch: epoch (from 1), loss, accuracy, seconds, and where they were looked at
        val_loss and val_accuracy (with the averaged weights, where the recipe averages).

    Raises
    ------
    TrainingError
        The checkpoint is damaged, or belongs to another recipe, seed or set of pictures.
    """
    steps = steps_per_epoch(recipe, len(pets.train.labels))
    compile_model(model, recipe=recipe, steps=steps * recipe.epochs)
    model.optimizer.build(model.trainable_variables)
    run = {"recipe": asdict(recipe), "seed": seed, "data": pets.digest, "layers": model.name}
    run = json.loads(json.dumps(run))  # tuples become lists, as in a checkpoint
    rows: list[dict[str, Any]] = []
    if checkpoint is not None and Path(checkpoint).exists():
        rows = restore_checkpoint(model, path=Path(checkpoint), run=run)
    if len(rows) >= recipe.epochs:
        model.optimizer.finalize_variable_values(model.trainable_variables)
        settle_normalization(model, pets.train.images)
        return rows
    watch = {}
    if validate_every:
        validation = (pets.validation.images, np.reshape(pets.validation.labels, (-1, 1)))
        watch = {"validation_data": _in_batches(*validation), "validation_freq": validate_every}
    keeper = _keeper(rows=rows, run=run, path=checkpoint, steps=steps, recipe=recipe)
    model.fit(
        training_batches(pets.train, recipe=recipe, seed=seed, start_epoch=len(rows)),
        epochs=recipe.epochs,
        initial_epoch=len(rows),
        steps_per_epoch=steps,
        callbacks=[keeper, *callbacks],
        shuffle=False,
        verbose=0,
        **watch,
    )
    settle_normalization(model, pets.train.images)
    return rows


def settle_normalization(model: "keras.Model", pictures: np.ndarray) -> None:
    """Measure the means and variances of batch normalisation anew, on whole training pictures.

    Those kept during the training belong to the weights before they were averaged, and to small,
    cropped and mixed pictures: without this step the network of lesson 4's last section calls too
    many of its own training dogs cats. A network without batch normalisation stays as it is.

    Parameters
    ----------
    pictures : (N, H, W, 3) array
        From 0 to 255; taken in batches of 100, in an order that mixes the classes.

    References
    ----------
    P. Izmailov and others (2018), "Averaging weights leads to wider optima and better
    generalization", section 3.2, does so after averaging weights.
    """
    from keras import layers

    each = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    if not each:
        return
    momenta = [layer.momentum for layer in each]
    order = np.random.default_rng(0).permutation(len(pictures))
    for batch, first in enumerate(range(0, len(pictures), 100)):
        for layer in each:
            layer.momentum = batch / (batch + 1)  # so the mean of all batches so far is kept
        model(pictures[order[first : first + 100]].astype(np.float32), training=True)
    for layer, momentum in zip(each, momenta, strict=True):
        layer.momentum = momentum


def _in_batches(pictures: np.ndarray, labels: np.ndarray) -> "tf.data.Dataset":
    import tensorflow as tf

    data = tf.data.Dataset.range(0, len(labels), 100)
    x, y = tf.constant(pictures), tf.constant(labels, tf.float32)
    return data.map(lambda first: (x[first : first + 100], y[first : first + 100])).prefetch(1)


def _keeper(
    *, rows: list, run: dict, path: Path | None, steps: int, recipe: Recipe
) -> "keras.callbacks.Callback":
    """Return the callback that keeps the history, writes checkpoints, and tests on the average."""
    import keras

    class Keeper(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            self.begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            if self.model.optimizer.iterations.numpy() < (epoch + 1) * steps:
                return  # stopped in mid-epoch: what was learnt stays, but no whole epoch is kept
            values = {name: float(value) for name, value in logs.items()}
            rows.append({"epoch": epoch + 1, **values, "seconds": time.perf_counter() - self.begun})
            if path is not None:
                save_checkpoint(self.model, path=Path(path), run=run, rows=rows)

        def on_test_begin(self, logs: dict | None = None) -> None:
            if recipe.averaging:
                self.own = [variable.numpy() for variable in self.model.trainable_variables]
                self.model.optimizer.finalize_variable_values(self.model.trainable_variables)

        def on_test_end(self, logs: dict | None = None) -> None:
            if recipe.averaging:
                for variable, value in zip(self.model.trainable_variables, self.own, strict=True):
                    variable.assign(value)

    return Keeper()


def _state(model: "keras.Model") -> list:
    """Return every variable that training moves: weights, seeds of dropout, the optimizer's."""
    return [v for layer in model.layers for v in layer.variables] + model.optimizer.variables


def save_checkpoint(
    model: "keras.Model", *, path: Path, run: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    """Write the whole state of a run into one file: beside it first, then renamed in one step."""
    arrays = {f"variable_{i}": v.numpy() for i, v in enumerate(_state(model))}
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        np.savez(file, about=np.array(json.dumps({"run": run, "rows": rows})), **arrays)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def restore_checkpoint(
    model: "keras.Model", *, path: Path, run: dict[str, Any]
) -> list[dict[str, Any]]:
    """Put a run's state back into a compiled network and return its history so far.

    Raises
    ------
    TrainingError
        The file is damaged, or belongs to another recipe, seed, network or set of pictures.
    """
    variables = _state(model)
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            arrays = [file[f"variable_{i}"] for i in range(len(file.files) - 1)]
    except Exception as error:  # zipfile, NumPy and JSON each have errors of their own
        raise TrainingError(
            f"The checkpoint {path.name} cannot be read ({error}); "
            "delete it, and the run starts from the beginning."
        ) from error
    other = [key for key in run if about["run"].get(key) != run[key]]
    if not other and [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
        other = ["layers"]
    if other:
        raise TrainingError(
            f"The checkpoint {path.name} belongs to another run (another {', '.join(other)}); "
            "choose another name, or delete it to start anew."
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return about["rows"]


def confidence_interval(correct: int, total: int) -> tuple[float, float]:
    """Return the 95% interval of a share, by Wilson's method.

    References
    ----------
    E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    z, share = 1.959964, correct / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total)
    half *= math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return middle - half, middle + half


def mean_accuracy(runs: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Return the mean accuracy of several seeds' records, and its 95% interval (low, high).

    Both kinds of luck are in it: which photos were asked about, and which seeds were drawn. The
    variance is that of the photos' mean marks (each photo's share of seeds that are right) over
    their number, plus that of the seeds' accuracies over theirs; Student's t takes into account
    that three seeds tell little of how far seeds lie apart. One run alone gets its Wilson interval,
    which knows nothing of the seeds.

    References
    ----------
    F. E. Satterthwaite (1946), "An approximate distribution of estimates of variance components",
    for the degrees of freedom of a sum of variances.
    """
    from scipy import stats

    results = [run["validation"] for run in runs]
    mean = float(np.mean([result["accuracy"] for result in results]))
    if len(runs) == 1:
        return mean, *results[0]["interval"]
    marks = np.array(
        [
            (np.array(result["probabilities"]) > 0.5) == (np.array(list(result["labels"])) == "1")
            for result in results
        ]
    )
    each = [marks.mean(axis=0), marks.mean(axis=1)]  # photos, seeds
    parts = [x.var(ddof=1) / len(x) for x in each]
    freedom = sum(parts) ** 2 / sum(v**2 / (len(x) - 1) for v, x in zip(parts, each, strict=True))
    half = stats.t.ppf(0.975, freedom) * math.sqrt(sum(parts))
    return mean, mean - half, mean + half


def evaluate(model: "keras.Model", split: "Split") -> dict[str, Any]:
    """Count what a network gets right, each picture once.

    Returns
    -------
    dict
        correct, total, accuracy, interval (95%), confusion ([[cats called cats, cats called
        dogs], [dogs called cats, dogs called dogs]]), loss (mean binary cross-entropy) and
        probabilities ((N,) float array, of a dog).
    """
    labels = np.asarray(split.labels).astype(int).ravel()
    probabilities = model.predict(split.images, batch_size=100, verbose=0)[:, 0].astype(float)
    answers = (probabilities > 0.5).astype(int)
    confusion = [[int(np.sum((labels == t) & (answers == a))) for a in (0, 1)] for t in (0, 1)]
    correct, total = confusion[0][0] + confusion[1][1], len(labels)
    given = np.clip(np.where(labels == 1, probabilities, 1 - probabilities), 1e-7, 1)
    return {
        "correct": correct,
        "total": total,
        "accuracy": correct / total,
        "interval": list(confidence_interval(correct, total)),
        "confusion": confusion,
        "loss": float(-np.log(given).mean()),
        "probabilities": probabilities,
    }


def train(
    *,
    recipe: Recipe,
    seed: int = 0,
    out: Path | None = None,
    name: str | None = None,
    resume: bool = False,
    validate_every: int = 1,
    pets: "Pets | None" = None,
) -> Path:
    """Train a network from scratch and write its weights and its record.

    Parameters
    ----------
    out : Path, optional
        A folder; by default ``runs`` in the cache folder.
    name : str, optional
        Of the files; by default the recipe's name and the seed.
    resume : bool
        Go on from the last whole epoch of a run of that name, if there is one.

    Returns
    -------
    Path
        The record, JSON. The accuracy in it is that of the weights as stored, on the validation
        pictures, each counted once, after the last epoch; nothing was chosen by it.

    Raises
    ------
    TrainingError
        A run of that name stands half-way and `resume` is False, or its checkpoint is damaged or
        belongs to another run.
    """
    pets = load_pets() if pets is None else pets
    out = cache_folder() / "runs" if out is None else Path(out)
    out.mkdir(parents=True, exist_ok=True)
    name = name or f"{recipe.name}-seed{seed}"
    checkpoint = out / f"{name}.npz"
    if checkpoint.exists() and not resume:
        raise TrainingError(
            f"A run called {name} stands half-way in {checkpoint}: go on with --resume "
            "(resume=True), choose another --name, or delete that file to start anew."
        )
    any_side = {"side": None} if recipe.sides else {}
    model = NETWORKS[recipe.network](seed=seed, dropout=recipe.dropout, **any_side)
    rows = fit(
        model,
        pets,
        recipe=recipe,
        seed=seed,
        checkpoint=checkpoint,
        validate_every=validate_every,
        callbacks=[_log_lines(recipe)],
    )
    record = {
        "recipe": asdict(recipe),
        "seed": seed,
        "data": {
            "source": pets.source,
            "origin": pets.origin,
            "sha256": pets.digest,
            "held_out": pets.held_out,
            "training": len(pets.train.labels),
            "validation": len(pets.validation.labels),
        },
        "versions": _versions(),
        "classes": list(CLASS_NAMES),
        "history": [_rounded(row) for row in rows],
    }
    save_trained(model, name=name, record=record, network=recipe.network, folder=out)
    stored = load_trained(name, folder=out)
    for part in ("train", "validation"):
        result = evaluate(stored, getattr(pets, part))
        record[part] = _rounded({k: v for k, v in result.items() if k != "probabilities"})
    record["validation"]["chose"] = (
        "recipes: these are training photos, held out"
        if pets.held_out
        else "nothing: the recipe was frozen and the last epoch counts"
    )
    record["validation"]["labels"] = "".join(str(int(x)) for x in pets.validation.labels)
    record["validation"]["probabilities"] = [round(float(p), 4) for p in result["probabilities"]]
    path = save_trained(model, name=name, record=record, network=recipe.network, folder=out)
    checkpoint.unlink()
    return path


def recipe_of(record: dict[str, Any]) -> Recipe:
    """Return the recipe that a record tells of; what it does not tell was left at the default."""
    told = record["recipe"]
    return Recipe(**{**told, "sides": tuple(told.get("sides", ()))})


def load_runs(recipe: str, *, folder: Path | None = None) -> list[dict[str, Any]]:
    """Return the records of a recipe's runs on the photos that ship in data/, by seed."""
    folder = data_folder() if folder is None else Path(folder)
    records = []
    for path in [*folder.glob("*.json"), *folder.glob("runs/*.json")]:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.get("recipe", {}).get("name") == recipe:
            records.append(record)
    return sorted(records, key=lambda record: record["seed"])


def accuracy_table(*, folder: Path | None = None) -> str:
    """Return the README's table of accuracies, Markdown, made from the records that ship."""
    lines = [
        "| recipe | parameters | epochs | seeds: right of 1,000 validation photos | mean "
        "| 95% interval | training photos |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, recipe in RECIPES.items():
        runs = load_runs(name, folder=folder)
        if not runs:
            continue
        mean, low, high = mean_accuracy(runs)
        seeds = ", ".join(f"{run['validation']['accuracy']:.1%}" for run in runs)
        learnt = np.mean([run["train"]["accuracy"] for run in runs])
        parameters = NETWORKS[recipe.network]().count_params()
        lines.append(
            f"| {name} | {parameters:,} | {recipe.epochs} | {seeds} "
            f"| **{mean:.1%}** | {low:.1%} to {high:.1%} | {learnt:.1%} |"
        )
    return "\n".join(lines)


def _log_lines(recipe: Recipe) -> "keras.callbacks.Callback":
    import keras

    def line(epoch: int, logs: dict) -> None:
        values = "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
        print(
            f"{time.strftime('%H:%M:%S')} epoch {epoch + 1}/{recipe.epochs}  {values}", flush=True
        )

    return keras.callbacks.LambdaCallback(on_epoch_end=line)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    def short(value: Any) -> Any:
        if isinstance(value, float):
            return round(value, 5)
        return [short(item) for item in value] if isinstance(value, list) else value

    return {key: short(value) for key, value in row.items()}


def _versions() -> dict[str, str]:
    import keras
    import tensorflow as tf

    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "threads": str(_threads()),
    }


def _threads() -> int:
    """Return how many processors this process may use (`taskset` can allow fewer)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _whole(low: int, high: int = 2**31 - 1) -> Callable[[str], int]:
    """Return the argparse type of a whole number from `low` to `high`."""

    def whole_number(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{number} is not from {low} to {high}")
        return number

    return whole_number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from a terminal: ``python -m helpers.training --help``. Return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.training",
        description="Train a network by a recipe of lesson 4; write its weights and its record.",
    )
    parser.add_argument("--recipe", choices=RECIPES, default="regularised")
    parser.add_argument("--seed", type=_whole(0), default=0)
    parser.add_argument("--epochs", type=_whole(1), help="instead of the recipe's own")
    parser.add_argument("--out", type=Path, help="folder for weights, record and checkpoint")
    parser.add_argument("--name", help="name of the files (default: recipe and seed)")
    parser.add_argument("--resume", action="store_true", help="go on where a killed run stopped")
    parser.add_argument(
        "--validate-every",
        type=_whole(0),
        default=1,
        help="epochs between looks (default 1; 0: never)",
    )
    parser.add_argument(
        "--hold-out",
        type=_whole(0),
        default=0,
        metavar="N",
        help="to choose a recipe: learn from all but N training pictures and examine with these",
    )
    parser.add_argument("--data", choices=["photos", "drawn"], default="photos")
    parser.add_argument(
        "--table", action="store_true", help="only print the accuracies of the runs that ship"
    )
    options = parser.parse_args(arguments)
    if options.table:
        print(accuracy_table())
        return 0
    recipe = RECIPES[options.recipe]
    if options.epochs:
        recipe = dataclasses.replace(recipe, epochs=options.epochs)
    begun = time.perf_counter()
    try:
        path = train(
            recipe=recipe,
            seed=options.seed,
            out=options.out,
            name=options.name,
            resume=options.resume,
            validate_every=options.validate_every,
            pets=hold_out(load_pets(options.data), count=options.hold_out),
        )
    except (PetsError, TrainingError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    record = json.loads(path.read_text(encoding="utf-8"))["validation"]
    low, high = record["interval"]
    print(
        f"{recipe.name}, seed {options.seed}: {record['correct']} of {record['total']} validation "
        f"pictures right, {record['accuracy']:.1%} (95% interval {low:.1%} to {high:.1%}), "
        f"{time.perf_counter() - begun:.0f} s; written: {path}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
