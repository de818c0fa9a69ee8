"""The network of lesson 3, the table of its layers, and the trained weights that ship.

The network is the one of the article that the lessons follow: four convolutions, each followed by
2 by 2 max pooling, then two dense layers. The rescaling from 0..255 to 0..1 is its first layer, so
that no picture can reach it on the wrong scale.
"""

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from helpers.errors import LearnerError
from helpers.images import data_folder

if TYPE_CHECKING:
    import keras


class WeightsError(LearnerError):
    """Trained weights that are missing, damaged, or made for other layers."""


def build_model(
    *, seed: int | None = None, dropout: float = 0.0, dtype: str = "float32"
) -> "keras.Sequential":
    """Build the network of lesson 3: 1,639,489 parameters, untrained.

    Parameters
    ----------
    seed : int, optional
        Makes the random first weights (Glorot uniform, Keras's default) and the dropout repeatable.
    dropout : float
        The share of the 3,136 flattened values that is dropped in each training step; 0 leaves the
        layer out.
    dtype : str
        The type of weights and arithmetic; "float16" halves the file that ships.

    Returns
    -------
    keras.Sequential
        Takes (N, 150, 150, 3) pictures from 0 to 255 and gives (N, 1): the probability of a dog.
    """
    import keras
    from keras import layers

    def weights(index: int) -> keras.initializers.Initializer:
        return keras.initializers.GlorotUniform(seed=None if seed is None else 10 * seed + index)

    # In one list: each `Sequential.add` would call the layers before it once more, and a model of
    # their outputs (lesson 5) would then compute them several times.
    stack = [
        keras.Input((150, 150, 3), name="picture"),
        layers.Rescaling(1 / 255, name="rescaling", dtype=dtype),
    ]
    for index, filters in enumerate([16, 32, 32, 64], start=1):
        stack.append(
            layers.Conv2D(
                filters,
                3,
                activation="relu",
                kernel_initializer=weights(index),
                name=f"conv{index}",
                dtype=dtype,
            )
        )
        stack.append(layers.MaxPooling2D(2, name=f"pool{index}", dtype=dtype))
    stack.append(layers.Flatten(name="flatten", dtype=dtype))
    if dropout:
        stack.append(layers.Dropout(dropout, seed=seed, name="dropout", dtype=dtype))
    stack.append(
        layers.Dense(
            512, activation="relu", kernel_initializer=weights(5), name="dense1", dtype=dtype
        )
    )
    stack.append(
        layers.Dense(
            1, activation="sigmoid", kernel_initializer=weights(6), name="prediction", dtype=dtype
        )
    )
    return keras.Sequential(stack, name="article")


def build_residual(
    *,
    seed: int | None = None,
    dropout: float = 0.0,
    dtype: str = "float32",
    side: int | None = 150,
    widths: Sequence[int] = (32, 48, 96, 192),
    blocks: int = 1,
    normalize: bool = True,
) -> "keras.Model":
    """Build the network of lesson 4's last section: 1,097,313 parameters, untrained.

    Each width is a convolution that halves the picture (stride 2), followed, from the second
    width on, by `blocks` residual blocks of two convolutions each. The average of each channel
    over the picture (global average pooling) goes into one sigmoid.

    Parameters
    ----------
    seed, dropout, dtype
        As in `build_model`; dropout is that of the averages.
    side : int or None
        The side of the pictures, in pixels. None takes pictures of any side: the network is
        trained on small ones, and has the same weights for each.
    widths : sequence of int
        How many filters the convolutions have.
    blocks : int
        0 leaves the residual blocks out.
    normalize : bool
        Batch normalisation after every convolution; without it, the convolution has a bias.

    Returns
    -------
    keras.Model
        Takes (N, side, side, 3) pictures from 0 to 255 and gives (N, 1): the probability of a dog.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun (2016), "Deep residual learning for image recognition".
    """
    import keras
    from keras import layers

    seeds = itertools.count(0 if seed is None else 1000 * seed)

    def convolution(x: "keras.KerasTensor", filters: int, name: str, *, stride: int = 1) -> Any:
        start = keras.initializers.HeNormal(seed=None if seed is None else next(seeds))
        x = layers.Conv2D(
            filters,
            3,
            strides=stride,
            padding="same",
            use_bias=not normalize,
            kernel_initializer=start,
            name=name,
            dtype=dtype,
        )(x)
        if normalize:
            x = layers.BatchNormalization(name=f"{name}_norm", dtype=dtype)(x)
        return x

    picture = keras.Input((side, side, 3), name="picture")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescaling", dtype=dtype)(picture)
    for stage, filters in enumerate(widths, start=1):
        x = convolution(x, filters, f"down{stage}", stride=2)
        x = layers.ReLU(name=f"down{stage}_relu", dtype=dtype)(x)
        for block in range(1, 1 + (blocks if stage > 1 else 0)):
            name = f"block{stage}{chr(96 + block)}"
            y = convolution(x, filters, f"{name}_conv1")
            y = layers.ReLU(name=f"{name}_relu1", dtype=dtype)(y)
            y = convolution(y, filters, f"{name}_conv2")
            x = layers.Add(name=f"{name}_add", dtype=dtype)([x, y])
            x = layers.ReLU(name=f"{name}_relu2", dtype=dtype)(x)
    x = layers.GlobalAveragePooling2D(name="average", dtype=dtype)(x)
    if dropout:
        x = layers.Dropout(dropout, seed=seed, name="dropout", dtype=dtype)(x)
    last = keras.initializers.GlorotUniform(seed=None if seed is None else next(seeds))
    x = layers.Dense(
        1, activation="sigmoid", kernel_initializer=last, name="prediction", dtype=dtype
    )(x)
    return keras.Model(picture, x, name="residual")


# Every network that a recipe of `helpers.training` can name. Lesson 4's last section comes from the
# article's layers to the residual ones in these steps.
ARTICLE_WIDTHS = (16, 32, 32, 64)
NETWORKS: dict[str, Callable[..., "keras.Model"]] = {
    "article": build_model,
    "average": partial(build_residual, widths=ARTICLE_WIDTHS, blocks=0, normalize=False),
    "normalized": partial(build_residual, widths=ARTICLE_WIDTHS, blocks=0),
    "wider": partial(build_residual, blocks=0),
    "residual": build_residual,
}


class LayerRow(NamedTuple):
    """One layer of a network, in numbers.

    Attributes
    ----------
    name, kind : str
        The layer's name and its class.
    output_shape : tuple of int
        Without the batch.
    parameters : int
        Weights and biases.
    arithmetic : str
        How `parameters` comes about, such as "(3*3*3+1)*16"; empty where there are none.
    multiply_adds : int
        For one picture.
    receptive_field : int or None
        The side, in pixels of the picture, of the square that one output value sees; None from
        Flatten on, where every value sees the whole picture.
    jump : int or None
        How many pixels the square moves from one output value to the next.
    start : int or None
        The first pixel of the first square (negative where the padding is seen).
    memory : int
        Bytes that the output takes for one picture.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    arithmetic: str
    multiply_adds: int
    receptive_field: int | None
    jump: int | None
    start: int | None
    memory: int


def layer_table(model: "keras.Model") -> list[LayerRow]:
    """Return one `LayerRow` for each layer of a network, as lesson 3 counts them.

    Reads convolutions, batch normalisation, pooling, flattening and dense layers; other layers are
    taken to leave the receptive field as it is. Where layers meet, the widest field counts.

    Notes
    -----
    A window of k with stride s on values that see r pixels, j apart, sees r + (k - 1) j pixels,
    and its own are j s apart (Dumoulin and Visin, 2016, "A guide to convolution arithmetic").
    """
    from keras import layers

    reach: dict[int, tuple[int | None, int | None, int | None]] = {}
    rows = []
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        before = [reach.get(id(x), (1, 1, 0)) for x in _as_list(layer.input)]
        field, jump, start = max(before, key=lambda r: math.inf if r[0] is None else r[0])
        shape = tuple(layer.output.shape[1:])
        arithmetic, multiply_adds = "", 0
        if isinstance(layer, layers.Conv2D):
            height, width = layer.kernel_size
            channels = layer.input.shape[-1]
            bias = "+1" if layer.use_bias else ""
            arithmetic = f"({height}*{width}*{channels}{bias})*{layer.filters}"
            multiply_adds = height * width * channels * layer.filters * shape[0] * shape[1]
        elif isinstance(layer, layers.Dense):
            inputs = layer.input.shape[-1]
            arithmetic = f"({inputs}{'+1' if layer.use_bias else ''})*{layer.units}"
            multiply_adds = inputs * layer.units
        elif isinstance(layer, layers.BatchNormalization):
            arithmetic = f"4*{shape[-1]}"
        if field is not None and len(shape) < 3:
            field = jump = start = None
        window, stride, padded = _window(layer)
        if field is not None and window:
            start -= padded * jump
            field += (window - 1) * jump
            jump *= stride
        reach[id(layer.output)] = field, jump, start
        size = 2 if layer.compute_dtype in ("float16", "bfloat16") else 4
        rows.append(
            LayerRow(
                name=layer.name,
                kind=type(layer).__name__,
                output_shape=shape,
                parameters=layer.count_params(),
                arithmetic=arithmetic,
                multiply_adds=multiply_adds,
                receptive_field=field,
                jump=jump,
                start=start,
                memory=_product(shape) * size,
            )
        )
    return rows


def _window(layer: "keras.layers.Layer") -> tuple[int, int, int]:
    """Return the side of a layer's window, its stride, and the padding before the first value."""
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if not window:
        return 0, 1, 0
    size, stride = window[0], layer.strides[0]
    if layer.padding == "valid":
        return size, stride, 0
    missing = (layer.output.shape[1] - 1) * stride + size - layer.input.shape[1]
    return size, stride, max(missing, 0) // 2


def _as_list(x: Any) -> list:
    return x if isinstance(x, list) else [x]


def _product(shape: tuple[int, ...]) -> int:
    result = 1
    for side in shape:
        result *= side
    return result


def _layers_as_json(model: "keras.Model") -> list[list[Any]]:
    """Return name, kind, output shape and parameters of each layer that a trained model keeps."""
    return [
        [row.name, row.kind, list(row.output_shape), row.parameters]
        for row in layer_table(model)
        if row.kind != "Dropout"
    ]


def save_trained(
    model: "keras.Model",
    *,
    name: str,
    record: dict[str, Any],
    network: str = "article",
    folder: Path | None = None,
) -> Path:
    """Save a trained network as ``<name>.weights.h5`` and ``<name>.json``.

    The weights are stored as float16 (3.3 MB instead of 6.6), without dropout and optimizer.

    Parameters
    ----------
    model : keras.Model
        A network of `NETWORKS`, with or without dropout.
    record : dict
        How it was trained; the hash of the file and the table of layers are added.
    network : str
        Its name in `NETWORKS`.
    folder : Path, optional
        By default the repository's data folder.

    Returns
    -------
    Path
        The record that was written.
    """
    folder = data_folder() if folder is None else Path(folder)
    twin = NETWORKS[network](dtype="float16")
    twin.set_weights([variable.numpy() for variable in model.weights])
    path = folder / f"{name}.weights.h5"
    twin.save_weights(path)
    weights = {
        "file": path.name,
        "network": network,
        "dtype": "float16",
        "sha256": _sha256(path),
    }
    record = {**record, "weights": weights, "layers": _layers_as_json(twin)}
    written = folder / f"{name}.json"
    written.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return written


def load_trained(name: str = "regularised", *, folder: Path | None = None) -> "keras.Model":
    """Load a trained network that ships with the lessons, after checking that it is the one.

    Parameters
    ----------
    name : str
        ``<name>.weights.h5`` and its record ``<name>.json``: of those that ship, "regularised" or
        "residual-longer", after the recipes that made them.
    folder : Path, optional
        By default the repository's data folder.

    Returns
    -------
    keras.Model
        Its attribute ``class_names`` names the answers, such as ("cat", "dog").

    Raises
    ------
    WeightsError
        A file is missing or damaged, or the weights belong to other layers (a ``.weights.h5`` file
        is matched by class and order alone: weights of renamed or reordered layers would load in
        silence).
    """
    record = load_record(name, folder=folder)
    folder = data_folder() if folder is None else Path(folder)
    try:
        path = folder / record["weights"]["file"]
        expected, layers = record["weights"]["sha256"], record["layers"]
        build = NETWORKS[record["weights"].get("network", "article")]
    except (KeyError, TypeError):
        raise WeightsError(
            f"The record {name}.json does not say which weights it describes; "
            "take both files from the repository again (git checkout data)."
        ) from None
    if not path.is_file():
        raise WeightsError(
            f"The weights {path.name} are not in {folder.name}/; "
            "take them from the repository again (git checkout data)."
        )
    if _sha256(path) != expected:
        raise WeightsError(
            f"{path.name} is not the file that {name}.json describes (its SHA-256 differs); "
            "take both from the repository again (git checkout data)."
        )
    model = build()
    here = _layers_as_json(model)
    if layers != here:
        first = next((a for a, b in zip(layers, here, strict=False) if a != b), layers[-1:])
        raise WeightsError(
            f"{path.name} was trained with other layers than are built now (the first that "
            f"differs: {first}); train again with python -m helpers.training."
        )
    model.load_weights(path)
    model.class_names = tuple(record.get("classes", ()))
    return model


def load_record(name: str = "regularised", *, folder: Path | None = None) -> dict[str, Any]:
    """Return the record of a training run, ``<name>.json``: recipe, history, accuracy.

    Raises
    ------
    WeightsError
        The record is missing or is not JSON.
    """
    path = (data_folder() if folder is None else Path(folder)) / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsError(
            f"There is no record {path.name} in {path.parent.name}/; "
            "see data/README.md for the names that ship."
        ) from None
    except ValueError:
        raise WeightsError(
            f"The record {path.name} is damaged (it is not JSON); "
            "take it from the repository again (git checkout data)."
        ) from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
