"""The documents are true: what README says to run is run, what it links exists."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import command_line
import nbformat
import pytest
from nbclient import NotebookClient

from workbench.core import checkpoint, render
from workbench.core.result import Result
from workbench.results import EmbedderComparison, ExplainerScores, Faithfulness, ProbeScores, ScoreTable

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_links_and_pictures_exist():
    for document in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if not target.startswith("http"):
                assert (ROOT / target).exists(), f"{document} links {target}"


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", "\n".join(blocks("sh")), re.M):
        assert re.search(rf"^{target}:", makefile, re.M)


def test_ci_calls_the_test_command():
    assert "make test" in (ROOT / ".ci/run").read_text()


SHORT = {
    "train inverter": "--steps 2 --texts 1000 --planted 0 --corpus cfpb --layers 1 --evaluate 30 "
    "--preset fast --vocabulary 1000",
    "train sae": "--limit 600 --features 64 --k 4 --epochs 1",
    "audit": "--main-only --sentences 30 --records 30",
    "embed --compare": "--limit 50",
}
"""Options that shorten long work."""
FIRST = "workbench embed lines.txt"
"""What makes the vectors that other commands read."""


def commands():
    """All `workbench` lines of README's shell blocks, those together that need one another."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("workbench ")]
    assert len(lines) >= 5
    together: list[list[str]] = []
    for line in lines:
        before = together[-1][-1] if together and not together[-1][0].startswith(FIRST) else ""
        made = re.search(r"--out (\S+)", before)
        if line.startswith("workbench report") or (made and made[1] in line.split()):
            together[-1].append(line)
        else:
            together.append([line])
    return together


def run(command, folder):
    words = shlex.split(command, comments=True)
    for start, options in SHORT.items():
        words += options.split() if command.startswith(f"workbench {start}") else []
    done = command_line.run(*words[1:], cwd=folder)
    assert done.returncode == 0, f"{command}\n{done.stderr}"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Two lines of text, and their vectors."""
    place = tmp_path_factory.mktemp("readme")
    (place / "lines.txt").write_text("Tom is going to marry a Canadian.\nThe bank closed my account.\n")
    run(next(line for (line, *_) in commands() if line.startswith(FIRST)), place)
    return place


@pytest.mark.parametrize("lines", commands(), ids=lambda lines: " ".join(lines[0].split()[1:4]))
def test_the_commands_of_the_readme_run(lines, folder):
    """In the order of README; long work is shortened."""
    for line in lines:
        if not line.startswith(FIRST):
            run(line, folder)
    assert (folder / "vectors.parquet").is_file()


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_run(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()


def test_no_document_names_a_machine():
    for path in (*ROOT.glob("*.md"), *(ROOT / "workbench").rglob("*.py")):
        assert not re.search(r"/work/|/root/|\.library", path.read_text(encoding="utf-8")), path


def test_the_numbers_of_the_readme_are_those_of_the_card():
    card = checkpoint.open_card(checkpoint.locate("minilm-inverter"), "inverter")
    table = Result.from_json(dict(card.metrics))
    assert isinstance(table, ScoreTable)
    for score in table.scores:
        row = next(line for line in README.splitlines() if line.strip("|* ").startswith(f"{score.method}"))
        for number in (score.bleu, score.token_f1, score.exact, score.cosine):
            assert str(number) in row


def test_the_table_of_embedders_is_the_one_that_was_measured():
    """README holds the tables of docs/embedders.json, as the Markdown renderer writes them."""
    found = Result.load(ROOT / "docs/embedders.json")
    assert isinstance(found, EmbedderComparison)
    assert not found.failures
    inside = README.partition("<!-- embedders: made from docs/embedders.json -->")[2]
    inside = inside.partition("<!-- /embedders -->")[0]
    for table in (found.quality(), found.cost()):
        assert render.to_markdown([table]).strip() in inside
    assert found.setting() in " ".join(inside.split())


def test_the_table_of_attributions_is_the_one_that_was_measured():
    """README holds the tables of docs/faithfulness.json."""
    found = Result.load(ROOT / "docs/faithfulness.json")
    assert isinstance(found, Faithfulness)
    assert render.to_markdown([found.table(), found.checks()]).strip() in README


def test_the_table_of_probes_is_the_one_that_was_measured():
    """README holds the table of docs/probes.json."""
    found = Result.load(ROOT / "docs/probes.json")
    assert isinstance(found, ProbeScores)
    assert not found.failures
    inside = README.partition("<!-- probes: made from docs/probes.json -->")[2].partition("<!-- /probes -->")[0]
    assert render.to_markdown([found.matrix()]).strip() == inside.strip()


def test_the_tables_of_the_explainer_are_those_of_its_card():
    """README holds what the card of the shipped explainer measured."""
    card = checkpoint.open_card(checkpoint.locate("minilm-explainer"), "explainer")
    found = Result.from_json(dict(card.metrics))
    assert isinstance(found, ExplainerScores)
    inside = README.partition("<!-- explainer: made from checkpoints/minilm-explainer/card.json -->")[2]
    main = found.domains[0]
    told = tuple(each for each in main.questions if each.kind.startswith(("words", "all")))
    questions = replace(main, questions=told).question_table()
    tables = [found.losses(), main.description_table(), questions, found.abstention_table()]
    assert render.to_markdown(tables).strip() == inside.partition("<!-- /explainer -->")[0].strip()
