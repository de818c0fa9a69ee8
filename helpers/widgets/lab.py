"""What every lab has: one module, a still picture of itself, safe uploads, a saved page."""

import base64
import json
import re
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import numpy as np
import traitlets

from helpers import images
from helpers.errors import LearnerError, number, one_of
from helpers.figures import image_tag

Message = tuple[dict[str, Any], list[bytes]]
"""What travels to the page: a header and its buffers."""

_FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import [^;]*? from "\./(\w+\.js)";\n', re.M)
_EXPORT = re.compile(r"^export ", re.M)
SAMPLES = {name: partial(images.sample, name) for name in images.SAMPLES}
"""The samples among the images of a lab."""


@cache
def _modules(name: str) -> dict[str, str]:
    """Return a JavaScript module, after all that it imports, without the imports."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    texts: dict[str, str] = {}
    for needed in _IMPORT.findall(text):
        texts |= _modules(needed)
    return texts | {name: _IMPORT.sub("", text)}


def _bundle(*names: str) -> str:
    """Return JavaScript modules, and all that they import, as one module.

    anywidget loads a module from a blob and a saved page from a file, and neither can follow a
    relative import. So the modules are laid end to end; the names at their top level differ, and
    the exports of the last one stay.
    """
    texts = {part: text for name in names for part, text in _modules(name).items()}
    *before, last = texts.values()
    return "\n".join([*(_EXPORT.sub("", text) for text in before), last])


def _in_text(message: dict[str, Any], buffers: list[bytes]) -> dict[str, Any]:
    texts = [base64.b64encode(zlib.compress(b, 9)).decode() for b in buffers]
    return {"message": message, "buffers": texts}


class Number(traitlets.TraitType):
    """A synced trait that holds a number from `low` to `high`, as `number` checks it."""

    def __init__(self, low: float, high: float, first: float, *, whole: bool = True) -> None:
        super().__init__(first)
        self._limits = {"low": low, "high": high, "whole": whole}
        self.tag(sync=True)

    def validate(self, obj: traitlets.HasTraits, value: Any) -> Any:
        """Return the number that a value is, or raise LearnerError."""
        return number(self.name, value, **self._limits)


def rows_of_numbers(value: Any, *, limit: float) -> np.ndarray:
    """Return a value as float array; an empty one if it is none, or has numbers beyond ±limit."""
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):  # letters, or rows of different lengths
        return np.zeros(0)
    return array if (np.abs(array) <= limit).all() else np.zeros(0)


class Lab(anywidget.AnyWidget):
    """A lab: one class, one JavaScript module that draws it, a few synced traits.

    A subclass names its `module`; `title` is spoken before its controls; `still` is the name of an
    image in ``helpers/widgets/stills`` (made by ``python -m tests.browser.make_stills``) and
    `still_alt` its description. GitHub, and a notebook that has not run, show the still.

    Pixels travel in messages and are no part of the state, so they are never saved with a notebook.
    """

    module: ClassVar[str]
    title: ClassVar[str]
    still: ClassVar[str]
    still_alt: ClassVar[str]
    _css = (_FOLDER / "labs.css").read_text(encoding="utf-8")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Bundle the module of a subclass."""
        if "module" in cls.__dict__:
            cls._esm = _bundle(cls.module)
        super().__init_subclass__(**kwargs)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(lambda _, request, buffers: self.receive(request, buffers))

    def receive(self, request: dict[str, Any], buffers: list) -> None:
        """Answer a request of the page by a message; an error becomes a sentence there."""
        try:
            answer = self.answer(request, buffers)
        except LearnerError as error:
            answer = {"kind": request["kind"], "sentence": str(error)}, []
        except Exception as error:  # what a library says is for the log
            self.log.exception("A request of a lab failed.")
            sentence = f"This did not work ({type(error).__name__}): try again, or another image."
            answer = {"kind": request["kind"], "sentence": sentence}, []
        if answer is not None:
            self.send(*answer)

    def answer(self, request: dict[str, Any], buffers: list) -> Message | None:
        """Return what a request of the page asks for, or None: most labs need no Python."""

    def stored_requests(self) -> list[dict[str, Any]]:
        """Return the requests whose answers go into a saved page."""
        return []

    def stored(
        self, requests: list[dict[str, Any]] | None = None, pack: Callable[..., dict] = _in_text
    ) -> dict[str, Any]:
        """Return what `stored.js` makes a model of: the state, and answers to some requests.

        By default the requests are those of `stored_requests`, and `pack` puts each message and
        its buffers beside its request, as text.
        """
        of_all = anywidget.AnyWidget.class_trait_names()
        names = [n for n in self.trait_names(sync=True) if n[0] != "_" and n not in of_all]
        requests = self.stored_requests() if requests is None else requests
        answers = [{"request": r, **pack(*self.answer(r, []))} for r in requests]
        state = {name: getattr(self, name) for name in names} | {"upload": False}
        if isinstance(self, ImageLab):  # the list names the stored images alone
            state["images"] = [r["name"] for r in requests if r["kind"] == "image"]
        return {"state": state, "answers": answers}

    def save_html(self, path: str | Path) -> Path:
        """Write a page that shows the lab as it is now, without Jupyter, kernel or network."""
        page = (_FOLDER / "page.html").read_text(encoding="utf-8")
        parts = {
            "title": self.title,
            "style": self._css,
            "script": _bundle("stored.js", self.module).replace("export default", "const shown ="),
            "stored": json.dumps(self.stored()).replace("<", "\\u003c"),
        }
        for name, text in parts.items():
            page = page.replace(f"/*{name}*/", text)
        path = Path(path)
        path.write_text(page, encoding="utf-8")
        return path

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        shown = super()._repr_mimebundle_(**kwargs)
        data = shown[0] if isinstance(shown, tuple) else shown
        path = _FOLDER / "stills" / f"{self.still}.webp"
        if data is not None and path.exists():
            still = image_tag(path.read_bytes(), alt=self.still_alt)
            data["text/html"] = f"{still}<br><em>A still picture: run the cell for the lab.</em>"
        return shown

    def __repr__(self) -> str:
        """Return the same text on every run."""
        return f"{type(self).__name__}()"


class ImageLab(Lab):
    """A lab that shows one of several images, or the learner's own.

    Attributes
    ----------
    image : str
        The name of the image that is shown; can be set.
    images : list of str
        The names to choose from. An upload is called "your image" and is kept out of the state.
    """

    OWN: ClassVar[str] = "your image"
    image = traitlets.Unicode().tag(sync=True)
    images = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self, image: Any, sources: dict[str, Callable[[], np.ndarray]], **traits: Any
    ) -> None:
        first = next(iter(sources)) if image is None else image
        if not isinstance(first, str) or first not in sources:
            given = images.open_image(image)
            first, sources = "the given image", {"the given image": lambda: given, **sources}
        self._sources = {first: sources[first], **sources}
        self._parts: list[bytes] = []
        self.message(self._sources[first](), {})  # what fails does so in the learner's cell
        super().__init__(images=list(self._sources), image=first, **traits)

    @traitlets.validate("image")
    def _known(self, proposal: dict) -> str:
        return one_of("image", proposal["value"], self._sources)

    def pixels(self, name: str | None = None) -> np.ndarray:
        """Return an image by its name, by default the one that is shown."""
        return self._sources[name or self.image]()

    def message(self, image: np.ndarray, request: dict[str, Any]) -> Message:
        """Return what the page needs of an image, (H, W, 3) uint8 or as the source gives it."""
        raise NotImplementedError

    def answer(self, request: dict[str, Any], buffers: list) -> Message | None:
        """Answer the choice of an image and the parts of an upload."""
        if request.get("kind") == "image":
            name = one_of("image", request["name"], self._sources)
            return self._named(name, self.pixels(name), request)
        if request.get("kind") != "upload":
            return None
        self._parts = [*(self._parts if request["part"] else []), bytes(buffers[0])]
        if len(self._parts) < request["parts"]:
            return None
        data, self._parts = b"".join(self._parts), []
        image = images.open_image(data, name=request["name"])
        answer = self._named(self.OWN, image, request)  # first: what cannot be used is not kept
        self._sources[self.OWN] = lambda: image
        return answer

    def _named(self, name: str, image: np.ndarray, request: dict[str, Any]) -> Message:
        header, buffers = self.message(image, request)
        return {"kind": "image", "name": name, **header}, buffers

    def save_html(self, path: str | Path, *, with_upload: bool = False) -> Path:
        """Write a page that shows the lab as it is now, without Jupyter, kernel or network.

        Whoever gets the page sees its image: an uploaded one only goes into it `with_upload`;
        without it that is a LearnerError.
        """
        if self.image == self.OWN and not with_upload:
            raise LearnerError(
                "The page would show your uploaded image to whoever gets it: choose another "
                "image first, or ask for it with save_html(path, with_upload=True)."
            )
        return super().save_html(path)

    def stored_requests(self) -> list[dict[str, Any]]:
        """Return the request for the image that is shown."""
        return [{"kind": "image", "name": self.image}]
