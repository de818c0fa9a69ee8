"""What every lab has: a still picture of itself, names for its controls, safe uploads."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import anywidget
import ipywidgets
import numpy as np
import traitlets

from helpers import images
from helpers.activations import ModelError
from helpers.figures import image_tag
from helpers.pets import PetsError
from helpers.widgets.modules import module_source, style_source

_STILLS = Path(__file__).parent / "stills"
# Errors whose text is a sentence for the learner; those of NumPy or Keras are not.
_SENTENCES = (images.ImageError, PetsError, ModelError)


class Access(anywidget.AnyWidget):
    """Invisible: names every control of the `Lab` it lies in, and keeps Notebook 7 off its keys.

    ipywidgets gives its sliders no accessible name, and Notebook 7 takes the arrow keys from
    every element that does not carry ``data-lm-suppress-shortcuts`` itself.
    """

    _esm = module_source("access.js")
    label = traitlets.Unicode().tag(sync=True)


class Lab(ipywidgets.VBox):
    """A group of widgets that a lesson shows as one.

    A subclass sets `title` (spoken before its controls), `still` (the name of a picture in
    ``helpers/widgets/stills``, made by ``python -m tests.browser.make_stills``) and `still_alt`.
    The still is what GitHub and a notebook that has not run show.

    Parameters
    ----------
    children : sequence of ipywidgets.Widget
    """

    title: ClassVar[str] = ""
    still: ClassVar[str] = ""
    still_alt: ClassVar[str] = ""

    def __init__(self, children: Sequence[ipywidgets.Widget]) -> None:
        super().__init__([*children, Access(label=self.title or type(self).__name__)])
        self.add_class("cnn-lab")

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        bundle = super()._repr_mimebundle_(**kwargs)
        path = _STILLS / f"{self.still}.webp"
        if bundle is not None and self.still and path.exists():
            bundle["text/html"] = image_tag(path.read_bytes(), alt=self.still_alt)
        return bundle

    def __repr__(self) -> str:
        """Return the same text on every run."""
        return f"{type(self).__name__}()"


class Upload(anywidget.AnyWidget):
    """A button that takes a picture from the learner's machine.

    The file travels in messages and is no part of the widget's state, so it is never saved with
    a notebook. A file that is no picture gets a sentence beside the button.

    Parameters
    ----------
    use : callable
        Called with the picture, (H, W, 3) uint8. The sentence of a `ImageError`, `PetsError` or
        `ModelError` that it raises is shown as well; of another error only that there was one.
    label : str
        What stands on the button.
    """

    _esm = module_source("upload.js")
    _css = style_source("picture.css", "labs.css")
    label = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, use: Callable[[np.ndarray], object], *, label: str = "Upload a picture"
    ) -> None:
        super().__init__(label=label)
        self._use = use
        self._parts: list[bytes] = []
        self.on_msg(self._receive)

    def _receive(self, _widget: object, content: dict, buffers: list) -> None:
        if content.get("kind") != "part":
            return
        if content["part"] == 0:
            self._parts = []
        self._parts.append(bytes(buffers[0]))
        if len(self._parts) < content["parts"]:
            return
        data, self._parts = b"".join(self._parts), []
        self.attempt(lambda: self._use(images.open_image(data, name=content["name"])))

    def attempt(self, act: Callable[[], object]) -> bool:
        """Call a function; say beside the button why it failed, if it did. Return if it worked."""
        try:
            act()
        except _SENTENCES as error:
            self.say(f"{error} The last picture stays.")
        except Exception as error:  # what a library says is for the log
            self.log.exception("A picture could not be shown.")
            name = type(error).__name__
            self.say(f"It cannot be shown here ({name}): choose another. The last picture stays.")
        else:
            self.say("")
            return True
        return False

    def say(self, sentence: str) -> None:
        """Show a sentence beside the button, or none."""
        self.send({"kind": "done", "sentence": sentence})


class PictureChooser(ipywidgets.HBox):
    """A list of pictures, and a button to upload one.

    Parameters
    ----------
    pictures : dict
        Name shown in the list -> a function without arguments that returns the picture.
    use : callable
        Called with the picture and its name whenever another one is chosen. While it runs, `name`
        is already that of the new picture. If it raises, the last picture stays the one shown,
        and a sentence says why (see `Upload`).
    description : str
        What stands before the list.

    Attributes
    ----------
    name : str
        The name of the picture that is shown.
    is_upload : bool
        Whether the picture that is shown is the learner's own.
    """

    own = "your picture"

    def __init__(
        self,
        pictures: dict[str, Callable[[], np.ndarray]],
        use: Callable[[np.ndarray, str], object],
        *,
        description: str = "Picture",
    ) -> None:
        self._pictures = dict(pictures)
        self._use = use
        self.choice = ipywidgets.Dropdown(options=list(pictures), description=description)
        self.upload = Upload(self._take)
        self.name = self.choice.value
        super().__init__([self.choice, self.upload])
        self.layout.flex_flow = "row wrap"
        self.choice.observe(self._choose, "value")

    @property
    def is_upload(self) -> bool:
        """Whether the picture that is shown is the learner's own."""
        return self.name == self.own

    def _choose(self, change: dict) -> None:
        name = change["new"]
        if not self.upload.attempt(lambda: self._show(self._pictures[name](), name)):
            self._list(self.name)

    def _take(self, picture: np.ndarray) -> None:
        self._show(picture, self.own)  # first: what cannot be used must not enter the list
        self._pictures[self.own] = lambda: picture
        self._list(self.own)

    def _show(self, picture: np.ndarray, name: str) -> None:
        """Hand a picture on under its name; if it is refused, the name is the last one again."""
        last, self.name = self.name, name
        try:
            self._use(picture, name)
        except BaseException:
            self.name = last
            raise

    def _list(self, name: str) -> None:
        """Let the list show a name, without loading its picture."""
        self.choice.unobserve(self._choose, "value")
        with self.choice.hold_sync():
            self.choice.options = list(self._pictures)
            self.choice.value = name
        self.choice.observe(self._choose, "value")
