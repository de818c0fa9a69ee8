"""The activation browser of lesson 5: every filter of a network for one image, at hand's speed."""

import functools
import hashlib
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from helpers import images
from helpers.activations import (
    activation_model,
    as_input,
    pack,
    random_twin,
    shown_layers,
    strongest_activations,
    strongest_patches,
)
from helpers.errors import LearnerError
from helpers.pets import Pets, load_pets
from helpers.widgets.browser_data import describe_answer, describe_layers
from helpers.widgets.lab import ImageLab, Message, whole_number

if TYPE_CHECKING:
    import keras

PETS = "one of my pets"
_KINDS = {"photos": "photos of pets", "drawn": "drawn pets"}


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
    weights = traitlets.Any("trained").tag(sync=True)
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
        self._filters = {layer.name: layer.output.shape[-1] for layer in shown_layers(model)}
        self._searching: dict[str, Any] = {}  # by the version of the weights
        self._found: dict[str, Any] = {}
        sources = {name: functools.partial(images.sample, name) for name in images.SAMPLES}
        if isinstance(image, str) and image in sources:
            sources = {image: sources[image], **sources}
        else:
            given = images.open_image(image)
            sources = {"the given image": lambda: given, **sources}
        sources[PETS] = lambda: self._validation()[self.pet]
        self.message(next(iter(sources.values()))(), {})  # what fails does so in the learner's cell
        super().__init__(sources, layers=list(self._filters), layer=next(iter(self._filters)))

    @traitlets.validate("layer", "weights")
    def _one_of(self, proposal: dict) -> str:
        name, value = proposal["trait"].name, proposal["value"]
        choices = {"layer": list(self._filters), "weights": ["trained", "random"]}[name]
        if value not in choices:
            raise LearnerError(
                f"The {name} cannot be {value!r}: choose one of {', '.join(choices)}."
            )
        return value

    @traitlets.validate("filter")
    def _filter_of_the_layer(self, proposal: dict) -> int:
        name = f"filter of {self.layer}"
        return whole_number(name, proposal["value"], 0, self._filters[self.layer] - 1)

    @traitlets.validate("pet")
    def _known_pet(self, proposal: dict) -> int:
        value = proposal["value"]
        return whole_number("pet", value, 0, len(self._validation()) - 1) if value != 0 else 0

    @traitlets.observe("layer")
    def _fewer_filters(self, change: dict) -> None:
        self.filter = min(self.filter, self._filters[self.layer] - 1)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page says; a linked slider may go beyond the filters of a layer."""
        if "filter" in sync_data:
            count = self._filters.get(sync_data.get("layer", self.layer), 1)
            sync_data = {**sync_data, "filter": min(sync_data["filter"], count - 1)}
        super().set_state(sync_data)

    def _validation(self) -> np.ndarray:
        if self._pets is None:
            self._pets = load_pets(quiet=True)
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
        """Return all that the page needs of an image under one kind of weights.

        Parameters
        ----------
        image : (H, W, 3) uint8
        request : dict
            weights ("trained" or "random", by default as they are shown).
        """
        weights = request.get("weights", self.weights)
        model, inside, version = self._network(weights)
        batch = as_input(model, image, preprocess=self._preprocess)
        maps = inside(batch, training=False)
        packed = pack({name: np.asarray(value[0], np.float32) for name, value in maps.items()})
        layers, slices = describe_layers(model)
        seen = np.rint(as_input(model, image)[0]).astype(np.uint8)
        seen = seen[..., 0] if seen.shape[-1] == 1 else seen
        header = {
            "shape": seen.shape,
            "checksum": zlib.crc32(seen),  # tells the page which messages belong to one image
            "weights": weights,
            "version": version,
            "answer": describe_answer(model, batch, self._classes),
            "squeezed": _squeezed(image.shape, seen.shape),
            "pet": request.get("pet", self.pet),
            "pets": len(self._pets.validation.images) if self._pets else 0,
            "layers": [a | b for a, b in zip(packed.layers, layers, strict=True)],
        }
        arrays = [seen, packed.pixels, packed.low, packed.high, slices]
        return header, [np.ascontiguousarray(array).tobytes() for array in arrays]

    def answer(self, request: dict[str, Any], buffers: list) -> Message | None:
        """Answer the choice of an image, the parts of an upload, and each step of a search."""
        if request.get("kind") == "image" and request["name"] == PETS:
            # A request may overtake the state: its number counts, not that of the trait.
            return self._named(PETS, self._validation()[request["pet"]], request)
        if request.get("kind") != "search":
            return super().answer(request, buffers)
        try:
            return self._search(request)
        except LearnerError as error:
            sentence = str(error)
        except Exception as error:  # what a library says is for the log
            self.log.exception("A search for patches failed.")
            sentence = f"The search failed ({type(error).__name__}): press the button again."
        return {"kind": "search", "sentence": sentence}, []

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
        shown = [{"shape": p.pixels.shape, "value": p.value, "pet": p.image} for p in patches]
        kind = _KINDS.get(self._pets.source, "images")
        header = {**same, "layer": layer, "filter": number, "patches": shown}
        header["source"] = f"{len(pets):,} {kind}"
        return header, [np.ascontiguousarray(p.pixels).tobytes() for p in patches]

    def stored_requests(self) -> list[dict[str, Any]]:
        """Return the request for the image and the weights that are shown."""
        return [{"kind": "image", "name": self.image, "weights": self.weights, "pet": self.pet}]


def _squeezed(shape: tuple[int, ...], seen: tuple[int, ...]) -> str:
    """Return a sentence if the network's image has other proportions than the one given."""
    (height, width), (rows, columns) = shape[:2], seen[:2]
    if abs(np.log(height * columns / (width * rows))) < 0.05:
        return ""
    how = "narrower" if width * rows > height * columns else "flatter"
    return (
        f"The image is {width} pixels wide and {height} high, the network takes {columns} by "
        f"{rows}: it sees everything {how} than it is."
    )
