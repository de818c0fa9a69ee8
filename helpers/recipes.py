"""How a network is trained, and the batches that it learns from: order, augmentation, mixup.

Every random choice (the order of the images, how each is cropped and coloured) is a function of
the seed, the step and the place in the batch, so a run can go on anywhere. Lesson 4 shows a batch.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

    from helpers.pets import Split


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained: everything but the images and the seed."""

    name: str
    epochs: int
    batch_size: int
    steps_per_epoch: int | None = None  # None: as many as one pass over every image takes
    optimizer: str = "rmsprop"  # or "adamw"
    learning_rate: float = 0.001  # constant, or where the cosine starts
    cosine: bool = False  # let the learning rate fall to zero along half a cosine
    weight_decay: float = 0.0  # for AdamW
    averaging: float = 0.0  # momentum of a moving average that replaces the weights; 0: none
    dropout: float = 0.0  # see `build_model`
    smallest_crop: float = 1.0  # smallest share of an image's area that a random crop keeps
    flip: bool = False  # mirror half of the images left to right
    color: float = 0.0  # how far brightness, contrast, saturation move; 0.3: 0.7 to 1.3 times
    mixup: float = 0.0  # largest share of another image, and its label, mixed into each image
    network: str = "article"  # one of `helpers.model.NETWORKS`
    sides: tuple[int, ...] = ()  # pixels of the images learnt from, each for a part of the run
    warmup_epochs: int = 0  # in which the learning rate rises, before the cosine

    def steps(self, count: int) -> int:
        """Return how many batches one epoch takes from `count` images."""
        return self.steps_per_epoch or math.ceil(count / self.batch_size)


# The article's recipe: 10 epochs of 8 steps of 128 images, half of them each epoch.
ARTICLE = Recipe(name="article", epochs=10, batch_size=128, steps_per_epoch=8)
# The article's layers, held back from memorising: no two epochs show an image alike.
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
# Lesson 7: fewer parameters than the article's layers, spent better.
RESIDUAL = replace(
    REGULARISED,
    name="residual",
    network="residual",
    epochs=100,
    batch_size=40,
    learning_rate=0.002,
    warmup_epochs=4,
    weight_decay=0.05,
    averaging=0.995,
    dropout=0.3,
    sides=(48, 64, 80, 96, 112),
)
_all = [
    ARTICLE,
    replace(ARTICLE, name="every-photo", epochs=30, steps_per_epoch=None),  # in each epoch
    REGULARISED,
    # The way from the article's network to the residual one, all by the same recipe.
    *(replace(RESIDUAL, name=n, network=n) for n in ("average", "normalized", "wider")),
    RESIDUAL,
    replace(RESIDUAL, name="residual-longer", epochs=200),  # what is left to gain
]
RECIPES = {recipe.name: recipe for recipe in _all}


def _augmented(
    images: "tf.Tensor", *, recipe: Recipe, seed: "tf.Tensor", side: "tf.Tensor | None" = None
) -> "tf.Tensor":
    """Crop, mirror and recolour each of (N, H, W, 3) images, 0 to 255, at random.

    The same seed, two ints, gives the same images. They come out as float32, with their own height
    and width or with `side` for both. One crop-and-resize for the whole batch does crop, zoom and
    mirror at once (a box whose left and right are swapped is a mirrored one).
    """
    import tensorflow as tf

    images = tf.convert_to_tensor(images)
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    random = tf.unstack(tf.random.stateless_uniform([8, count], seed=seed))
    area = recipe.smallest_crop + (1 - recipe.smallest_crop) * random[0]
    share = tf.sqrt(area)
    aspect = tf.minimum(math.sqrt(4 / 3), 1 / share) ** (2 * random[1] - 1)
    tall, wide = share * aspect, share / aspect  # neither above 1
    top, left = random[2] * (1 - tall), random[3] * (1 - wide)
    mirrored = random[4] < (0.5 if recipe.flip else 0)
    first, last = tf.where(mirrored, left + wide, left), tf.where(mirrored, left, left + wide)
    boxes = tf.stack([top, first, top + tall, last], axis=1)
    size = [height, width] if side is None else [side, side]
    x = tf.image.crop_and_resize(images, boxes, tf.range(count), size)
    if not recipe.color:
        return x
    factors = 1 + recipe.color * (2 * tf.stack(random[5:]) - 1)
    return tf.function(_recolored, jit_compile=True)(x, factors)  # one pass over x, not ten


def _recolored(x: "tf.Tensor", factors: "tf.Tensor") -> "tf.Tensor":
    """Change (N, H, W, 3) images by (3, N) factors of brightness, contrast and saturation."""
    import tensorflow as tf

    brightness, contrast, saturation = tf.unstack(factors[:, :, None, None, None])
    grey = tf.reduce_mean(x, axis=3, keepdims=True)
    mean = tf.reduce_mean(grey, axis=[1, 2], keepdims=True)
    # x + saturation, then contrast, then brightness, multiplied out
    x = brightness * contrast * saturation * x + (
        brightness * (contrast * (1 - saturation) * grey + (1 - contrast) * mean)
    )
    return tf.clip_by_value(x, 0, 255)


def _mixed(
    images: "tf.Tensor", labels: "tf.Tensor", *, seed: "tf.Tensor", most: float
) -> tuple["tf.Tensor", "tf.Tensor"]:
    """Lay a little of another image of the batch over each, and mix their (N, 1) labels alike.

    The shares of the other image are drawn evenly from 0 to `most`; in H. Zhang, M. Cisse, Y.
    Dauphin and D. Lopez-Paz (2018), "mixup: beyond empirical risk minimization", they follow a
    beta distribution.
    """
    import tensorflow as tf

    images = tf.cast(images, tf.float32)
    share = tf.random.stateless_uniform([tf.shape(images)[0], 1], seed=seed, maxval=most)
    # Each item with the one as far from the other end.
    laid_over = tf.function(lambda x, share: x + share * (x[::-1] - x), jit_compile=True)
    return laid_over(images, share[:, :, None, None]), laid_over(labels, share)


def training_batches(
    split: "Split", *, recipe: Recipe, seed: int, start_epoch: int = 0
) -> "tf.data.Dataset":
    """Return every batch that a run still needs, from the first step of `start_epoch` on.

    They are ((B, H, W, 3) uint8 or, augmented, float32 images, (B, 1) float32 labels). Images stay
    uint8 in memory. Each pass over them has an order of its own, and an epoch is `steps_per_epoch`
    batches of the passes laid end to end.
    """
    import tensorflow as tf

    count, size = len(split.labels), recipe.batch_size
    images = tf.constant(split.images)
    labels = tf.constant(np.asarray(split.labels, np.float32).reshape(-1, 1))
    per_pass, steps = math.ceil(count / size), recipe.steps(count)
    unchanged = recipe.smallest_crop == 1 and not (recipe.flip or recipe.color or recipe.sides)

    def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(count), seed=tf.stack([seed, 2 * (step // per_pass)])
        )
        first = (step % per_pass) * size
        chosen = order[first : first + size]
        x, y = tf.gather(images, chosen), tf.gather(labels, chosen)
        if not unchanged:
            part = step * len(recipe.sides) // (steps * recipe.epochs)
            side = tf.constant(recipe.sides)[part] if recipe.sides else None
            x = _augmented(x, recipe=recipe, seed=tf.stack([seed, 2 * step + 1]), side=side)
        if recipe.mixup:
            x, y = _mixed(x, y, seed=tf.stack([seed + 1, 2 * step + 1]), most=recipe.mixup)
        return x, y

    todo = tf.data.Dataset.range(start_epoch * steps, recipe.epochs * steps)
    todo = todo.map(lambda step: tf.cast(step, tf.int32))
    return todo.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)
