"""Notebooks as they are committed: no outputs, public names alone, parameters that do something.

That each of them runs is shown by test_docs.py.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
STORY = ("tour", "invert", "probe", "explain", "attribute", "audit", "defend", "your_own_embedder", "generate_a_report")
LONGEST = 22
"""Lines of a code cell."""
WIDEST = 100
"""Characters that JupyterLab shows of a line without scrolling."""


def read(path):
    return nbformat.read(path, as_version=4)


def code(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def private_names(tree):
    """Modules, names and attributes with a leading underscore, wherever they are used."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=module, names=names):
                used = [*(module or "").split("."), *(each.name for each in names)]
            case ast.Import(names=names):
                used = [part for each in names for part in each.name.split(".")]
            case ast.Attribute(attr=name):
                used = [name]
            case _:
                continue
        yield from (name for name in used if name.startswith("_"))


def test_the_story_is_whole():
    assert [path.stem for path in PATHS] == [f"{number:02}_{name}" for number, name in enumerate(STORY)]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_committed_without_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    for cell in code(path):
        assert cell.outputs == []
        assert cell.execution_count is None
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_public_names_alone(path):
    for cell in code(path):
        tree = ast.parse(cell.source)
        assert list(private_names(tree)) == []
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "workbench":
                module = importlib.import_module(node.module)
                for each in node.names:
                    assert hasattr(module, each.name)
                    assert each.name in getattr(module, "__all__", (each.name,))


def test_a_private_name_would_be_found():
    found = "from workbench._x import a\nimport workbench._y\nfrom workbench import _z\nw._v"
    assert sorted(private_names(ast.parse(found))) == ["_v", "_x", "_y", "_z"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_one_idea_a_cell_and_limits_at_the_end(path):
    notebook = read(path)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "lower bound" in text or "## Limits" in text
    for cell in code(path):
        assert len(cell.source.splitlines()) <= LONGEST
        assert max(map(len, cell.source.splitlines())) <= WIDEST


def test_the_report_follows_its_parameters(tmp_path):
    """As papermill does it: a cell behind the one that is tagged."""
    notebook = read(FOLDER / "08_generate_a_report.ipynb")
    (place,) = (i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ()))
    defaults = {node.targets[0].id for node in ast.parse(notebook.cells[place].source).body}
    given = {"embedder": "toy", "corpus": "tatoeba", "texts": 120, "clusters": 2, "tasks": [], "out": "elsewhere"}
    assert set(given) < defaults
    source = "\n".join(f"{name} = {value!r}" for name, value in given.items())
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(source))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    page = (tmp_path / "elsewhere" / "interpretation.html").read_text()
    assert "What toy is like" in page
    assert "120 texts" in page
    assert "60 texts of tatoeba, by toy" in (tmp_path / "elsewhere" / "map.html").read_text()
