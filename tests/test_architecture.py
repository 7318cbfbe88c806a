"""The house stands as ARCHITECTURE.md draws it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import workbench

ROOT = Path(workbench.__file__).parents[1]
MODULES = sorted((ROOT / "workbench").rglob("*.py"))


def test_layers_hold():
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_importing_the_workbench_costs_nothing():
    script = (
        "import sys, workbench; from workbench import cli\n"
        "heavy = {'torch', 'transformers', 'numpy', 'pyarrow', 'sklearn', 'plotly', 'scipy', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", workbench.__all__)
def test_public_names_exist_and_say_what_they_are(name):
    assert getattr(workbench, name).__doc__


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_small_and_say_what_they_are(path):
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), f"{path} has no docstring"
    assert len(source.splitlines()) <= 300, f"{path} holds more than one idea"


def test_every_room_of_the_picture_exists_and_no_other():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {path.name for path in (ROOT / "workbench").iterdir() if (path / "__init__.py").exists()}
    drawn = {line.split("/")[0].strip() for line in text.splitlines() if line.startswith("      ") and "/ " in line}
    assert rooms == drawn
