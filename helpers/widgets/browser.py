"""The activation browser of lesson 5: every filter of a network for one image, at hand's speed."""

import hashlib
import re
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from helpers.activations import (
    activation_model,
    as_input,
    pack,
    random_twin,
    shown_layers,
    sources,
    strongest_activations,
    strongest_patches,
)
from helpers.errors import number, one_of
from helpers.model import IDENTITIES, receptive_spans
from helpers.pets import Pets, load_pets
from helpers.widgets.lab import SAMPLES, ImageLab, Message

if TYPE_CHECKING:
    import keras

_PETS = "one of my pets"
_SLICES = 6  # a deeper kernel is shown by this many of its slices, the strongest
# How the axes of a kernel become (filters, maps, height, width).
_AXES = {"Conv2D": (3, 2, 0, 1), "Dense": (3, 2, 0, 1), "Conv2DTranspose": (2, 3, 0, 1)}
# The layers that network.js computes, each by a letter: their class, and how they have to be set.
_CONV = {"class": "Conv2D", "padding": "valid", "use_bias": True, "activation": "relu"}
_PLAIN: dict[str, dict[str, Any]] = {
    "R": {"class": "Rescaling"},
    "C": _CONV | {"kernel_size": (3, 3), "strides": (1, 1), "dilation_rate": (1, 1), "groups": 1},
    "P": {"class": "MaxPooling2D", "pool_size": (2, 2), "strides": (2, 2), "padding": "valid"},
    "F": {"class": "Flatten"},
    "D": {"class": "Dense", "use_bias": True, "activation": "relu"},
    "S": {"class": "Dense", "use_bias": True, "activation": "sigmoid", "units": 1},
}


class ActivationBrowser(ImageLab):
    """Slide through the layers and filters of a Keras model: what each makes of an image.

    Beside the image stands the feature map of one filter; point at it, or choose a place with the
    arrow keys, to see what that number sees. Below are the filter's kernel, whose slices lead to
    the filters that they read, and the patches that excite the filter most among many pets.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, with one image as input; not only the lessons' own network.
    image : optional
        One of `images.SAMPLES`, or anything that `images.open_image` takes.
    pets : Pets, optional
        Their validation images are searched for what excites a filter; by default `load_pets()`,
        once they are asked for.
    classes : sequence of str, optional
        Names of the model's answers, by default ``model.class_names`` where it has them; a single
        sigmoid unit has two.
    preprocess : callable, optional
        Takes (n, H, W, channels) float32 images from 0 to 255 to what the model expects, for
        example ``lambda x: x / 255``; not needed where a Rescaling layer does it.

    Attributes
    ----------
    layer : str
        Name of the layer that is shown, one of `layers`; can be set, and linked to a control.
    filter : int
        Number of the filter that is shown, from 0; can be set, and linked to a control.
    weights : "trained" or "random"
        The model as it is, or the same layers before any training; can be set.
    shared_scale : bool
        One scale of colours for all filters of the layer, or one for each; can be set.
    pet : int
        Which validation image "one of my pets" is; can be set.
    """

    module = "browser.js"
    title = "Activation browser"
    still = "activation_browser"
    still_alt = (
        "The activation browser: a photo of a dog with the box that one activation sees, the map "
        "of one filter of the layer pool1, the grid of all 16 filters, and the filter's kernel."
    )

    layers = traitlets.List(traitlets.Unicode()).tag(sync=True)
    layer = traitlets.Any().tag(sync=True)
    filter = traitlets.Any(0).tag(sync=True)
    weights = traitlets.Enum(["trained", "random"], "trained").tag(sync=True)
    shared_scale = traitlets.Bool(False).tag(sync=True)
    pet = traitlets.Any(0).tag(sync=True)

    def __init__(
        self,
        model: "keras.Model",
        image: Any = "dog",
        *,
        pets: Pets | None = None,
        classes: Sequence[str] | None = None,
        preprocess: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self._models = {"trained": (model, activation_model(model))}
        self._pets, self._preprocess = pets, preprocess
        self._classes = tuple(classes or getattr(model, "class_names", ()))
        self._layers = {layer.name: layer for layer in shown_layers(model)}
        self._searching: dict[str, Any] = {}  # by the version of the weights
        self._found: dict[str, Any] = {}
        sources = {**SAMPLES, _PETS: lambda: self._validation()[self.pet]}
        names = list(self._layers)
        super().__init__(image, sources, layers=names, layer=names[0])

    @traitlets.validate("layer")
    def _known_layer(self, proposal: dict) -> str:
        return one_of("layer", proposal["value"], self.layers)

    @traitlets.validate("filter")
    def _filter_of_the_layer(self, proposal: dict) -> int:
        return number(f"filter of {self.layer}", proposal["value"], 0, self._last())

    @traitlets.validate("pet")
    def _known_pet(self, proposal: dict) -> int:
        return number("pet", proposal["value"], 0, len(self._validation()) - 1)

    @traitlets.observe("layer")
    def _fewer_filters(self, change: dict) -> None:
        self.filter = min(self.filter, self._last())

    def _last(self, layer: str | None = None) -> int:
        return self._layers[layer or self.layer].output.shape[-1] - 1

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page says; a linked slider may go beyond the filters of a layer."""
        if "filter" in sync_data:
            last = self._last(sync_data.get("layer"))
            sync_data = {**sync_data, "filter": min(sync_data["filter"], last)}
        super().set_state(sync_data)

    def _validation(self) -> np.ndarray:
        if self._pets is None:
            self._pets = load_pets()
        return self._pets.validation.images

    def _network(self, weights: str) -> tuple["keras.Model", "keras.Model", str]:
        """Return the model with these weights, the one that gives its maps, and their version."""
        if weights not in self._models:
            model = random_twin(self._models["trained"][0])
            self._models[weights] = model, activation_model(model)
        model, inside = self._models[weights]
        numbers = b"".join(weight.tobytes() for weight in model.get_weights())
        return model, inside, hashlib.sha256(numbers).hexdigest()  # other after more training

    def message(self, image: np.ndarray, request: dict[str, Any]) -> Message:
        """Return all that the page needs of an image, (H, W, 3) uint8, under one kind of weights.

        Which, "trained" or "random", says the request; by default those that are shown.
        """
        weights = request.get("weights", self.weights)
        model, inside, version = self._network(weights)
        batch = as_input(model, image, preprocess=self._preprocess)
        maps = inside(batch, training=False)
        packed, arrays = pack(
            {name: np.asarray(value[0], np.float32) for name, value in maps.items()}
        )
        layers, kernels = _described(model)
        seen = np.rint(as_input(model, image)[0]).astype(np.uint8)
        seen = seen[..., 0] if seen.shape[-1] == 1 else seen
        header = {
            "shape": seen.shape,
            "checksum": zlib.crc32(seen),  # tells the page which messages belong to one image
            "weights": weights,
            "version": version,
            "chances": _chances(model, batch),
            "classes": self._classes,
            "given": image.shape[:2],
            "pet": request.get("pet", self.pet),
            "pets": len(self._pets.validation.images) if self._pets else 0,
            "layers": [a | b for a, b in zip(packed, layers, strict=True)],
        }
        return header, [np.ascontiguousarray(each).tobytes() for each in (seen, *arrays, kernels)]

    def answer(self, request: dict[str, Any], buffers: list) -> Message | None:
        """Answer the choice of an image, the parts of an upload, and each step of a search."""
        if request["kind"] == "search":
            return self._search(request)
        if request["kind"] in ("network", "dense"):
            network, weights, dense = _page_network(self._network(request["weights"])[0])
            return {"network": network}, [dense if request["kind"] == "dense" else weights]
        if request["kind"] == "image" and request["name"] == _PETS:
            # A request may overtake the state: its number counts, not that of the trait.
            return self._named(_PETS, self._validation()[request["pet"]], request)
        return super().answer(request, buffers)

    def _search(self, request: dict[str, Any]) -> Message:
        """Look through one more batch of pets, or say what was found.

        The page asks for the next batch, so that it can stop, and the kernel is free in between.
        """
        model, _, version = self._network(request["weights"])
        pets, same = self._validation(), {"kind": "search", "version": version}
        if version not in self._found:
            steps = self._searching.pop(version, None) or strongest_activations(
                model, pets, preprocess=self._preprocess
            )
            try:
                done, total = next(steps)
            except StopIteration as end:
                self._found[version] = end.value
            else:
                self._searching[version] = steps
                return {**same, "done": done, "total": total}, []
        layer, number = request["layer"], request["filter"]
        patches = strongest_patches(
            model, pets, self._found[version], layer=layer, filter_number=number
        )
        shown = [{"shape": p.shape, "value": value, "pet": pet} for p, value, pet in patches]
        kind = "photos of pets" if self._pets.source == "photos" else "drawn pets"
        header = {**same, "layer": layer, "filter": number, "patches": shown}
        header["source"] = f"{len(pets):,} {kind}"
        return header, [np.ascontiguousarray(pixels).tobytes() for pixels, *_ in patches]

    def stored_requests(self) -> list[dict[str, Any]]:
        """Return the requests for the image that is shown, and for the network if it is plain."""
        image = {"kind": "image", "name": self.image, "weights": self.weights, "pet": self.pet}
        plain = self._preprocess is None and _page_network(self._network(self.weights)[0])
        return [image, *([{"kind": "network", "weights": self.weights}] if plain else [])]


def _page_network(model: "keras.Model") -> tuple[dict[str, Any], bytes, bytes] | None:
    """Return a network as network.js computes it; None if it is no chain of what that knows.

    Its shape, scale, offset, layers and head come first, then the weights of its convolutions as
    float32 and of its dense layers as float16, all as `forward` in network.js takes them.
    """
    layers = [layer for layer in model.layers if type(layer).__name__ not in IDENTITIES]
    chain = "".join(map(_letter, layers))
    if not re.fullmatch("R?[CP]+(FD*S)?", chain) or type(model).__name__ != "Sequential":
        return None
    network = {"shape": model.input_shape[1:], "scale": 1, "offset": 0, "layers": [], "head": []}
    weights, dense = [], [np.zeros(0)]
    for letter, layer in zip(chain, layers, strict=True):
        kernel, bias = layer.get_weights() or (None, None)
        if letter == "R":
            network |= {"scale": layer.scale, "offset": layer.offset}
        elif letter == "F":
            places = layer.input.shape[1:]
        elif letter in "CP":
            network["layers"].append(0 if bias is None else len(bias))
            weights += [] if bias is None else [kernel.transpose(3, 2, 0, 1).ravel(), bias]
        else:
            dense += [kernel.reshape(*places, -1).transpose(3, 2, 0, 1).ravel(), bias]
            network["head"].append(len(bias))
            places = (1, 1, len(bias))
    parts = np.concatenate(weights, dtype=np.float32), np.concatenate(dense).astype(np.float16)
    return network, parts[0].tobytes(), parts[1].tobytes()


def _letter(layer: "keras.Layer") -> str:
    """Return the letter of a layer that network.js computes, "?" of any other."""
    settings = {"class": type(layer).__name__, **layer.get_config()}.items()
    return next((letter for letter in _PLAIN if _PLAIN[letter].items() <= settings), "?")


def _described(model: "keras.Model") -> tuple[list[dict[str, Any]], np.ndarray]:
    """Return for each layer what it does and sees, and the weights of all kernels as one array.

    A layer has spans (of rows and of columns) or unknown (why there are none); made (what it does,
    in words); and for each of its filters in reads the filters that it is made of, (number of
    their layer or -1, filter or None for all), none where it is the image. A kernel has its shape
    (filters, slices, height, width) and start, the number of its first weight; its slices are in
    the order of reads.
    """
    feeding, spans, known = sources(model), receptive_spans(model), shown_layers(model)
    names, filters = [layer.name for layer in known], [layer.output.shape[-1] for layer in known]
    rows, kernels, start = [], [np.zeros(0)], 0
    for layer, count in zip(known, filters, strict=True):
        seen, fed = spans[layer.name], feeding[layer.name]
        row = {"unknown": seen} if isinstance(seen, str) else {"spans": [s.tolist() for s in seen]}
        numbers = [names.index(name) if name in names else -1 for name in fed]
        kernel, maps = _kernel(layer)
        if kernel is not None:
            best = np.argsort(-np.abs(kernel).sum((2, 3)), axis=1, kind="stable")[:, :_SLICES]
            best = best if fed else np.sort(best)  # of an image: red, green, blue
            kernel = np.take_along_axis(kernel, best[..., None, None], 1)
            maps = np.take_along_axis(maps, best, 1).tolist()
            source = numbers[0] if len(numbers) == 1 else -1
            reads = [[(source, number) for number in line if fed] for line in maps]
            row |= {"kernel": kernel.shape, "start": start}
            kernels.append(kernel.ravel())
            start += kernel.size
        elif type(layer).__name__ == "Concatenate":  # one layer's filters after the other's
            reads = [[(n, i)] for n in numbers for i in range(filters[n] if n >= 0 else count)]
        else:
            reads = [
                [(n, i if filters[n] == count else None) for n in numbers] for i in range(count)
            ]
        rows.append({"made": _made(layer), "reads": reads[:count], **row})
    return rows, np.concatenate(kernels).astype(np.float32)


def _kernel(layer: "keras.Layer") -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return a layer's kernel, (filters, slices, h, w), and which map each slice reads."""
    kind = type(layer).__name__
    if kind == "DepthwiseConv2D":  # each map has kernels of its own
        height, width, maps, times = layer.kernel.shape
        kernel = np.asarray(layer.kernel).reshape(height, width, 1, maps * times)
        return np.transpose(kernel, _AXES["Conv2D"]), np.arange(maps * times)[:, None] // times
    if kind == "SeparableConv2D":  # its two steps are one convolution with this kernel
        deep, mix = np.asarray(layer.depthwise_kernel), np.asarray(layer.pointwise_kernel)
        kernel = np.einsum("hwmt,mtf->fmhw", deep, mix.reshape(*deep.shape[2:], -1))
    elif kind in _AXES:
        kernel = np.asarray(layer.kernel)
        kernel = np.transpose(kernel[(None,) * (4 - kernel.ndim)], _AXES[kind])
    else:
        return None, None
    filters, maps = kernel.shape[:2]
    group = np.arange(filters) // (filters // getattr(layer, "groups", 1))
    return kernel, group[:, None] * maps + np.arange(maps)  # a group reads a part of the maps


def _made(layer: "keras.Layer") -> str:
    """Return what a layer does, in words that "of" can follow."""
    kind = type(layer).__name__
    if kind not in ("MaxPooling2D", "AveragePooling2D"):
        return kind
    window = "×".join(map(str, layer.pool_size))
    return f"the {'largest' if kind.startswith('Max') else 'mean'} of every {window}"


def _chances(model: "keras.Model", batch: np.ndarray) -> list[float]:
    """Return the probability of each answer; none unless it ends in a sigmoid unit or softmax."""
    import keras

    last = getattr(model.layers[-1], "activation", None)
    units = tuple(model.outputs[0].shape[1:]) if len(model.outputs) == 1 else ()
    single = last is keras.activations.sigmoid and units == (1,)
    if not single and (last is not keras.activations.softmax or len(units) != 1):
        return []
    plain = keras.Model(model.inputs[0], model.outputs[0])  # Keras warns where a list was given
    chances = np.asarray(plain(batch, training=False))[0].tolist()
    return [1 - chances[0], *chances] if single else chances
