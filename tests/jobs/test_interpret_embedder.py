"""The interpretation of an embedder: whole where it can be, and in plain words where it cannot."""

from __future__ import annotations

import json
from contextvars import copy_context
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from workbench.cli.report import app
from workbench.core.blocks import Heading
from workbench.core.errors import BadInput, UnknownName
from workbench.core.render import to_html, to_markdown
from workbench.core.result import Result
from workbench.embed import load_embedder
from workbench.jobs import interpret_embedder as job
from workbench.jobs._chosen_pairs import chosen_pairs, chosen_rows
from workbench.jobs._embedder_facts import embedder_facts, parameter_count
from workbench.jobs.interpret_embedder import InterpretOptions, interpret_embedder
from workbench.report import Report
from workbench.results import Interpretation

SMALL = InterpretOptions(texts=200, tasks=("topic",), rows=60, clusters=4, random_pairs=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the command writes for the toy: report.html, .md, .json, and the result as result.json."""
    out = tmp_path_factory.mktemp("interpret")
    line = SMALL.command("toy").split()[2:]
    arguments = [*line, "--out", str(out), "--json", str(out / "result.json"), "--quiet"]
    done = copy_context().run(CliRunner().invoke, app, arguments)  # --quiet is a context variable
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture(scope="module")
def toy_page(folder):
    return Result.load(folder / "result.json")


def test_the_page_has_every_section_and_says_what_is_missing(toy_page):
    headings = [block.text for block in toy_page.blocks() if isinstance(block, Heading)]
    assert headings == [
        "Interpretation of toy",
        "Geometry of the vectors",
        "Probes",
        "Fingerprint of the vectors",
        "Which words a cosine comes from",
        "Clusters, explained",
        "Limits",
        "How to make this page again",
    ]
    assert {name for name, _ in toy_page.absent} == {"fingerprint", "attributions", "clusters"}
    page = to_markdown(toy_page.blocks())
    assert "toy gives vectors alone" in page
    assert "no shipped explainer was trained on vectors of 'toy'" in page
    assert "--among EMBEDDER" in page


def test_the_command_writes_a_page_that_comes_back(folder, toy_page):
    assert {path.name for path in folder.iterdir()} == {"report.html", "report.md", "report.json", "result.json"}
    assert isinstance(toy_page, Interpretation)
    assert toy_page.clusters.texts == SMALL.texts and [row.task for row in toy_page.probes.rows] == ["topic"]
    again = Report.load(folder / "report.json")
    assert again.results == (toy_page,) and again.made == toy_page.made
    assert "<h1>Interpretation of toy</h1>" in (folder / "report.html").read_text()
    assert to_html(toy_page.brief())


def test_the_seed_decides_what_is_found(toy_page):
    again = interpret_embedder("toy", replace(SMALL, tasks=()), "cpu")
    assert replace(again.geometry, seconds=0.0) == replace(toy_page.geometry, seconds=0.0)
    assert replace(again.clusters, seconds=0.0) == replace(toy_page.clusters, seconds=0.0)
    assert again.probes is None and ("probes", "No task was asked for.") in again.absent


def test_the_command_makes_the_same_options():
    line = replace(SMALL, corpus="my texts.txt", among=("minilm",), seed=3).command("toy")
    for part in ("interpret toy", "'my texts.txt'", "--task topic", "--among minilm", "--clusters 4", "--seed 3"):
        assert part in line


def test_texts_of_ones_own_are_distinct_and_not_left_in_the_cache(tmp_path, monkeypatch):
    lines = [f"Line {number} speaks of {'banks' if number % 2 else 'ships'}." for number in range(150)]
    path = tmp_path / "lines.txt"
    path.write_text("\n".join([*lines, *lines, "  ", "!!"]))
    monkeypatch.setattr(job, "cached_vectors", lambda *_: pytest.fail("a user's vectors were cached"))
    found = interpret_embedder("toy", replace(SMALL, corpus=str(path), texts=120, tasks=(), explainer="none"), "cpu")
    assert "no explainer was wanted" in dict(found.absent)["clusters"]
    assert found.geometry.n == 120 and found.geometry.about == "120 different texts of lines.txt, drawn at random"
    path.write_text("\n".join(lines[:90] * 2))
    with pytest.raises(BadInput, match="has 90 different texts; expected at least 100"):
        interpret_embedder("toy", replace(SMALL, corpus=str(path), tasks=()), "cpu")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"texts": 99}, BadInput, "expected at least 2 clusters, and 100 to 20,000 texts"),
        ({"texts": 300, "clusters": 40}, BadInput, "and 400 to 20,000 texts"),
        ({"texts": 20_001}, BadInput, "100 to 20,000 texts"),
        ({"clusters": 1}, BadInput, "expected at least 2 clusters"),
        ({"random_pairs": -1}, BadInput, "random_pairs -1"),
        ({"tasks": ("lenght",)}, UnknownName, "Did you mean 'length'"),
        ({"corpus": "tatoba"}, UnknownName, "Did you mean 'tatoeba'"),
        ({"corpus": "none.txt"}, BadInput, "none.txt is not there"),
        ({"explainer": "no-such"}, UnknownName, "no checkpoint is called 'no-such'"),
    ],
)
def test_mistakes_are_named(change, error, message):
    with pytest.raises(error, match=message):
        interpret_embedder("toy", replace(SMALL, **{"tasks": (), **change}), "cpu")


def test_a_static_embedder_has_attributions_that_sum_to_the_cosine():
    pairs = chosen_pairs(load_embedder("potion", "cpu"), at_random=2)
    assert [each.rule for each in pairs] == ["median pair", "best pair", "random pair 1", "random pair 2"]
    for each in pairs:
        assert each.pair.matrix.sum() == pytest.approx(each.pair.score, abs=1e-6)
        assert {*each.pair.tokens_a} <= {*each.pair.text_a.replace(".", " .").replace("?", " ?").split()} | {","}
    assert pairs[1].pair.score >= max(each.pair.score for each in pairs)


def test_pairs_are_chosen_by_rule():
    left = ("a b", "c d", "e f", "g h", "i j")
    right = ("b a", "c x", "e y", "g z", "i w")
    close = np.array([1.0, 0.9, 0.5, 0.2, 0.7])
    assert chosen_rows(close, left, right, 0, 0) == (("median pair", 4), ("best pair", 1)), (
        "the same words are no paraphrase"
    )
    chosen = chosen_rows(close, left, right, 9, 0)
    assert [rule for rule, _ in chosen] == [
        "median pair",
        "best pair",
        "random pair 1",
        "random pair 2",
        "random pair 3",
    ]
    assert len({row for _, row in chosen}) == 5
    assert chosen_rows(close[:2], left[:2], left[:2], 1, 0) == (("median pair", 1), ("random pair 1", 0))


def test_facts_say_what_is_known(toy):
    facts = dict(embedder_facts(toy))
    assert facts["dimensions"] == "64" and facts["access"] == "vectors alone"
    assert "parameters" not in facts and "licence" not in facts and "pooling" not in facts
    potion = load_embedder("potion", "cpu")
    facts = dict(embedder_facts(potion))
    assert facts["pooling"] == "mean of token vectors" and "MIT" in facts["licence"]
    assert parameter_count(potion) == potion._table.numel()


@pytest.mark.slow
def test_minilm_has_every_section(tmp_path):
    options = InterpretOptions(texts=400, tasks=("topic", "question"), rows=100, clusters=5, among=("minilm", "potion"))
    found = interpret_embedder("minilm", options, "cpu")
    assert found.absent == ()
    assert dict(found.facts)["pooling"] == "mean (Transformer, then Pooling, then Normalize)"
    assert dict(found.facts)["parameters"] == "22,713,216"
    assert found.fingerprint.verdict == "minilm"
    assert len(found.geometry.dead) == 3, "MiniLM has three dimensions without spread"
    assert 0.0 < found.geometry.mean_cosine.value.value < 0.15
    assert all(row.name and row.name.cosine is not None for row in found.clusters.rows)
    nearer = [row.name.cosine > row.name.blind_cosine for row in found.clusters.rows]
    assert sum(nearer) >= 4, "names come nearer to their centroids than what is said of other vectors"
    for each in found.pairs:
        assert each.pair.completeness_error < 0.02
    Report(found.title, (found,), found.made).save(tmp_path)
    (again,) = Report.load(tmp_path / "report.json").results
    assert isinstance(again, Interpretation) and json.dumps(again.to_json()) == json.dumps(found.to_json())
    assert isinstance(Result.from_json(found.to_json()), Interpretation)
