"""The activation browser of lesson 5: every filter of a network for one picture, at hand's speed.

Python computes all maps of a picture in one pass and sends them to the page once, as bytes; from
then on the page draws by itself (browser.js). Pictures and maps travel in messages and are no
part of the widget's state, so nothing of them is saved with a notebook.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anywidget
import ipywidgets
import numpy as np
import traitlets

from helpers import explain, images
from helpers.activations import (
    ModelError,
    activation_model,
    as_input,
    check_model,
    pack,
    random_twin,
    receptive_spans,
    shown_layers,
    sources,
)
from helpers.pets import Pets, PetsError, load_pets
from helpers.widgets.lab import Lab, PictureChooser
from helpers.widgets.modules import module_source, style_source
from helpers.widgets.picture import color_table

if TYPE_CHECKING:
    import keras

SLICES = 6  # a deeper kernel is shown by this many of its input slices, the strongest
LIMIT = 2_000_000  # bytes from which `save_html` says how large the page is
MY_PETS = "one of my pets"
Message = tuple[dict, list[bytes]]


class BrowserView(anywidget.AnyWidget):
    """What the page draws: the picture, a map, its kernel, all filters, the strongest patches."""

    _esm = module_source("browser.js")
    _css = style_source("picture.css", "labs.css", "browser.css")
    layer = traitlets.Int(0).tag(sync=True)
    filter = traitlets.Int(0).tag(sync=True)
    last = traitlets.Int(1).tag(sync=True)
    shared = traitlets.Int(0).tag(sync=True)
    weights = traitlets.Int(0).tag(sync=True)


class ActivationBrowser(Lab):
    """Slide through layers and filters of a Keras model, and see what each makes of a picture.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional, of one picture; not the lessons' own network alone.
    picture : str or picture
        One of `images.SAMPLES`, or whatever `images.open_image` takes.
    pets : Pets, optional
        The pictures among which it looks for what excites a filter; by default `load_pets()`,
        once they are asked for.
    classes : sequence of str, optional
        Names of the model's answers, by default ``model.class_names`` where it has them; a single
        sigmoid unit has two.
    preprocess : callable, optional
        Takes (n, H, W, channels) float32 pictures from 0 to 255 to what the model expects, for
        example ``lambda x: x / 255``; not needed where a Rescaling layer does it.

    Attributes
    ----------
    layer : str
        Name of the layer that is shown; can be set.
    filter : int
        Number of the filter that is shown; can be set.
    """

    title = "Activation browser"
    still = "activation_browser"
    still_alt = (
        "The activation browser: a photo of a dog with the box that one activation sees, the map "
        "of one filter of the layer pool1, its kernel, and the grid of all 16 filters."
    )

    def __init__(
        self,
        model: "keras.Model",
        picture: object = "dog",
        *,
        pets: Pets | None = None,
        classes: Sequence[str] | None = None,
        preprocess: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self._models = [model, None]
        self._extractors = [activation_model(model), None]
        self._pets, self._preprocess = pets, preprocess
        self._classes = tuple(classes or getattr(model, "class_names", ()))
        self._hashes = ["", ""]  # of the weights that the three below were made from
        self._messages: dict[int, Message] = {}  # of the present picture, by weights
        self._about: dict[int, tuple[list[dict], np.ndarray]] = {}
        self._found: dict[int, dict[str, explain.Strongest]] = {}
        self._layers = shown_layers(model)
        self._number = 0  # of the picture, so that the page can tell an answer to an older one
        # The largest layer's: noUiSlider's End key knows the range that a slider began with, and
        # goes to the end of the present one if that is smaller.
        self._view = BrowserView(
            last=max(1, *(layer.output.shape[-1] - 1 for layer in self._layers))
        )
        self._view.on_msg(self._answer)
        self._pictures = self._choice(picture)
        self._name, first = next(iter(self._pictures.items()))
        self._photo = self._fit(first())
        self.message()  # what cannot be shown fails here, in the learner's cell
        super().__init__(self._controls())

    def _choice(self, picture: object) -> dict[str, Callable[[], np.ndarray]]:
        """Return the pictures of the list by name, the given one first."""
        samples = {name: lambda name=name: images.sample(name) for name in images.SAMPLES}
        if isinstance(picture, str) and picture in samples:
            first = {picture: samples[picture]}
        else:
            opened = images.open_image(picture)
            first = {"the given picture": lambda: opened}
        return first | samples | {MY_PETS: self._pet}

    def _controls(self) -> list[ipywidgets.Widget]:
        names = [layer.name for layer in self._layers]
        wide = {"layout": ipywidgets.Layout(width="min(100%, 640px)")}
        self._pet_slider = ipywidgets.IntSlider(
            description="Pet", max=999, layout=ipywidgets.Layout(display="none")
        )
        self._chooser = PictureChooser(self._pictures, self._use)
        self._layer_slider = ipywidgets.SelectionSlider(options=names, description="Layer", **wide)
        self._filter_slider = ipywidgets.IntSlider(
            description="Filter", max=self._view.last, **wide
        )
        self._shared = ipywidgets.ToggleButtons(
            options=["each filter", "the whole layer"],
            description="Scale of",
            tooltips=[
                "Each filter runs from its own smallest to its own largest value",
                "One scale for all filters of the layer",
            ],
        )
        self._weights = ipywidgets.ToggleButtons(
            options=["trained", "random"],
            description="Weights",
            tooltips=["The model as it is", "The same layers before any training"],
        )
        for button in (self._shared, self._weights):
            button.style.button_width = "auto"
            button.layout.width = "auto"
        self._pet_slider.observe(self._other_pet, "value")
        self._links = [
            ipywidgets.jslink((self._layer_slider, "index"), (self._view, "layer")),
            ipywidgets.jslink((self._filter_slider, "value"), (self._view, "filter")),
            ipywidgets.jsdlink((self._view, "last"), (self._filter_slider, "max")),
            ipywidgets.jslink((self._shared, "index"), (self._view, "shared")),
            ipywidgets.jslink((self._weights, "index"), (self._view, "weights")),
        ]
        switches = ipywidgets.HBox([self._weights, self._shared])
        switches.layout.flex_flow = "row wrap"
        switches.add_class("cnn-browser-switches")
        pictures = ipywidgets.HBox([self._chooser, self._pet_slider])
        pictures.layout.flex_flow = "row wrap"
        return [pictures, switches, self._layer_slider, self._filter_slider, self._view]

    @property
    def layer(self) -> str:
        """The name of the layer that is shown."""
        return self._layers[self._view.layer].name

    @layer.setter
    def layer(self, name: str) -> None:
        names = [layer.name for layer in self._layers]
        if name not in names:
            raise ValueError(f"There is no layer {name!r} to show: choose one of {names}.")
        number = names.index(name)
        with self._view.hold_sync():  # in one message: the page would correct a filter too many
            self._view.filter = min(self._view.filter, self._filters(number) - 1)
            self._view.layer = number

    @property
    def filter(self) -> int:
        """The number of the filter that is shown, from 0."""
        return self._view.filter

    @filter.setter  # noqa: A003
    def filter(self, number: int) -> None:
        count = self._filters(self._view.layer)
        if not 0 <= number < count:
            raise ValueError(f"{self.layer} has the filters 0 to {count - 1}, not {number}.")
        self._view.filter = number

    def _filters(self, layer: int) -> int:
        return self._layers[layer].output.shape[-1]

    def _fit(self, picture: np.ndarray) -> np.ndarray:
        return explain.fitted(picture, check_model(self._models[0])[:2])

    def _model(self, weights: int) -> "keras.Model":
        """Return the model as it is (0) or its random twin (1), made when it is first needed.

        What was kept of other weights is forgotten.
        """
        if self._models[weights] is None:
            self._models[weights] = random_twin(self._models[0])
            self._extractors[weights] = activation_model(self._models[weights])
        model = self._models[weights]
        present = hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
        if present != self._hashes[weights]:  # trained further since it was last looked at
            self._hashes[weights] = present
            for made in (self._messages, self._about, self._found):
                made.pop(weights, None)
        return model

    def _use(self, picture: np.ndarray, name: str) -> None:
        """Show another picture; one that fails raises before anything has changed."""
        self._photo, self._name = self._fit(picture), name
        self._number += 1
        self._messages.clear()
        self._pet_slider.layout.display = None if name == MY_PETS else "none"
        self._send_maps(self._view.weights)

    def _load_pets(self) -> Pets:
        if self._pets is None:
            try:
                self._pets = load_pets(quiet=True)
            except PetsError as error:
                raise images.ImageError(str(error)) from None
        return self._pets

    def _pet(self) -> np.ndarray:
        pictures = self._load_pets().validation.images
        self._pet_slider.max = len(pictures) - 1
        return pictures[self._pet_slider.value]

    def _other_pet(self, _change: dict) -> None:
        if self._name == MY_PETS:
            self._use(self._pet(), MY_PETS)

    def _send_maps(self, weights: int) -> None:
        self._view.send(*self.message(weights))

    def _answer(self, _widget: object, content: dict, _buffers: list) -> None:
        kind = content.get("kind")
        if kind in ("ready", "want"):
            self._send_maps(content.get("weights", self._view.weights))
        elif kind == "patches":
            try:
                self._send_patches(**{k: content[k] for k in ("weights", "layer", "filter")})
            except (ModelError, images.ImageError) as error:
                self._view.send({"kind": "failed", "sentence": str(error)})
            except Exception as error:
                sentence = f"The search failed ({type(error).__name__}): press the button again."
                self._view.send({"kind": "failed", "sentence": sentence})
                raise

    def message(self, weights: int = 0) -> Message:
        """Return all that the page needs for the present picture: a header and buffers.

        Parameters
        ----------
        weights : int
            0 for the model as it is, 1 for its random twin.
        """
        model = self._model(weights)
        if weights in self._messages:
            return self._messages[weights]
        batch = as_input(model, self._photo, preprocess=self._preprocess)
        maps = self._extractors[weights](batch, training=False)
        packed = pack({name: np.asarray(value[0], np.float32) for name, value in maps.items()})
        if weights not in self._about:
            self._about[weights] = _about(model)
        layers, slices = self._about[weights]
        header = {
            "kind": "maps",
            "number": self._number,
            "weights": weights,
            "shape": list(self._photo.shape),
            "picture": self._name,
            "answer": _answer_in_words(model, batch, self._classes),
            "layers": [a | b for a, b in zip(packed.layers, layers, strict=True)],
        }
        arrays = [self._photo, packed.pixels, packed.low, packed.high, slices]
        buffers = [np.ascontiguousarray(array).tobytes() for array in arrays]
        buffers += [color_table("viridis"), color_table("RdBu_r")]
        self._messages[weights] = header, buffers
        return self._messages[weights]

    def _send_patches(self, *, weights: int, layer: int, filter: int) -> None:  # noqa: A002
        """Send the patches of one filter, after looking through the pets the first time."""
        pictures, model = self._load_pets().validation.images, self._model(weights)
        if weights not in self._found:
            self._found[weights] = explain.strongest_activations(
                model,
                pictures,
                preprocess=self._preprocess,
                progress=lambda done, total: self._view.send(
                    {"kind": "progress", "done": done, "total": total}
                ),
            )
        patches = explain.strongest_patches(
            model,
            pictures,
            self._found[weights],
            layer=self._layers[layer].name,
            filter_number=filter,
        )
        header = {"kind": "patches", "weights": weights, "layer": layer, "filter": filter}
        kind = {"photos": "photos of pets", "drawn": "drawn pets"}.get(
            self._load_pets().source, "pictures"
        )
        header["source"] = f"{len(pictures):,} {kind}"
        header["patches"] = [
            {"shape": patch.pixels.shape, "value": patch.value, "picture": patch.picture}
            for patch in patches
        ]
        self._view.send(header, [np.ascontiguousarray(p.pixels).tobytes() for p in patches])

    def save_html(self, path: str | Path, *, with_upload: bool = False) -> Path:
        """Write a page that shows the present picture without Jupyter, kernel or network.

        Parameters
        ----------
        path : str or Path
        with_upload : bool
            An uploaded photo goes into the page only with True: whoever gets the page sees it.

        Returns
        -------
        Path
            The file; for a page of more than 2 MB its size is printed.

        Raises
        ------
        ValueError
            The picture shown is an upload, and `with_upload` is not True.
        """
        if self._name == PictureChooser.own and not with_upload:
            raise ValueError(
                "The page would show your uploaded photo to whoever gets it: choose another "
                "picture first, or ask for it with save_html(path, with_upload=True)."
            )
        header, buffers = self.message(self._view.weights)
        header = header | {"layer": self._view.layer, "filter": self._view.filter}
        page = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
        parts = {
            "style": style_source("picture.css", "labs.css", "browser.css"),
            "script": module_source("page.js"),
            "header": json.dumps(header).replace("<", "\\u003c"),
            "buffers": json.dumps([_deflated(buffer) for buffer in buffers]),
        }
        for name, text in parts.items():
            page = page.replace(f"/*{name}*/", text)
        path = Path(path)
        path.write_text(page, encoding="utf-8")
        if path.stat().st_size > LIMIT:
            print(f"{path.name} has {path.stat().st_size / 1e6:.1f} MB.")
        return path


def _deflated(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _spans(model: "keras.Model", layer: str) -> dict:
    """Return the rows and columns that a layer's positions see, or why that is not known."""
    try:
        spans = receptive_spans(model, layer)
    except ModelError as error:
        return {"spans": [], "unknown": str(error)}
    return {"spans": [[rows.tolist(), columns.tolist()] for rows, columns in spans]}


def _about(model: "keras.Model") -> tuple[list[dict], np.ndarray]:
    """Return per layer how its maps are made and what they see, and all kernels as one array.

    A layer that looks at a picture of three colours has whole kernels (filters, h, w, 3); one that
    looks at maps has for each filter its `SLICES` strongest input slices (filters, slices, h, w),
    and in ``inputs`` the numbers of the maps they belong to.
    """
    fed, about, arrays, start = sources(model), [], [], 0
    for layer in shown_layers(model):
        entry = {"sources": fed[layer.name], "made": _made(layer), "join": _join(layer)}
        entry |= _spans(model, layer.name)
        kernel, inputs = _kernel(layer)
        if kernel is not None:
            color = not fed[layer.name] and kernel.shape[1] == 3
            if color:
                kernel, inputs = np.moveaxis(kernel, 1, 3), inputs[:, :0]
            else:
                strongest = np.argsort(-np.abs(kernel).sum((2, 3)), axis=1, kind="stable")
                strongest = strongest[:, :SLICES]
                kernel = np.take_along_axis(kernel, strongest[..., None, None], 1)
                inputs = np.take_along_axis(inputs, strongest, 1)
            entry |= {"kernel": kernel.shape, "inputs": inputs.tolist(), "color": color}
            entry["start"] = start
            arrays.append(kernel.ravel())
            start += kernel.size
        about.append(entry)
    return about, np.concatenate([np.zeros(0), *arrays]).astype(np.float32)


def _kernel(layer: "keras.Layer") -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return a convolution's (filters, slices, h, w) and which input map each slice reads."""
    import keras

    if isinstance(layer, keras.layers.DepthwiseConv2D):  # each input map has kernels of its own
        height, width, maps, times = layer.kernel.shape
        kernel = np.asarray(layer.kernel).reshape(height, width, maps * times)
        return np.moveaxis(kernel, 2, 0)[:, None], np.arange(maps * times)[:, None] // times
    if not isinstance(layer, keras.layers.Conv2D):
        return None, None
    kernel = np.moveaxis(np.asarray(layer.kernel), (3, 2), (0, 1))
    filters, maps = kernel.shape[:2]
    group = np.arange(filters) // (filters // layer.groups)  # grouped filters read only a part
    return kernel, group[:, None] * maps + np.arange(maps)


def _join(layer: "keras.Layer") -> str:
    """Return how a layer's filters go with those that feed it."""
    import keras

    if isinstance(layer, keras.layers.Concatenate):
        return "row"  # one after the other
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return "own"
    if isinstance(layer, keras.layers.Conv2D | keras.layers.SeparableConv2D):
        return "all"
    return "own"  # filter 3 is made from filter 3


def _made(layer: "keras.Layer") -> str:
    """Return what a layer does, in a few words."""
    import keras

    kinds = keras.layers
    if isinstance(layer, kinds.Conv2D | kinds.DepthwiseConv2D | kinds.SeparableConv2D):
        name = getattr(layer.activation, "__name__", "linear")
        after = {"relu": ", then ReLU", "linear": ""}.get(name, f", then {name}")
        return "×".join(map(str, layer.kernel_size)) + f" convolution{after}"
    if isinstance(layer, kinds.MaxPooling2D):
        return "the largest of every " + "×".join(map(str, layer.pool_size))
    if isinstance(layer, kinds.AveragePooling2D):
        return "the mean of every " + "×".join(map(str, layer.pool_size))
    return type(layer).__name__


def _answer_in_words(model: "keras.Model", batch: np.ndarray, classes: Sequence[str]) -> str:
    """Return the model's answer with its probability, and that it knows no other answers."""
    import keras

    last = getattr(model.layers[-1], "activation", None)
    if len(model.outputs) != 1 or len(model.outputs[0].shape) != 2:
        return ""
    if last not in (keras.activations.sigmoid, keras.activations.softmax):
        return ""
    chances = np.asarray(model(batch, training=False))[0].astype(float)
    if len(chances) == 1:
        chances = np.array([1 - chances[0], chances[0]])
    elif last is keras.activations.sigmoid:
        return ""  # several answers may hold at once
    names = (
        classes if len(classes) == len(chances) else [f"answer {n}" for n in range(len(chances))]
    )
    best = int(chances.argmax())
    few = " and ".join(names) if len(names) == 2 else f"{len(names)} of them"
    return (
        f"The network says {names[best]}, with a probability of {_percent(chances[best])}. "
        f"It knows only {'two answers' if len(names) == 2 else 'its answers'}, {few}: "
        "whatever the picture shows, it gives one of them."
    )


def _percent(chance: float) -> str:
    return "more than 99.9%" if chance > 0.999 else f"{100 * chance:.1f}%"
