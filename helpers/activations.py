"""What every layer makes of one picture, and which pixels each number of it has seen.

Lesson 5 writes `activation_model` out; here it is once more, with what a browser of activations
needs besides: the exact box of the picture behind one activation, and all maps packed as bytes.
Works on Sequential and functional Keras models of one picture, channels last.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers.errors import LearnerError
from helpers.images import resize

if TYPE_CHECKING:
    import keras

Reach = tuple[np.ndarray, np.ndarray]  # (positions, input rows) and (positions, input columns)


class ModelError(LearnerError):
    """A model that cannot be looked into: the message says what to do instead."""


class Packed(NamedTuple):
    """All activations of one picture as bytes, filter by filter: what travels to the page.

    Attributes
    ----------
    layers : list of dict
        One per layer: name, height, width, filters, offset (of its first byte in `pixels`) and
        first (of its filters in `low` and `high`).
    pixels : (n,) uint8
        Each filter's map, row by row: 0 at the filter's minimum, 255 at its maximum.
    low, high : (filters of all layers,) float32
        The true minimum and maximum of each map.
    """

    layers: list[dict]
    pixels: np.ndarray
    low: np.ndarray
    high: np.ndarray


def shown_layers(model: "keras.Model") -> list["keras.Layer"]:
    """Return the layers that make maps: those with (height, width, filters) output.

    Left out is what only hands the picture on (input, rescaling, dropout, augmentation).
    """
    import keras

    check_model(model)
    passive = (keras.layers.InputLayer, keras.layers.Rescaling, keras.layers.Normalization)
    passive += (*_identities(), keras.Model)
    layers = [layer for layer in model.layers if not isinstance(layer, passive)]
    layers = [layer for layer in layers if len(getattr(layer.output, "shape", ())) == 4]
    if not layers:
        raise ModelError(
            f"The model {model.name!r} has no layer of its own whose output is maps; give "
            "a model with Conv2D or pooling layers, or the one inside it: model.get_layer(name)."
        )
    return layers


def check_model(model: "keras.Model") -> tuple[int, int, int]:
    """Return (height, width, channels) of the one picture that the model takes, or raise.

    Raises
    ------
    ModelError
        Not a built Sequential or functional model of one picture of fixed size, channels last.
    """
    try:
        (tensor,) = model.inputs
        _, height, width, channels = tensor.shape
    except (AttributeError, TypeError, ValueError):
        raise ModelError(
            "This needs a built Sequential or functional Keras model with one picture as input: "
            "begin it with keras.Input((150, 150, 3))."
        ) from None
    if None in (height, width) or channels not in (1, 3):
        raise ModelError(
            f"The model {model.name!r} takes pictures of shape {(height, width, channels)}; needed "
            "is a fixed height and width, then 1 or 3 channels, such as keras.Input((150, 150, 3))."
        )
    return height, width, channels


def activation_model(model: "keras.Model") -> "keras.Model":
    """Return a model with the same input that answers with every layer's maps, by name.

    After F. Chollet, Deep Learning with Python, section on intermediate activations (lesson 5).
    A Sequential model is called anew, layer by layer: each `add` has called the earlier layers
    again, so that their first outputs lie on different paths, and one picture would take several
    passes.
    """
    import keras

    names = [layer.name for layer in shown_layers(model)]
    tensor = picture = model.inputs[0]
    outputs = {}
    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            outputs[layer.name] = tensor = layer(tensor)
    else:
        outputs = {name: model.get_layer(name).output for name in names}
    outputs = {name: outputs[name] for name in names}
    return keras.Model(picture, outputs, name=f"{model.name}_activations")


def as_input(
    model: "keras.Model",
    picture: np.ndarray,
    *,
    preprocess: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Return a picture as the batch of one, (1, H, W, channels) float32, that the model takes.

    A uint8 picture of another size is resized; for a model of one channel it is made grey (the
    luma of ITU-R BT.601, as in Pillow). `preprocess` then takes it to the model's own units.
    """
    height, width, channels = check_model(model)
    picture = np.asarray(picture)
    if picture.shape[:2] != (height, width) and picture.dtype == np.uint8:
        picture = resize(picture, (height, width))
    if channels == 1 and picture.shape[-1:] == (3,):
        picture = (picture @ np.array([0.299, 0.587, 0.114]))[..., None]
    if picture.shape != (height, width, channels):
        raise ValueError(
            f"The model takes a picture of shape {(height, width, channels)}, this one has "
            f"{picture.shape}; open it with helpers.images.open_image, then resize."
        )
    batch = picture[None].astype(np.float32)
    return batch if preprocess is None else np.asarray(preprocess(batch), np.float32)


def activations(model: "keras.Model", picture: np.ndarray) -> dict[str, np.ndarray]:
    """Return every layer's maps for one picture, computed in one pass.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, with Conv2D, pooling or other layers of 4-D output.
    picture : (H, W, 3) array
        In the model's own units: 0 to 255 for the model of lesson 3.

    Returns
    -------
    dict of str to (height, width, filters) float32
        By layer name, from the picture on.
    """
    maps = activation_model(model)(as_input(model, picture), training=False)
    return {name: np.asarray(value[0], np.float32) for name, value in maps.items()}


def pack(maps: dict[str, np.ndarray]) -> Packed:
    """Return maps as bytes, each filter stretched from its own minimum to its own maximum.

    A filter that is the same everywhere becomes zeros, with low equal to high.
    """
    layers, pixels, lows, highs, offset, first = [], [], [], [], 0, 0
    for name, values in maps.items():
        height, width, filters = values.shape
        low, high = values.min((0, 1)), values.max((0, 1))
        span = np.where(high > low, high - low, 1)
        bytes_ = np.rint((values - low) / span * 255).astype(np.uint8)
        pixels.append(np.moveaxis(bytes_, -1, 0).ravel())
        lows.append(low)
        highs.append(high)
        layers.append(
            {"name": name, "height": height, "width": width, "filters": filters}
            | {"offset": offset, "first": first}
        )
        offset, first = offset + values.size, first + filters
    return Packed(layers, np.concatenate(pixels), np.concatenate(lows), np.concatenate(highs))


def receptive_box(
    model: "keras.Model", layer: str, row: int, column: int
) -> tuple[int, int, int, int]:
    """Return the box of the picture that one activation sees, clipped at the border.

    Parameters
    ----------
    model : keras.Model
    layer : str
        Name of a layer with (height, width, filters) output.
    row, column : int
        The activation's place in that layer's maps.

    Returns
    -------
    (top, left, bottom, right) : int
        In pixels of the model's input; bottom and right are the first ones outside. Four zeros for
        an activation that sees padding alone.

    Raises
    ------
    ModelError
        The place lies outside the maps, or on the way to them is a layer whose reach is not known
        here.
    """
    boxes = []
    for rows, columns in receptive_spans(model, layer):
        if not (0 <= row < len(rows) and 0 <= column < len(columns)):
            raise ModelError(
                f"{layer} has {len(rows)} rows and {len(columns)} columns, counted from 0: "
                f"there is no row {row}, column {column}."
            )
        (top, bottom), (left, right) = rows[row], columns[column]
        if bottom and right:
            boxes.append((top, left, bottom, right))
    if not boxes:
        return 0, 0, 0, 0
    tops, lefts, bottoms, rights = np.transpose(boxes)
    return int(tops.min()), int(lefts.min()), int(bottoms.max()), int(rights.max())


def receptive_spans(model: "keras.Model", layer: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return what every row and every column of a layer's maps sees.

    Exact: the sets of input rows and columns that reach each position are carried forward through
    the graph, branch by branch.

    Returns
    -------
    list of (rows, columns) : (height, 2) and (width, 2) int
        First and one past last pixel for each position, (0, 0) if none. One pair is the rule; a
        second one stands for branches that see nothing at other positions than the first.
    """
    height, width, _ = check_model(model)
    reaches = _reaches(model, [(np.eye(height, dtype=bool), np.eye(width, dtype=bool))])
    if layer not in reaches:
        raise ModelError(f"The model has no layer {layer!r}; it has {', '.join(reaches)}.")
    if isinstance(reaches[layer], str):
        raise ModelError(reaches[layer])
    return [(_span(rows), _span(columns)) for rows, columns in reaches[layer]]


def _span(reach: np.ndarray) -> np.ndarray:
    """Return (first, one past last) of each row of a (positions, pixels) array; (0, 0) if none."""
    first = reach.argmax(1)
    last = reach.shape[1] - reach[:, ::-1].argmax(1)
    return np.stack([first, last], 1) * reach.any(1, keepdims=True)


def _reaches(model: "keras.Model", start: list[Reach]) -> dict[str, list[Reach] | str]:
    """Return for each layer which pixels reach it, or the sentence why that is not known."""
    import keras

    if isinstance(model, keras.Sequential):
        found, previous = {}, start
        for layer in model.layers:
            previous = found[layer.name] = _through(layer, [previous])
        return found
    tensors, found = {id(model.inputs[0]): start}, {}
    for operation in model.operations:
        if isinstance(operation, keras.layers.InputLayer):
            continue
        lost = (
            f"Which pixels reach the layer {operation.name!r} is not known here: it follows one "
            "that is used more than once, or a model inside the model."
        )
        inputs = [tensors.get(id(tensor), lost) for tensor in keras.tree.flatten(operation.input)]
        result = _through(operation, inputs)
        found[operation.name] = result
        for tensor in keras.tree.flatten(operation.output):
            tensors[id(tensor)] = result
    return found


def _through(layer: "keras.Layer", inputs: list[list[Reach] | str]) -> list[Reach] | str:
    """Return what reaches the output of one layer, given what reaches its inputs."""
    import keras

    for reach in inputs:
        if isinstance(reach, str):
            return reach
    if isinstance(layer, keras.Model):
        return list(_reaches(layer, inputs[0]).values())[-1]
    if len(getattr(layer.output, "shape", ())) != 4:  # Flatten, Dense, ...: no place any more
        return _merged([_everything(pair) for reach in inputs for pair in reach])
    if _is_pointwise(layer):
        return _merged(_broadcast([pair for reach in inputs for pair in reach]))
    step = _step(layer) if len(inputs) == 1 else None
    if step is None:
        return (
            f"Which pixels reach the layer {layer.name!r} is not known here: it is a "
            f"{type(layer).__name__}, and helpers.activations does not say how that one reaches."
        )
    return _merged([(step(rows, 0), step(columns, 1)) for rows, columns in inputs[0]])


def _step(layer: "keras.Layer") -> Callable[[np.ndarray, int], np.ndarray] | None:
    """Return the function of (reach, axis) by which a layer with one input moves positions."""
    import keras

    layers = keras.layers
    windows = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
    pools = (layers.MaxPooling2D, layers.AveragePooling2D)
    whole = (layers.GlobalMaxPooling2D, layers.GlobalAveragePooling2D)
    if isinstance(layer, layers.Conv2DTranspose):
        return None
    if isinstance(layer, windows):
        kernel, dilation = layer.kernel_size, layer.dilation_rate
    elif isinstance(layer, pools):
        kernel, dilation = layer.pool_size, (1, 1)
    elif isinstance(layer, layers.ZeroPadding2D):
        return lambda reach, axis: np.pad(reach, (layer.padding[axis], (0, 0)))
    elif isinstance(layer, layers.Cropping2D):
        return lambda reach, axis: _crop(reach, *layer.cropping[axis])
    elif isinstance(layer, layers.UpSampling2D) and layer.interpolation == "nearest":
        return lambda reach, axis: reach.repeat(layer.size[axis], 0)
    elif isinstance(layer, whole) or tuple(layer.output.shape[1:3]) == (1, 1):
        return lambda reach, axis: reach.any(0, keepdims=True)
    else:
        return None
    return lambda reach, axis: _window(
        reach, kernel[axis], layer.strides[axis], dilation[axis], layer.padding
    )


def _window(reach: np.ndarray, size: int, stride: int, dilation: int, padding: str) -> np.ndarray:
    """Return what a sliding window sees, with Keras' "same" padding (the odd one at the end)."""
    n, spread = len(reach), (size - 1) * dilation + 1
    positions = -(-n // stride) if padding == "same" else (n - spread) // stride + 1
    before = 0
    if padding == "same":
        before = max((positions - 1) * stride + spread - n, 0) // 2
    padded = np.pad(reach, ((before, spread + stride), (0, 0)))
    parts = [padded[k * dilation :][: positions * stride : stride] for k in range(size)]
    return np.any(parts, 0)


def _crop(reach: np.ndarray, before: int, after: int) -> np.ndarray:
    return reach[before : len(reach) - after]


def _everything(pair: Reach) -> Reach:
    return tuple(reach.any(0, keepdims=True) for reach in pair)


def _broadcast(pairs: list[Reach]) -> list[Reach]:
    """Return branches of equal size: a branch of one position counts for every position."""
    sizes = [max(len(pair[axis]) for pair in pairs) for axis in (0, 1)]
    return [
        tuple(np.broadcast_to(r, (size, r.shape[1])) for r, size in zip(pair, sizes, strict=True))
        for pair in pairs
    ]


def _merged(pairs: list[Reach]) -> list[Reach]:
    """Return fewer branches with the same boxes: those that see nothing at the same positions."""
    groups = {}
    for rows, columns in pairs:
        key = (rows.any(1).tobytes(), columns.any(1).tobytes())
        old = groups.get(key)
        groups[key] = (old[0] | rows, old[1] | columns) if old else (rows, columns)
    return list(groups.values())


def _identities() -> tuple[type, ...]:
    """Return the layers that hand their input on unchanged outside training."""
    import keras

    names = (
        "Dropout SpatialDropout2D AlphaDropout GaussianDropout GaussianNoise Identity "
        "ActivityRegularization RandomBrightness RandomContrast RandomFlip RandomRotation "
        "RandomTranslation RandomZoom RandomHue RandomSaturation"
    )
    return tuple(getattr(keras.layers, name) for name in names.split())


def _is_pointwise(layer: "keras.Operation") -> bool:
    """Tell whether a layer's output at a place depends on its inputs at that place alone."""
    import keras

    names = (
        "Activation ReLU LeakyReLU PReLU ELU Softmax BatchNormalization Rescaling Normalization "
        "Dense Add Subtract Multiply Average Maximum Minimum"
    )
    kinds = _identities() + tuple(getattr(keras.layers, name) for name in names.split())
    if isinstance(layer, keras.layers.Concatenate):
        return layer.axis in (-1, 3)
    if isinstance(layer, keras.Layer):
        return isinstance(layer, kinds)
    return type(layer).__name__ in ("Add", "Subtract", "Multiply", "Maximum", "Minimum", "Relu")


def sources(model: "keras.Model") -> dict[str, list[str]]:
    """Return for each layer of `shown_layers` which of them feed it; none: the picture does.

    Layers that only hand values on are skipped; behind a model inside the model the names of its
    layers are not known here, and the list holds "?".
    """
    import keras

    shown = {layer.name for layer in shown_layers(model)}
    chain = isinstance(model, keras.Sequential)
    fed, tensors, previous = {}, {id(model.inputs[0]): []}, []
    for layer in model.layers if chain else model.operations:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        inputs = [] if chain else keras.tree.flatten(layer.input)
        lists = [tensors.get(id(tensor), ["?"]) for tensor in inputs] or [previous]
        names = list(dict.fromkeys(name for names in lists for name in names))
        if layer.name in shown:
            fed[layer.name], names = names, [layer.name]
        elif isinstance(layer, keras.Model):
            names = ["?"]
        previous = names
        if not chain:
            tensors.update((id(tensor), names) for tensor in keras.tree.flatten(layer.output))
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
