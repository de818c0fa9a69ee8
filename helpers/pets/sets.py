"""What `load_pets` returns, and how it is kept on the disk."""

import dataclasses
import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers.errors import LearnerError

if TYPE_CHECKING:
    import tensorflow as tf

CLASS_NAMES: tuple[str, str] = ("cat", "dog")
A_DAY = 24 * 60 * 60  # seconds; what an interrupted run left behind is then swept away


class PetsError(LearnerError):
    """Pets that cannot be had: one sentence with what happened and what to do next."""


@dataclass(frozen=True, repr=False, eq=False)
class Split:
    """The pictures that train the network, or those that check it.

    pictures is (n, size, size, 3) uint8, labels is (n,) uint8 (0 = cat, 1 = dog), and names
    holds the n file names, or for drawn pets their kind and seed.
    """

    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]

    def __repr__(self) -> str:
        """Return a line, not the pixels: a lesson may show it."""
        return f"Split({len(self.labels):,} pictures, {int(self.labels.sum()):,} of them dogs)"


@dataclass(frozen=True, repr=False)
class Pets:
    """Training and validation pictures of cats and dogs, and where they came from.

    source is "photos" or "drawn", origin says it in a sentence, digest is the SHA-256 of all
    pictures and labels, skipped names the photos that could not be decoded, and folder is
    where the pictures are kept (None if they could not be kept). held_out counts the training
    pictures that `hold_out` put in the place of the validation pictures. Two are equal if their
    digests are, and what is said of them.
    """

    train: Split = field(compare=False)
    validation: Split = field(compare=False)
    source: str
    origin: str
    digest: str
    skipped: tuple[str, ...] = ()
    folder: Path | None = field(default=None, compare=False)
    class_names: tuple[str, str] = CLASS_NAMES
    held_out: int = 0

    def __repr__(self) -> str:
        """Return a line, not the pixels: a lesson may show it."""
        return f"Pets({self.source}: train={self.train!r}, validation={self.validation!r})"


def hold_out(pets: Pets, *, count: int) -> Pets:
    """Put some training pictures in the place of the validation pictures, to choose a recipe by.

    Half of the `count` are cats and half are dogs, always the same ones; the rest is learnt from.
    The validation pictures proper are not in what is returned, so nothing can be chosen by them.
    A count of 0 returns `pets`.

    Raises
    ------
    PetsError
        The count is odd, or leaves nothing to learn from.
    """
    if not count:
        return pets
    random, train = np.random.default_rng(0), pets.train
    each = [random.permutation(np.flatnonzero(train.labels == label)) for label in (0, 1)]
    most = 2 * min(map(len, each)) - 2
    if count % 2 or not 0 < count <= most:
        raise PetsError(
            f"{count} training pictures cannot be held out, half of them cats and half dogs: "
            f"choose an even number from 2 to {most}."
        )
    held = np.concatenate([numbers[: count // 2] for numbers in each])
    rest = np.setdiff1d(np.arange(len(train.labels)), held)
    return dataclasses.replace(
        pets,
        train=_part(train, rest),
        validation=_part(train, held),
        held_out=len(held),
        digest=hashlib.sha256(f"{pets.digest} {count}".encode()).hexdigest(),
    )


def _part(split: Split, numbers: np.ndarray) -> Split:
    names = tuple(split.names[i] for i in numbers)
    return Split(split.images[numbers], split.labels[numbers], names)


class Stored(NamedTuple):
    """All pictures of one source in one array, the training ones first; see `Split`."""

    images: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    training: int
    skipped: tuple[str, ...] = ()
    digest: str = ""

    @property
    def train(self) -> Split:
        """The training pictures."""
        cut = self.training
        return Split(self.images[:cut], self.labels[:cut], self.names[:cut])

    @property
    def validation(self) -> Split:
        """The validation pictures."""
        cut = self.training
        return Split(self.images[cut:], self.labels[cut:], self.names[cut:])


def sealed(stored: Stored) -> Stored:
    """Return pictures with their digest.

    It is the SHA-256 of the shape, the pictures, the labels and where training ends.
    """
    total = hashlib.sha256(f"{stored.images.shape} {stored.training}".encode())
    total.update(np.ascontiguousarray(stored.images))
    total.update(np.ascontiguousarray(stored.labels))
    return stored._replace(digest=total.hexdigest())


def save(stored: Stored, folder: Path) -> None:
    """Write pictures into a folder: beside it first, then renamed in one step."""
    with beside(folder) as part:
        np.save(part / "pictures.npy", stored.images)
        record = {
            "digest": stored.digest,
            "labels": stored.labels.tolist(),
            "names": stored.names,
            "training": stored.training,
            "skipped": stored.skipped,
        }
        (part / "record.json").write_text(json.dumps(record), encoding="utf-8")


def read(folder: Path) -> Stored:
    """Return the pictures that `save` wrote.

    Raises
    ------
    PetsError
        If they are not what was written; the digest is taken of all of it (0.2 s).
    """
    try:
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        stored = Stored(
            np.load(folder / "pictures.npy", allow_pickle=False),
            np.array(record["labels"], np.uint8),
            tuple(record["names"]),
            int(record["training"]),
            tuple(record["skipped"]),
        )
        stored = sealed(stored)
        whole = stored.digest == record["digest"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, SyntaxError) as error:
        raise PetsError(f"The pictures kept in {folder} are damaged ({error}).") from error
    if not whole:
        raise PetsError(f"The pictures kept in {folder} are damaged (their hash differs).")
    return stored


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside another, and put it in its place once all went well.

    An error or an interruption leaves what was there before: nothing, or the old whole. So does
    a process that is killed or a power cut, but for the moment between the two renames of
    `_swap`: then nothing stands in the place, and it has to be made again.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f"{folder.name}.*.part"):
        with suppress(OSError):  # another process may just have swept it away
            if time.time() - left.stat().st_mtime > A_DAY:
                shutil.rmtree(left, ignore_errors=True)
    work = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}.part")
    part = work / "new"
    try:
        part.mkdir(parents=True)
        yield part
        _swap(part, folder, aside=work / "old")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _swap(new: Path, folder: Path, *, aside: Path) -> None:
    """Rename a new folder to its place; what was there goes aside, and back if that fails.

    A process killed between the two renames leaves nothing in the place: the old folder is
    then aside, and swept away with the new one a day later.
    """
    try:
        if folder.exists():
            folder.rename(aside)
        new.rename(folder)
    except BaseException:  # an interruption by the learner is not an OSError
        if aside.exists() and not folder.exists():
            aside.rename(folder)
        raise


def as_dataset(
    split: Split, *, batch_size: int, shuffle_seed: int | None = None, repeat: bool = False
) -> "tf.data.Dataset":
    """Return pictures and labels as a tf.data pipeline of batches.

    Parameters
    ----------
    split : Split
    batch_size : int
        The last batch of a pass is smaller if the pictures do not divide evenly.
    shuffle_seed : int, optional
        Shuffle all the pictures, anew in each pass, in an order that this seed fixes.
    repeat : bool
        Start over after the last picture, without end.

    Returns
    -------
    tf.data.Dataset
        Batches of (n, size, size, 3) uint8 pictures and (n, 1) float32 labels, the shape of
        the network's answer. TensorFlow keeps one copy of the pictures; the pipeline shuffles
        their numbers and picks the pictures from that copy, batch by batch.
    """
    import tensorflow as tf

    order = tf.data.Dataset.range(len(split.labels))
    if shuffle_seed is not None:
        order = order.shuffle(len(split.labels), seed=shuffle_seed)
    if repeat:
        order = order.repeat()
    with tf.device("CPU"):
        pictures = tf.constant(split.images)
        labels = tf.constant(split.labels, tf.float32)[:, None]

    def pick(numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.gather(pictures, numbers), tf.gather(labels, numbers)

    return order.batch(batch_size).map(pick).prefetch(tf.data.AUTOTUNE)
