"""The network of lesson 3, the table of its layers, what each layer sees, and trained weights.

Its layers are those of the article that the lessons follow: four convolutions, each followed by
2 by 2 max pooling, then two dense layers. A layer of ours before them rescales 0..255 to 0..1, so
that no image can reach them on the wrong scale.
"""

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from helpers.convolution import joined_spans, window_spans
from helpers.errors import LearnerError
from helpers.images import data_folder

if TYPE_CHECKING:
    import keras

Spans = tuple[np.ndarray, np.ndarray]


def build_model(*, seed: int | None = None, dropout: float = 0.0) -> "keras.Sequential":
    """Build the network of lesson 3: 1,639,489 parameters, untrained.

    It takes (N, 150, 150, 3) images from 0 to 255 and gives (N, 1): the probability of a dog. A
    seed makes the random first weights (Glorot uniform, Keras's default) and the dropout
    repeatable. `dropout` is the share of the 3,136 flattened values that is dropped in each
    training step; 0 leaves the layer out.
    """
    import keras
    from keras import layers

    def learnt(index: int) -> dict[str, Any]:
        start = keras.initializers.GlorotUniform(seed=None if seed is None else 10 * seed + index)
        return {"activation": "relu", "kernel_initializer": start}

    # In one list: each `Sequential.add` would call the layers before it once more, and a model of
    # their outputs (lesson 5) would then compute them several times.
    stack = [keras.Input((150, 150, 3), name="image"), layers.Rescaling(1 / 255, name="rescaling")]
    for index, filters in enumerate([16, 32, 32, 64], start=1):
        stack.append(layers.Conv2D(filters, 3, **learnt(index), name=f"conv{index}"))
        stack.append(layers.MaxPooling2D(2, name=f"pool{index}"))
    stack.append(layers.Flatten(name="flatten"))
    if dropout:
        stack.append(layers.Dropout(dropout, seed=seed, name="dropout"))
    stack.append(layers.Dense(512, **learnt(5), name="dense1"))
    last = learnt(6) | {"activation": "sigmoid"}
    stack.append(layers.Dense(1, **last, name="prediction"))
    return keras.Sequential(stack, name="article")


def _build_residual(
    *,
    seed: int | None = None,
    dropout: float = 0.0,
    side: int | None = 150,
    widths: Sequence[int] = (32, 48, 96, 192),
    residual: bool = True,
    normalize: bool = True,
) -> "keras.Model":
    """Build the residual network of lesson 7: 1,097,313 parameters, untrained.

    Each width is a convolution that halves the image (stride 2), followed, from the second
    width on, by a residual block of two convolutions, with batch normalisation after every
    convolution (or, without it, a bias). The average of each channel over the image goes
    into one sigmoid. With a side of None it takes images of any side: it is trained on small ones,
    and has the same weights for each. K. He, X. Zhang, S. Ren and J. Sun (2016), "Deep residual
    learning for image recognition".
    """
    import keras
    from keras import layers

    seeds = itertools.count(0 if seed is None else 1000 * seed)

    def first(kind: type) -> "keras.Initializer":
        return kind(seed=None if seed is None else next(seeds))

    def convolution(x: "keras.KerasTensor", filters: int, name: str, *, stride: int = 1) -> Any:
        start = first(keras.initializers.HeNormal)
        options = {"strides": stride, "padding": "same", "use_bias": not normalize}
        x = layers.Conv2D(filters, 3, **options, kernel_initializer=start, name=name)(x)
        return layers.BatchNormalization(name=f"{name}_norm")(x) if normalize else x

    image = keras.Input((side, side, 3), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    for stage, filters in enumerate(widths, start=1):
        x = convolution(x, filters, f"down{stage}", stride=2)
        x = layers.ReLU(name=f"down{stage}_relu")(x)
        if residual and stage > 1:
            name = f"block{stage}a"
            y = convolution(x, filters, f"{name}_conv1")
            y = layers.ReLU(name=f"{name}_relu1")(y)
            y = convolution(y, filters, f"{name}_conv2")
            x = layers.Add(name=f"{name}_add")([x, y])
            x = layers.ReLU(name=f"{name}_relu2")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    if dropout:
        x = layers.Dropout(dropout, seed=seed, name="dropout")(x)
    last = {"activation": "sigmoid", "kernel_initializer": first(keras.initializers.GlorotUniform)}
    return keras.Model(image, layers.Dense(1, **last, name="prediction")(x), name="residual")


# Every network that a recipe can name; each takes (N, 150, 150, 3) images from 0 to 255, and gives
# (N, 1), the probability of a dog. Lesson 7 comes from the article's layers to the
# residual ones in these steps.
_article_widths = {"widths": (16, 32, 32, 64), "residual": False}
NETWORKS: dict[str, Callable[..., "keras.Model"]] = {
    "article": build_model,
    "average": partial(_build_residual, **_article_widths, normalize=False),
    "normalized": partial(_build_residual, **_article_widths),
    "wider": partial(_build_residual, residual=False),
    "residual": _build_residual,
}


class LayerRow(NamedTuple):
    """One layer of a network, in numbers."""

    name: str
    kind: str  # its class
    output_shape: tuple[int, ...]  # without the batch
    parameters: int  # weights and biases
    arithmetic: str  # how they come about, such as "(3*3*3+1)*16"; empty for other kinds
    multiply_adds: int  # for one image; convolutions and dense layers are counted
    # Rows and columns of the image that one output value sees, at most; None from Flatten on,
    # where a value has no place; a sentence where it is not known.
    receptive_field: tuple[int, int] | str | None
    memory: int  # bytes that the output takes for one image


def layer_table(model: "keras.Model") -> list[LayerRow]:
    """Return one `LayerRow` for each layer of a network, as lesson 3 counts them."""
    from keras import layers

    rows, fields = [], receptive_spans(model)
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        shape, counts = tuple(layer.output.shape[1:]), ("", 0)
        if isinstance(layer, layers.Conv2D | layers.Dense):
            *window, filters = layer.kernel.shape
            bias = "+1" if layer.use_bias else ""
            arithmetic = f"({'*'.join(map(str, window))}{bias})*{filters}"
            counts = arithmetic, math.prod(window) * math.prod(shape)
        field = fields[layer.name] if len(shape) == 3 else None
        if isinstance(field, tuple):
            field = tuple(int(np.diff(spans).max()) for spans in field)
        about = layer.name, type(layer).__name__, shape, layer.count_params()
        memory = math.prod(shape) * np.dtype(layer.compute_dtype).itemsize
        rows.append(LayerRow(*about, *counts, field, memory))
    return rows


# By the names of their classes: layers that hand their input on unchanged outside training, and
# layers and operations whose output at a place depends on their inputs at that place alone.
IDENTITIES = {"Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise"}
IDENTITIES |= {"Identity", "ActivityRegularization", "RandomBrightness", "RandomContrast"}
IDENTITIES |= {"RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomHue"}
IDENTITIES |= {"RandomSaturation"}
_POINTWISE = {"Activation", "ReLU", "Relu", "LeakyReLU", "PReLU", "ELU", "Softmax", "Dense", "Add"}
_POINTWISE |= {"BatchNormalization", "Normalization", "Rescaling", "Subtract", "Multiply"}
_POINTWISE |= {"TrueDivide", "Average", "Maximum", "Minimum", *IDENTITIES}
_WINDOWS = {"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D"}


def receptive_spans(
    model: "keras.Model", *, inputs: Sequence[Spans | str] | None = None
) -> dict[str, Spans | str]:
    """Return which pixels each number of each layer sees: row spans and column spans, by layer.

    Spans are (positions, 2) int arrays, as in `convolution.window_spans`, clipped to the image.
    Convolutions, pooling, zero padding, layers that work on each place by itself, branches and
    models inside the model are followed. Where branches meet, spans are the smallest interval that
    holds what each branch sees. Layers whose output has no places (Flatten, Dense) have one
    position. From a layer of an unknown kind on, a sentence says that it is not known.

    `inputs` says what each input sees where it is not the pixels: in a model inside a model.
    """
    inputs = inputs or [_start(tensor) for tensor in model.inputs]
    known = {f"input {number}": spans for number, spans in enumerate(inputs)}
    twice = _not_known("a layer that is used more than once")
    for layer, feeders in wiring(model):
        known[layer.name] = _through(layer, [known.get(name, twice) for name in feeders])
    return dict(itertools.islice(known.items(), len(inputs), None))


def wiring(model: "keras.Model") -> list[tuple["keras.Operation", list[str | None]]]:
    """Return each layer (or operation) of a model, in order, and the names of those that feed it.

    The model's inputs have the names "input 0", "input 1", ...; None stands for what is not known:
    the result of a layer that is used more than once.
    """
    import keras

    if isinstance(model, keras.Sequential):
        names = ["input 0", *(layer.name for layer in model.layers)]
        return [(layer, [before]) for layer, before in zip(model.layers, names, strict=False)]
    rows, made = [], {id(tensor): f"input {number}" for number, tensor in enumerate(model.inputs)}
    for operation in model.operations:
        if isinstance(operation, keras.layers.InputLayer):
            continue
        # Of a model inside the model, .input would be its own; this is what it was called with.
        inputs = keras.tree.flatten(keras.Operation.input.fget(operation))
        outputs = keras.tree.flatten(keras.Operation.output.fget(operation))
        rows.append((operation, [made.get(id(tensor)) for tensor in inputs]))
        made.update((id(tensor), operation.name) for tensor in outputs)
    return rows


def _start(tensor: "keras.KerasTensor") -> Spans | str:
    """Return what the places of an image see: themselves."""
    if len(tensor.shape) != 4 or None in tensor.shape[1:3]:
        return _not_known("an input that is no image of fixed height and width")
    return tuple(np.arange(n)[:, None] + [0, 1] for n in tensor.shape[1:3])


def _not_known(start: str) -> str:
    where = f"from {start} on it cannot be followed."
    return f"The receptive field is not known for this layer: {where}"


def _through(layer: "keras.Operation", inputs: Sequence[Spans | str]) -> Spans | str:
    """Return what the output of one layer sees, given what its inputs see."""
    import keras

    if unknown := [spans for spans in inputs if isinstance(spans, str)]:
        return unknown[0]
    if isinstance(layer, keras.Model) and len(getattr(layer, "outputs", None) or ()) == 1:
        return list(receptive_spans(layer, inputs=inputs).values())[-1]
    kind, shape = type(layer).__name__, getattr(layer.output, "shape", ())
    by_axis, one = list(zip(*inputs, strict=True)), inputs[0]
    if len(shape) != 4 or tuple(shape[1:3]) == (1, 1):  # Flatten, global pooling: one position
        return tuple(joined_spans(np.concatenate(spans))[None] for spans in by_axis)
    if kind in _POINTWISE or (kind == "Concatenate" and layer.axis in (-1, 3)):
        return tuple(joined_spans(np.stack(np.broadcast_arrays(*s), axis=1)) for s in by_axis)
    if kind in _WINDOWS:
        kernel = getattr(layer, "kernel_size", None) or layer.pool_size
        numbers = zip(kernel, layer.strides, getattr(layer, "dilation_rate", (1, 1)), strict=True)
        return tuple(
            window_spans(spans, kernel=k, stride=s, dilation=d, padding=layer.padding)
            for spans, (k, s, d) in zip(one, numbers, strict=True)
        )
    if kind == "ZeroPadding2D":
        return tuple(np.pad(s, (n, (0, 0))) for s, n in zip(one, layer.padding, strict=True))
    return _not_known(f"{layer.name} ({kind})")


def save_weights(model: "keras.Model", path: Path, *, network: str) -> dict[str, str]:
    """Save the weights of a trained network; return what its record says of the file.

    They are stored as float16 (3.3 MB instead of 6.6), without dropout and optimizer, under a path
    that ends in ".weights.h5". `network` is the network's name in `NETWORKS`.
    """
    import keras

    twin = keras.models.clone_model(
        NETWORKS[network](),
        clone_function=lambda layer: layer.from_config(layer.get_config() | {"dtype": "float16"}),
    )
    twin.set_weights([variable.numpy() for variable in model.weights])
    twin.save_weights(path)
    about = {"file": path.name, "network": network, "dtype": "float16"}
    return about | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def load_trained(name: str | Path = "regularised") -> "keras.Model":
    """Load a trained network that ships with the lessons, after checking that it is the one.

    The name is that of a record ``<name>.json`` in the repository's data folder, which names the
    file of the weights beside it: "regularised" or "residual-longer", after the recipes that made
    them. Another record's path, without its ending, does as well. The model's attribute
    ``class_names`` names the answers, such as ("cat", "dog"). A `LearnerError` says which file is
    missing or damaged.
    """
    path = data_folder() / f"{name}.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        path = path.with_name(record["weights"]["file"])
        if hashlib.sha256(path.read_bytes()).hexdigest() != record["weights"]["sha256"]:
            raise ValueError(f"the SHA-256 of {path.name} is another")
    except (FileNotFoundError, ValueError) as error:
        raise LearnerError(
            f"The trained network '{name}' cannot be opened ({error}). data/README.md has the "
            "names that ship, and git checkout data brings their files back."
        ) from error
    model = NETWORKS[record["weights"]["network"]]()
    model.load_weights(path)
    model.class_names = tuple(record["classes"])
    return model
