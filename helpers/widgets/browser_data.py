"""What the activation browser says of a model's layers, and of its answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.activations import shown_layers, sources
from helpers.model import receptive_spans

if TYPE_CHECKING:
    import keras

SLICES = 6  # a deeper kernel is shown by this many of its input slices, the strongest


def describe_layers(model: "keras.Model") -> tuple[list[dict[str, Any]], np.ndarray]:
    """Return how each layer's maps are made and what they see, and all kernels as one array.

    Returns
    -------
    list of dict
        One for each of `shown_layers`: sources (the layers that feed it, none: the image does),
        made (what it does, in words), join (how its filters go with those that feed it: "all",
        "own" for filter 3 from filter 3, "row" for one layer's after the other's), and spans (of
        rows and of columns) or unknown (why there are none). A convolution has a kernel (its
        shape), inputs (which map each slice reads) and start (of its first weight).
    (n,) float32 array
        The weights of all kernels. One over the three colours of an image is whole, (filters,
        height, width, 3); others have their `SLICES` strongest slices, (filters, slices, height,
        width).
    """
    fed, spans = sources(model), receptive_spans(model)
    layers, weights, start = [], [np.zeros(0)], 0
    for layer in shown_layers(model):
        seen = spans[layer.name]
        known = (
            {"unknown": seen} if isinstance(seen, str) else {"spans": [s.tolist() for s in seen]}
        )
        about = {"sources": fed[layer.name], "made": _made(layer), "join": _join(layer), **known}
        kernel, inputs = _kernel(layer)
        if kernel is not None:
            if not fed[layer.name] and kernel.shape[1] == 3:
                kernel, inputs = np.moveaxis(kernel, 1, 3), inputs[:, :0]
            else:
                strength = np.abs(kernel).sum((2, 3))
                best = np.argsort(-strength, axis=1, kind="stable")[:, :SLICES]
                kernel = np.take_along_axis(kernel, best[..., None, None], 1)
                inputs = np.take_along_axis(inputs, best, 1)
            about |= {"kernel": kernel.shape, "inputs": inputs.tolist(), "start": start}
            weights.append(kernel.ravel())
            start += kernel.size
        layers.append(about)
    return layers, np.concatenate(weights).astype(np.float32)


def _kernel(layer: "keras.Layer") -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return a convolution's (filters, slices, h, w) and which input map each slice reads."""
    kind = type(layer).__name__
    if kind == "DepthwiseConv2D":  # each input map has kernels of its own
        height, width, maps, times = layer.kernel.shape
        kernel = np.asarray(layer.kernel).reshape(height, width, 1, maps * times)
        return np.transpose(kernel, (3, 2, 0, 1)), np.arange(maps * times)[:, None] // times
    if kind == "SeparableConv2D":  # its two steps are one convolution with this kernel
        deep, mix = np.asarray(layer.depthwise_kernel), np.asarray(layer.pointwise_kernel)
        kernel = np.einsum("hwmt,mtf->fmhw", deep, mix.reshape(*deep.shape[2:], -1))
    elif kind == "Conv2D":
        kernel = np.transpose(np.asarray(layer.kernel), (3, 2, 0, 1))
    else:
        return None, None
    filters, maps = kernel.shape[:2]
    group = np.arange(filters) // (filters // getattr(layer, "groups", 1))
    return kernel, group[:, None] * maps + np.arange(maps)  # a group reads a part of the maps


def _join(layer: "keras.Layer") -> str:
    kind = type(layer).__name__
    mixes = "Dense" in kind or ("Conv" in kind and kind != "DepthwiseConv2D")
    return "row" if kind == "Concatenate" else "all" if mixes else "own"


def _made(layer: "keras.Layer") -> str:
    """Return what a layer does, in a few words that "of" can follow."""
    kind = type(layer).__name__
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        window = "×".join(map(str, layer.pool_size))
        return f"the {'largest' if kind.startswith('Max') else 'mean'} of every {window}"
    return kind


def describe_answer(model: "keras.Model", batch: np.ndarray, classes: Sequence[str]) -> str:
    """Return a model's answer with its probability, and that it knows no other answers.

    Parameters
    ----------
    batch : (1, H, W, channels) array
        What the model takes.
    classes : sequence of str
        Names of the answers; a single sigmoid unit has two.

    Returns
    -------
    str
        Empty where the model does not end in one sigmoid unit or in softmax.
    """
    import keras

    last = getattr(model.layers[-1], "activation", None)
    units = model.outputs[0].shape[1:] if len(model.outputs) == 1 else ()
    single = last is keras.activations.sigmoid and tuple(units) == (1,)
    if not single and (last is not keras.activations.softmax or len(units) != 1):
        return ""
    chances = np.asarray(model(batch, training=False))[0].astype(float)
    if single:
        chances = np.array([1 - chances[0], chances[0]])
    if len(classes) != len(chances):
        classes = [f"answer {number}" for number in range(len(chances))]
    best = int(chances.argmax())
    sure = "more than 99.9%" if chances[best] > 0.999 else f"{chances[best]:.1%}"
    few = (
        "two answers, " + " and ".join(classes) if len(classes) == 2 else f"{len(classes)} answers"
    )
    return (
        f"The network says {classes[best]}, with a probability of {sure}. It knows only {few}: "
        "whatever the image shows, it gives one of them."
    )
