"""What excites a filter most: the patches of many pictures with its highest activations."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers.activations import as_input, check_model, receptive_box, shown_layers
from helpers.images import cache_folder

if TYPE_CHECKING:
    import keras

Preprocess = Callable[[np.ndarray], np.ndarray]
VERSION = 1  # of the cached numbers


class Strongest(NamedTuple):
    """Where each filter of one layer is excited most, at most once per picture.

    All (filters, count), the highest value first; picture is -1 from where no further picture
    excites the filter (its map is the same everywhere).
    """

    value: np.ndarray
    picture: np.ndarray
    row: np.ndarray
    column: np.ndarray


class Patch(NamedTuple):
    """One patch: its (h, w, 3) uint8 pixels, the activation, the picture's number, its box."""

    pixels: np.ndarray
    value: float
    picture: int
    box: tuple[int, int, int, int]


def strongest_activations(
    model: "keras.Model",
    pictures: np.ndarray,
    *,
    count: int = 9,
    preprocess: Preprocess | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, Strongest]:
    """Return the highest activations of every filter over many pictures, by layer name.

    Computed once, then read from the cache folder: the file's name is a hash of the model's
    layers and weights, of the pictures, and of what `preprocess` does.

    Parameters
    ----------
    model : keras.Model
        Any that `helpers.activations.activation_model` takes.
    pictures : (n, H, W, 3) uint8
        Resized where the model takes another size.
    count : int
        How many for each filter.
    preprocess : callable, optional
        Takes (n, H, W, channels) float32 pictures from 0 to 255 to what the model expects, for
        example ``lambda x: x / 255`` or ``keras.applications.mobilenet.preprocess_input``.
    progress : callable, optional
        Called with (pictures done, pictures in all) after each batch.
    """
    name = f"strongest-{_digest(model, pictures, count, preprocess)}.npz"
    try:
        path = cache_folder() / name
    except OSError:  # nowhere to write: it is computed anew each time
        path = None
    found = path and _load(path)
    if not found:
        found = _search(model, pictures, count, preprocess, progress)
        if path:
            _save(path, found)
    return dict(zip([layer.name for layer in shown_layers(model)], found, strict=True))


def strongest_patches(
    model: "keras.Model",
    pictures: np.ndarray,
    found: dict[str, Strongest],
    *,
    layer: str,
    filter_number: int,
) -> list[Patch]:
    """Cut out what one filter saw where it was excited most: each the exact receptive field.

    Parameters
    ----------
    model, pictures
        As they were given to `strongest_activations`.
    found : dict
        What that returned.
    layer : str
    filter_number : int
        From 0.
    """
    height, width, _ = check_model(model)
    patches = []
    for value, number, row, column in zip(*(n[filter_number] for n in found[layer]), strict=True):
        if number < 0:
            break
        top, left, bottom, right = box = receptive_box(model, layer, int(row), int(column))
        picture = fitted(pictures[int(number)], (height, width))
        pixels = picture[top:bottom, left:right]
        patches.append(Patch(pixels, float(value), int(number), box))
    return patches


def fitted(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a uint8 picture in the size (height, width), unchanged if it has it already."""
    from helpers.images import resize

    return picture if picture.shape[:2] == size else resize(picture, size)


def _search(
    model: "keras.Model",
    pictures: np.ndarray,
    count: int,
    preprocess: Preprocess | None,
    progress: Callable[[int, int], object] | None,
    batch_size: int = 25,
) -> list[Strongest]:
    """Pass all pictures through the network, keeping of each map its highest value and place."""
    import keras
    from keras import ops

    layers = shown_layers(model)
    outputs = []
    for layer in layers:
        flat = ops.reshape(layer.output, (-1, *_flat(layer)))
        outputs.append([ops.max(flat, 1), ops.argmax(flat, 1), ops.min(flat, 1)])
    reader = keras.Model(model.inputs[0], outputs)
    parts = [[] for _ in layers]
    for start in range(0, len(pictures), batch_size):
        batch = pictures[start : start + batch_size]
        inputs = np.concatenate([as_input(model, p, preprocess=preprocess) for p in batch])
        for part, numbers in zip(parts, reader(inputs, training=False), strict=True):
            part.append([np.asarray(n) for n in numbers])
        if progress:
            progress(min(start + batch_size, len(pictures)), len(pictures))
    found = []
    for layer, part in zip(layers, parts, strict=True):
        high, place, low = (np.concatenate(numbers) for numbers in zip(*part, strict=True))
        found.append(_best(high, place, low, count, layer.output.shape[2]))
    return found


def _flat(layer: "keras.Layer") -> tuple[int, int]:
    _, height, width, filters = layer.output.shape
    return height * width, filters


def _best(
    high: np.ndarray, place: np.ndarray, low: np.ndarray, count: int, width: int
) -> Strongest:
    """Return the best `count` pictures of each filter from (pictures, filters) highest values."""
    ranked = np.where(high > low, high.astype(np.float64), -np.inf)
    order = np.argsort(-ranked, axis=0, kind="stable")[:count]
    value = np.take_along_axis(ranked, order, 0)
    row, column = np.divmod(np.take_along_axis(place, order, 0), width)
    number = np.where(np.isfinite(value), order, -1)
    value = np.where(np.isfinite(value), value, 0)
    return Strongest(value.T, number.T, row.T, column.T)


def _digest(
    model: "keras.Model", pictures: np.ndarray, count: int, preprocess: Preprocess | None
) -> str:
    """Return a hash that changes with the model, the pictures, or what is done to them."""
    layers = json.dumps(model.get_config(), sort_keys=True, default=str)
    # Keras numbers the names it makes up: conv2d_3 is conv2d_7 after a restart.
    for number, name in enumerate([model.name, *(layer.name for layer in model.layers)]):
        layers = layers.replace(f'"{name}"', f'"{number}"')
    total = hashlib.sha256(f"{VERSION} {count} {pictures.shape} {layers}".encode())
    for weight in model.get_weights():
        total.update(np.ascontiguousarray(weight))
    total.update(np.ascontiguousarray(pictures))
    height, width, _ = check_model(model)
    probe = np.arange(height * width * 3).reshape(height, width, 3).astype(np.uint8)
    total.update(as_input(model, probe, preprocess=preprocess).tobytes())
    return total.hexdigest()[:24]


def _load(path: Path) -> list[Strongest] | None:
    """Return what was saved, or None: a missing or damaged file is written anew."""
    try:
        with np.load(path) as file:
            return [Strongest(*file[name].transpose(2, 0, 1)) for name in file.files]
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _save(path: Path, found: list[Strongest]) -> None:
    """Write beside, then rename: an interrupted run leaves no half file."""
    part = path.with_suffix(".part.npz")
    try:
        np.savez(part, *(np.stack(numbers, -1) for numbers in found))
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
