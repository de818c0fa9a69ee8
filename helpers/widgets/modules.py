"""The package's own JavaScript and style sheets, as one text that a page can load."""

import base64
import re
from pathlib import Path

_FOLDER = Path(__file__).parent
# import ... from "./x.js"; export ... from "./x.js"; import "./x.js"
_IMPORT = re.compile(
    r"""(?P<head>^\s*(?:import|export|\})[^"'\n]*)(["'])\./(?P<name>\w+\.js)\2""", re.M
)


def module_source(name: str) -> str:
    """Return a JavaScript module of this package that needs no file beside it.

    Each ``import ... from "./x.js"`` becomes an import of a ``data:`` URL that holds x.js, and so
    on down: anywidget loads a module from a blob URL and a saved page from ``file://``, and
    neither can follow a relative path.

    Parameters
    ----------
    name : str
        A file of ``helpers/widgets``, for example ``"picture.js"``.

    Returns
    -------
    str
        The text of an ES module.
    """

    def inline(match: re.Match) -> str:
        text = module_source(match["name"])
        return f'{match["head"]}"data:text/javascript;base64,{_base64(text)}"'

    return _IMPORT.sub(inline, (_FOLDER / name).read_text(encoding="utf-8"))


def style_source(*names: str) -> str:
    """Return one or more style sheets of this package as one text."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
