"""What every layer makes of one image, which pixels each number has seen, what excites a filter.

Lesson 5 writes `activation_model` out; here it is once more, with what a browser of activations
needs besides: all maps packed as bytes, the box of the image behind one activation, which layers
feed which, and the patches of many images that excite a filter most. Works on Sequential and
functional Keras models of one image, channels last.
"""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import numpy as np

from helpers.errors import LearnerError
from helpers.images import resize
from helpers.model import IDENTITIES, receptive_spans, wiring

if TYPE_CHECKING:
    import keras

Preprocess = Callable[[np.ndarray], np.ndarray]
_BATCH = 25  # images at each step of a search


def _image_shape(model: "keras.Model") -> tuple[int, int, int]:
    """Return (height, width, channels) of the one image that the model takes, or raise."""
    shapes = [tuple(tensor.shape[1:]) for tensor in getattr(model, "inputs", None) or []]
    match shapes:
        case [(int(height), int(width), 1 | 3 as channels)]:
            return height, width, channels
    raise LearnerError(
        "This needs a built Sequential or functional Keras model with one image as input, of "
        "a fixed height and width and with 1 or 3 channels: begin it with "
        f"keras.Input((150, 150, 3)). Here the inputs have the shapes {shapes}."
    )


def shown_layers(model: "keras.Model") -> list["keras.Layer"]:
    """Return the layers that make maps: those with (height, width, filters) output.

    Layers that only hand the image on (input, rescaling, dropout, augmentation) are not among them.
    A `LearnerError` says that there are none, or that the model does not take one image.
    """
    import keras

    _image_shape(model)
    passive = IDENTITIES | {"InputLayer", "Rescaling", "Normalization"}
    layers = [
        layer
        for layer in model.layers
        if type(layer).__name__ not in passive
        and not isinstance(layer, keras.Model)
        and len(getattr(layer.output, "shape", ())) == 4
    ]
    if not layers:
        raise LearnerError(
            f"The model {model.name!r} has no layer of its own whose output is maps; give "
            "a model with Conv2D or pooling layers, or the one inside it: model.get_layer(name)."
        )
    return layers


def activation_model(model: "keras.Model") -> "keras.Model":
    """Return a model with the same input that answers with every layer's maps, by name.

    After F. Chollet, Deep Learning with Python, section on intermediate activations (lesson 5).
    A Sequential model is called anew, layer by layer: each `add` has called the earlier layers
    again, so that their first outputs lie on different paths, and one image would take several
    passes.
    """
    import keras

    shown, tensor = shown_layers(model), model.inputs[0]
    outputs = {layer.name: layer.output for layer in shown}
    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            tensor = layer(tensor)
            if layer in shown:
                outputs[layer.name] = tensor
    return keras.Model(model.inputs[0], outputs, name=f"{model.name}_activations")


def as_input(
    model: "keras.Model", image: np.ndarray, *, preprocess: Preprocess | None = None
) -> np.ndarray:
    """Return an image as the batch of one, (1, H, W, channels) float32, that the model takes.

    A uint8 image of another size is resized; for a model of one channel it is made grey (the
    luma of ITU-R BT.601, as in Pillow). `preprocess` then takes (n, H, W, channels) float32 images
    from 0 to 255 to what the model expects: ``lambda x: x / 255``, for example, or
    ``keras.applications.mobilenet.preprocess_input``.
    """
    height, width, channels = _image_shape(model)
    image = np.asarray(image)
    if image.dtype == np.uint8 and image.shape[:2] != (height, width):
        image = resize(image, (height, width))
    if channels == 1 and image.shape[-1:] == (3,):
        image = (image @ np.array([0.299, 0.587, 0.114]))[..., None]
    if image.shape != (height, width, channels):
        raise LearnerError(
            f"The model takes an image of shape {(height, width, channels)}, this one has "
            f"{image.shape}; open it with helpers.images.open_image, then resize."
        )
    batch = image[None].astype(np.float32)
    return batch if preprocess is None else np.asarray(preprocess(batch), np.float32)


def activations(model: "keras.Model", image: np.ndarray) -> dict[str, np.ndarray]:
    """Return every layer's maps for one image, computed in one pass.

    The model is Sequential or functional, with Conv2D, pooling or other layers of 4-D output. The
    image is (H, W, 3) in the model's own units: 0 to 255 for the model of lesson 3. Each layer, by
    name and from the image on, has maps of (height, width, filters) float32.
    """
    maps = activation_model(model)(as_input(model, image), training=False)
    return {name: np.asarray(value[0], np.float32) for name, value in maps.items()}


def pack(maps: dict[str, np.ndarray]) -> tuple[list[dict], list[np.ndarray]]:
    """Return maps as bytes, filter by filter: what travels to the page.

    Of each layer its name, height, width, filters, offset (of its first byte) and first (of its
    filters); and three arrays: (n,) uint8, the maps row by row, from 0 (minimum) to 255 (maximum;
    zeros where all is alike), and the true minima and maxima of all filters, float32.
    """
    layers, parts, offset, first = [], [], 0, 0
    for name, values in maps.items():
        height, width, filters = values.shape
        low, high = values.min((0, 1)), values.max((0, 1))
        span = np.where(high > low, high - low, 1)
        bytes_ = np.rint((values - low) / span * 255).astype(np.uint8)
        parts.append((np.moveaxis(bytes_, -1, 0).ravel(), low, high))
        shape = {"height": height, "width": width, "filters": filters}
        layers.append({"name": name, **shape, "offset": offset, "first": first})
        offset, first = offset + values.size, first + filters
    return layers, [np.concatenate(part) for part in zip(*parts, strict=True)]


def receptive_box(
    model: "keras.Model", layer: str, row: int, column: int
) -> tuple[int, int, int, int]:
    """Return the box of the image that one activation sees, clipped at the border.

    The activation stands at a row and a column of the maps of a layer, which is given by name. The
    box is (top, left, bottom, right) in pixels of the model's input; bottom and right are the
    first ones outside. It is empty for an activation that sees padding alone. A `LearnerError`
    says that the place lies outside the maps, or that on the way to them is a layer whose
    receptive field is not known (`model.receptive_spans`).
    """
    _image_shape(model)
    known = receptive_spans(model)
    seen = known.get(layer, f"The model has no such layer; it has {', '.join(known)}.")
    if isinstance(seen, str):
        raise LearnerError(f"{layer}: {seen}")
    rows, columns = seen
    if not (0 <= row < len(rows) and 0 <= column < len(columns)):
        raise LearnerError(
            f"{layer} has {len(rows)} rows and {len(columns)} columns, counted from 0: "
            f"there is no row {row}, column {column}."
        )
    (top, bottom), (left, right) = rows[row].tolist(), columns[column].tolist()
    return top, left, bottom, right


def sources(model: "keras.Model") -> dict[str, list[str]]:
    """Return for each layer of `shown_layers` which of them feed it; none: the image does.

    Layers that only hand values on are skipped; behind a model inside the model the names of its
    layers are not known here, and the list holds "?".
    """
    import keras

    shown, fed, made = {layer.name for layer in shown_layers(model)}, {}, {"input 0": []}
    for layer, feeders in wiring(model):
        names = list(dict.fromkeys(n for feeder in feeders for n in made.get(feeder, ["?"])))
        if layer.name in shown:
            fed[layer.name], names = names, [layer.name]
        made[layer.name] = ["?"] if isinstance(layer, keras.Model) else names
    return fed


def random_twin(model: "keras.Model", *, seed: int = 0) -> "keras.Model":
    """Return the same layers with fresh random weights (Glorot uniform), the same for a seed.

    Weights with one axis (biases, the scales of a normalisation) get what an untrained layer has.
    """
    import keras

    twin = keras.models.clone_model(model)
    for number, weight in enumerate(twin.trainable_weights):
        if len(weight.shape) > 1:
            draw = keras.initializers.GlorotUniform(seed=1000 * seed + number)
            weight.assign(draw(weight.shape))
    return twin


def strongest_activations(
    model: "keras.Model", images: np.ndarray, *, preprocess: Preprocess | None = None
) -> Generator[tuple[int, int], None, dict[str, tuple[np.ndarray, ...]]]:
    """Look for the nine highest activations of every filter, a batch of images at each step.

    A generator, so that whoever drives it can show how far it is, do something else in between,
    and stop it. It yields (images looked at, images in all); what it returns (the value of
    ``yield from``, or of the StopIteration) is the result: for each layer, by name, the arrays
    value, image (its number), row and column, each (filters, 9). The highest comes first, an image
    at most once; the value is -inf where the filter's map is the same everywhere.

    The images are (n, H, W, 3) uint8; they and `preprocess` are as in `as_input`.
    """
    extractor, found = activation_model(model), {}
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        inputs = np.concatenate([as_input(model, i, preprocess=preprocess) for i in batch])
        for name, maps in extractor(inputs, training=False).items():
            found.setdefault(name, []).append(_highest(np.asarray(maps)))
        yield start + len(batch), len(images)
    return {name: _best(*map(np.concatenate, zip(*f, strict=True))) for name, f in found.items()}


def _highest(maps: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the highest value of each map of (N, rows, columns, F), its row and its column."""
    flat = maps.reshape(len(maps), -1, maps.shape[-1])
    value = np.where(flat.max(1) > flat.min(1), flat.max(1), -np.inf)
    return value, *np.unravel_index(flat.argmax(1), maps.shape[1:3])


def _best(*found: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the best nine images of each filter; of equal values the earlier image's."""
    image = np.argsort(-found[0], axis=0, kind="stable")[:9]
    value, row, column = (np.take_along_axis(each, image, axis=0).T for each in found)
    return value, image.T, row, column


def strongest_patches(
    model: "keras.Model",
    images: np.ndarray,
    found: dict[str, tuple[np.ndarray, ...]],
    *,
    layer: str,
    filter_number: int,
) -> list[tuple[np.ndarray, float, int]]:
    """Cut out what one filter saw where it was excited most: each the box that it sees there.

    `found` is what `strongest_activations` returned for the model and the images. Each patch comes
    as (h, w, 3) uint8 pixels, with the activation and the image's number.
    """
    size, patches = _image_shape(model)[:2], []
    numbers = (each[filter_number].tolist() for each in found[layer])
    for value, image, row, column in zip(*numbers, strict=True):
        if value == -np.inf:
            break
        top, left, bottom, right = receptive_box(model, layer, row, column)
        pixels = resize(images[image], size)[top:bottom, left:right]
        patches.append((pixels, value, image))
    return patches
