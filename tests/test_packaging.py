"""What a user installs is what the repository holds."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from workbench.core import checkpoint
from workbench.core.resources import shipped

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_environment_yml_mirrors_pyproject(project):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    entries = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (nested,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    listed = {
        entry for entry in [*entries, *nested] if entry not in ("pip", "-e .") and not entry.startswith("python>")
    }
    assert listed == set(project["dependencies"])
    assert f"python{project['requires-python']}" in entries


def test_the_seven_named_packages_are_there(project):
    names = {re.split(r"[<>=!]", entry)[0] for entry in project["dependencies"]}
    assert {"torch", "transformers", "jupyterlab", "ipywidgets", "plotly", "scikit-learn", "captum"} <= names


def _demands_of_transformers():
    """What transformers says of the packages that it uses where they are there; pip holds none of it for them.

    Without peft: transformers 5.24.0 asks for a peft that is not released (0.22), for adapters that it loads itself.
    LoRA is put on by peft here and never by transformers; tests/explain and tests/jobs hold that they go together.
    """
    from transformers.dependency_versions_table import deps

    return {canonicalize_name(name): Requirement(text) for name, text in deps.items() if name != "peft"}


def test_what_is_installed_is_what_the_installed_transformers_accepts(project):
    """No resolver knows of these demands."""
    demands = _demands_of_transformers()
    ours = [Requirement(entry) for entry in project["dependencies"]]
    shared = [each.name for each in ours if canonicalize_name(each.name) in demands]
    assert {"accelerate", "tokenizers", "huggingface-hub", "safetensors"} <= set(shared)
    for name in shared:
        wanted = demands[canonicalize_name(name)].specifier
        assert wanted.contains(version(name), prereleases=True), f"{name} {version(name)}; transformers: {wanted}"


def test_no_declared_floor_lies_below_what_transformers_demands(project):
    demands = _demands_of_transformers()
    for entry in map(Requirement, project["dependencies"]):
        demand = demands.get(canonicalize_name(entry.name))
        floors = [each.version for each in entry.specifier if each.operator in (">=", "==")]
        if demand is not None and floors:
            assert demand.specifier.contains(max(floors, key=Version)), f"{entry} beside transformers' {demand}"


def test_what_is_installed_is_what_is_declared(project):
    for entry in map(Requirement, project["dependencies"]):
        assert entry.specifier.contains(version(entry.name), prereleases=True), f"{entry}: here {version(entry.name)}"


def test_the_wheel_carries_probes_and_checkpoints(tmp_path):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "workbench/_shipped/probes/README.md" in names
    assert "workbench/_shipped/checkpoints/index.toml" in names
    for name in checkpoint.index():
        for file in (shipped("checkpoints") / name).iterdir():
            assert f"workbench/_shipped/checkpoints/{name}/{file.name}" in names
    for asset in ("assets/cards/tatoeba.toml", "data/personal.toml", "report/page.html", "report/page.css"):
        assert f"workbench/{asset}" in names
    assert wheel.stat().st_size < 100e6


@pytest.mark.parametrize("name", checkpoint.index())
def test_shipped_checkpoints_are_whole_small_and_documented(name):
    entry, folder = checkpoint.index()[name], checkpoint.locate(name)
    card = checkpoint.open_card(folder, entry.kind)
    assert card.name == name
    assert card.embedder == entry.embedder
    assert card.data
    assert card.limits
    assert {"steps", "seconds", "seed", "recipe", "device"} <= set(card.training)
    assert all(part["licences"] for part in card.data)
    # all together, compressed, have to stay under the 100 MB that PyPI takes; gzip leaves four fifths
    assert sum(path.stat().st_size for path in folder.iterdir()) < 75e6
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors"}


def test_the_shipped_inverter_beats_its_floors():
    card = checkpoint.open_card(checkpoint.locate("minilm-inverter"), "inverter")
    scores = {score["method"]: score for score in card.metrics["scores"]}
    best = next(score for score in card.metrics["scores"] if score["role"] == "attack")
    for name, floor in scores.items():
        if floor["role"] != "attack":
            for metric in ("token_f1", "cosine"):
                assert best[metric]["low"] > floor[metric]["high"], (name, metric)
