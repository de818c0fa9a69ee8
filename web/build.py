"""Build the lessons as static pages whose labs work without a kernel: python web/build.py OUT.

A page is a notebook as it is stored, laid out by nbconvert and page.html.j2. Where a cell shows a
lab, the lab itself stands: its JavaScript modules are served as they are, its state and the answers
of its Python side as files. For that the cells tagged `lab` run here, with the statements that make
the names they use, and never a training: the run that is stored with its cell is played instead.
"""

import argparse
import ast
import base64
import contextlib
import hashlib
import html
import io
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

os.environ.setdefault("CNN_PETS", "drawn")  # no photo of the photo set leaves this machine

import nbformat
from latex2mathml.converter import convert as to_mathml
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image

from helpers import check
from helpers.widgets import KernelLab
from helpers.widgets.browser import _PETS
from helpers.widgets.lab import _FOLDER as WIDGETS
from helpers.widgets.lab import Lab, _modules
from helpers.widgets.progress import TrainingProgress

WEB = Path(__file__).resolve().parent
ROOT = WEB.parent
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [ROOT / "README.md", *LESSONS]
KERNEL = re.compile(r"ipywidgets\.(interact|[HV]Box)")  # what a cell shows needs Python


# What has to run for a lab


def needed(statements: list[ast.stmt], wanted: set[str]) -> list[ast.stmt]:
    """Return those statements, in order, that make the names wanted.

    A statement counts if it sets a name, changes what is behind it (``x[0] = 1``) or calls a method
    on it (``model.load_weights(...)``); of modules only what sets a seed.

    Raises
    ------
    ValueError
        One of them trains.
    """
    modules = set().union(*map(_imported, statements))
    defined = [statement for statement in statements if isinstance(statement, ast.FunctionDef)]
    trainers = {"fit", *(function.name for function in defined if _calls(function, {"fit"}))}
    wanted, chosen = set(wanted), []
    for statement in reversed(statements):
        made, changed = _effects(statement, modules)
        if (made | changed) & wanted:
            if statement not in defined and _calls(statement, trainers):
                raise ValueError("a training comes before it")
            chosen.append(statement)
            wanted = (wanted - made) | names(statement)
    return chosen[::-1]


def names(statement: ast.stmt) -> set[str]:
    """Return the names that a statement reads, but for those of its own functions and loops."""
    nodes = list(ast.walk(statement))
    loaded = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return loaded - _inner(nodes) - {node.arg for node in nodes if isinstance(node, ast.arg)}


def _inner(nodes: list[ast.AST]) -> set[str]:
    """Return the variables of comprehensions."""
    targets = [node.target for node in nodes if isinstance(node, ast.comprehension)]
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _effects(statement: ast.stmt, modules: set[str]) -> tuple[set[str], set[str]]:
    """Return the names that a statement sets whatever was there, and those it may change."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}, set()
    if imported := _imported(statement):
        return imported, set()
    stored, changed, nodes = set(), set(), list(ast.walk(statement))
    for node in nodes:
        call = getattr(node, "value", None) if isinstance(node, ast.Expr) else None
        call = node if isinstance(node, ast.Call) and _calls(node, {"fit"}) else call
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            stored.add(node.id)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            changed.add(_base(node))
        elif isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            base = _base(call.func)
            if base not in modules or call.func.attr.endswith("seed"):
                changed.add(base)
    stored -= _inner(nodes)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return stored, changed
    return set(), stored | changed


def _imported(statement: ast.stmt) -> set[str]:
    aliases = statement.names if isinstance(statement, ast.Import | ast.ImportFrom) else []
    return {(alias.asname or alias.name).split(".")[0] for alias in aliases}


def _base(node: ast.AST) -> str:
    """Return the name that "a.b[0].c" begins with; "" if it begins with none."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _calls(statement: ast.AST, functions: set[str]) -> bool:
    """Return whether a function or method of such a name is called anywhere in it."""
    calls = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return any(getattr(call, "attr", getattr(call, "id", "")) in functions for call in calls)


def labs_of(notebook: nbformat.NotebookNode) -> dict[str, Lab]:
    """Run what the lab cells of a lesson need; return their labs, by the cell's id.

    A lab that needs a training, or a file that an earlier cell writes, is not among them.
    """
    before: list[ast.stmt] = []
    done: set[ast.stmt] = set()
    space: dict[str, Any] = {"__name__": "__main__"}
    labs = {}

    def run(statements: list[ast.stmt]) -> None:
        code = ast.Module([s for s in statements if s not in done], [])
        exec(compile(code, "lesson", "exec"), space)
        done.update(statements)

    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        tags = cell.metadata.get("tags", [])
        statements = ast.parse(cell.source).body
        if "run" in cell.metadata:  # tests/refresh.py has stored what the training showed
            labs[cell.id] = TrainingProgress()
        elif "lab" in tags and "training" not in tags:
            *first, last = statements
            try:
                run(needed(before, set().union(*map(names, statements))) + first)
                labs[cell.id] = eval(compile(ast.Expression(last.value), "lesson", "eval"), space)
            except (OSError, ValueError) as error:  # OSError: it opens what a lesson has written
                print(f"{cell.id} is shown as it is stored: {error}", file=sys.stderr)
        before += statements
    return labs


def requests_of(lab: Lab) -> list[dict[str, Any]]:
    """Return the requests whose answers a lab may want here.

    They are those of a saved page and, where an image's answer needs no other, those for the other
    images, for random weights and for the dense layers.
    """
    stored = lab.stored_requests()
    if any("name" in request and request["kind"] != "image" for request in stored):
        return stored
    found = []
    for request in stored:
        others = {
            "name": [name for name in getattr(lab, "images", []) if name != _PETS],
            "weights": ["trained", "random"],
            "kind": ["network", "dense"] if request["kind"] == "network" else [],
        }
        choices = [
            [(key, value) for value in dict.fromkeys([request[key], *others.get(key, [])])]
            for key in request
        ]
        found += map(dict, itertools.product(*choices))
    return [request for n, request in enumerate(found) if request not in found[:n]]


# The pages


class Prose(IPythonRenderer):
    """Markdown as HTML: formulas as MathML, and links that lead somewhere on the site."""

    def __init__(self, site: "Site", folder: str) -> None:
        super().__init__(escape=False)
        self.site, self.folder, self.headings = site, folder, []

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        """Return a heading that can be linked to as in JupyterLab."""
        anchor = html.unescape(re.sub("<.*?>", "", text)).replace(" ", "-")
        self.headings.append((level, anchor, text))
        return f'<h{level} id="{html.escape(anchor)}">{text}</h{level}>\n'

    def inline_math(self, body: str) -> str:
        """Return a formula in a line."""
        return to_mathml(body)

    def block_math(self, body: str) -> str:
        """Return a formula on a line of its own."""
        return f'<div class="wide">{to_mathml(body, display="block")}</div>'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Return a link, or its text alone where there is nothing to go to."""
        address = self.site.address(url, self.folder)
        return f'<a href="{html.escape(address)}">{text}</a>' if address else text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Return a picture of the repository."""
        data = (ROOT / self.folder / url).read_bytes()
        return self.site.picture(data, Path(url).suffix[1:], alt=text)


class Site:
    """The site as it is being written."""

    def __init__(self, out: Path, repository: str | None) -> None:
        self.out, self.repository = out, repository and repository.rstrip("/")
        self.exporter = HTMLExporter(
            template_file="page.html.j2", extra_template_paths=[str(WEB)], exclude_anchor_links=True
        )
        self.exporter.register_filter("pictures", self.pictures)
        self.names = {page.relative_to(ROOT).as_posix(): f"{page.stem}.html" for page in PAGES}
        self.names["README.md"] = "index.html"

    def write(self, data: bytes, folder: str, suffix: str) -> str:
        """Write a file that is named after what it holds; return its address."""
        name = f"{folder}/{hashlib.sha256(data).hexdigest()[:12]}.{suffix}"
        (self.out / folder).mkdir(exist_ok=True)
        (self.out / name).write_bytes(data)
        return name

    def address(self, url: str, folder: str = "") -> str:
        """Return where a link of a file in this folder leads on the site; "" if to nowhere."""
        if re.match(r"[a-z]+:|#", url):
            return url
        path, anchor = re.match("([^#]*)(.*)", url).groups()
        path = os.path.normpath(PurePosixPath(folder, path))
        if path in self.names:
            return self.names[path] + anchor
        return f"{self.repository}/blob/main/{path}{anchor}" if self.repository else ""

    def picture(self, data: bytes, suffix: str, **attributes: Any) -> str:
        """Return an <img> of a picture that is loaded when it comes near."""
        width, height = Image.open(io.BytesIO(data)).size
        attributes |= {"src": self.write(data, "pictures", suffix), "width": width}
        attributes |= {"height": height, "loading": "lazy"}
        words = [f'{name}="{html.escape(str(value))}"' for name, value in attributes.items()]
        return f"<img {' '.join(words)}>"

    def pictures(self, text: str) -> str:
        """Return an output with its embedded pictures as files, and no colours of its own."""

        def moved(found: re.Match) -> str:
            data, alt = base64.b64decode(found[2]), re.search(r'alt="([^"]*)"', found[0])
            return self.picture(data, found[1], alt=html.unescape(alt[1]) if alt else "")

        text = re.sub('<span style="color:[^"]*">', "<span>", text)  # of keras' summaries
        text = re.sub("<br><em>A still picture: run .*?</em>", "", text)  # nothing runs here
        return re.sub(r'<img\b[^>]*src="data:image/(\w+);base64,([^"]*)"[^>]*>', moved, text)

    def packed(self, message: dict[str, Any], buffers: list[bytes]) -> dict[str, str]:
        """Write an answer as stored.js reads it."""
        head = json.dumps({"message": message, "sizes": [len(buffer) for buffer in buffers]})
        data = zlib.compress(b"".join([head.encode(), b"\n", *buffers]), 6)
        return {"file": self.write(data, "labs", "bin")}

    def lab(self, lab: Lab, cell: nbformat.NotebookNode) -> str:
        """Return what becomes a lab when it comes near the window; until then its still."""
        stored = lab.stored(requests_of(lab), self.packed)
        stored["state"]["both_weights"] = hasattr(lab, "weights")
        if isinstance(lab, TrainingProgress):
            stored["run"] = json.loads(cell.metadata.run)
        file = self.write(json.dumps(stored).encode(), "labs", "json")
        still = (WIDGETS / "stills" / f"{lab.still}.webp").read_bytes()
        picture = self.picture(still, "webp", alt=lab.still_alt)
        place = f'class="lab" data-stored="{file}" data-module="{lab.module}"'
        return f"<div {place}>{picture}</div>"

    def page(self, path: Path, notebook: nbformat.NotebookNode, labs: dict[str, Lab]) -> None:
        """Write the page of a lesson, or of the README."""
        source = path.relative_to(ROOT)
        prose = Prose(self, source.parent.as_posix())
        for cell in notebook.cells:
            tags = cell.metadata.get("tags", [])
            cell.metadata.web = {"hints": []}
            web = cell.metadata.web  # a copy of the above
            if cell.cell_type != "code":
                text = MarkdownWithMath(renderer=prose).render(cell.source)
                text = text.replace("<table>", '<div class="wide"><table>')
                text = text.replace("</table>", "</table></div>").replace("<th></th>", "<td></td>")
                web["prose"] = text
            web["lab"] = self.lab(labs[cell.id], cell) if cell.id in labs else ""
            hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
            web["fold"] = "Solution" if "solution" in tags else hidden and "More code"
            web["fold"] = "The numbers of this text, checked" if "proof" in tags else web["fold"]
            asked = re.findall(r"^check\.(\w+)\(", cell.source, re.M)
            if asked and asked[0] in check.EXERCISES and "solution" not in tags:
                web["hints"] = check.EXERCISES[asked[0]].texts("Hint: ")
            web["kernel"] = ("lab" in tags and not web["lab"]) or bool(KERNEL.search(cell.source))
        place = PAGES.index(path)
        first = _modules("kernel_lab.js") | _modules("stored.js") if place == 0 else {}
        near = {"previous": PAGES[:place][-1:], "next": PAGES[place + 1 :][:1]}
        about = {
            "title": re.sub("<.*?>", "", prose.headings[0][2]),
            "contents": [heading for heading in prose.headings if heading[0] == 2],
            "near": {side: self.near(path) for side, found in near.items() for path in found},
            "links": self.links(source),
            "modules": sorted(first),
        }
        body, _ = self.exporter.from_notebook_node(notebook, {"about": about})
        (self.out / self.names[source.as_posix()]).write_text(body, encoding="utf-8")

    def near(self, path: Path) -> tuple[str, str]:
        """Return the page and the title of a lesson, or of the README."""
        book = path.read_text(encoding="utf-8")
        title = "All lessons" if path.suffix == ".md" else re.search(r'"# (.*?)(\\n)?"', book)[1]
        return self.names[path.relative_to(ROOT).as_posix()], title

    def links(self, path: Path) -> dict[str, str]:
        """Return where a file can be seen, and run, on the web."""
        if not self.repository:
            return {}
        place = self.repository.removeprefix("https://github.com/")
        links = {"Source": f"{self.repository}/blob/main/{path.as_posix()}"}
        if path.suffix == ".ipynb":
            links["Binder"] = f"https://mybinder.org/v2/gh/{place}/main?urlpath=lab/tree/{path}"
            links["Colab"] = f"https://colab.research.google.com/github/{place}/blob/main/{path}"
        return links


def front_page() -> nbformat.NotebookNode:
    """Return the README's first part, lessons and start as a notebook, with a lab on top."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, *others = re.split(r"^(?=## )", text, flags=re.M)
    heading, opening, picture, rest = first.split("\n\n", 3)
    fifth = LESSONS[4].relative_to(ROOT).as_posix()
    by_name = {part.splitlines()[0].removeprefix("## "): part for part in others}
    wanted = [by_name[name] for name in ("The lessons", "Start")]
    new = nbformat.v4
    lab = new.new_code_cell("", id="lab", metadata={"jupyter": {"source_hidden": True}})
    invitation = "Change one of the nine numbers, or point at a pixel of the result:"
    browser = f"Lesson 5 shows every filter:\n\n[{picture}]({fifth})"
    texts = [f"{heading}\n\n{opening}\n\n{invitation}", None, browser, rest, *wanted]
    cells = [lab if text is None else new.new_markdown_cell(text) for text in texts]
    return new.new_notebook(cells=cells)


def build(out: Path, repository: str | None = None) -> dict[str, list[Lab]]:
    """Write the site into a folder; return the labs of each page."""
    site = Site(out, repository)
    for folder, place in ((WEB, out), (WIDGETS, out / "widgets")):
        place.mkdir(parents=True, exist_ok=True)
        for file in (*folder.glob("*.js"), *folder.glob("*.css")):
            shutil.copy(file, place)
    all_labs = {"index.html": {"lab": KernelLab()}}
    site.page(ROOT / "README.md", front_page(), all_labs["index.html"])
    for path in LESSONS:
        notebook = nbformat.read(path, as_version=4)
        with (
            tempfile.TemporaryDirectory() as empty,
            contextlib.chdir(empty),  # a learner's own network stays out
            contextlib.redirect_stdout(io.StringIO()),
        ):
            all_labs[f"{path.stem}.html"] = labs = labs_of(notebook)
        site.page(path, notebook, labs)
    return {page: list(labs.values()) for page, labs in all_labs.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="a folder")
    parser.add_argument("--repository", help="https://github.com/OWNER/NAME, for links to it")
    build(**vars(parser.parse_args()))
