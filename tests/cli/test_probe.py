"""workbench probe: embedders and stored vectors; resume; what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from command_line import run

from workbench.core.embedding_set import EmbeddingSet
from workbench.results import ProbeScores


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(0)
    topics = rng.integers(0, 2, 400)
    vectors = np.eye(8)[topics] + 0.3 * rng.standard_normal((400, 8))
    held = EmbeddingSet(
        ids=np.array([f"v{row}" for row in range(400)], object),
        vectors=vectors,
        labels={
            "topic": np.array(["sea", "land"])[topics],
            "person": np.array([f"p{row // 2}" for row in range(400)]),
            "grade": vectors[:, 0].astype(np.float64),
        },
    )
    held.save(tmp_path / "vectors.parquet")
    return tmp_path / "vectors.parquet"


def test_tasks_on_an_embedder_are_saved_and_not_done_twice(tmp_path):
    out = tmp_path / "probes.json"
    tasks = ["--task", "digit", "--task", "sentiment-graded"]
    done = run("probe", "toy", *tasks, "--limit", "200", "--out", str(out), "--html", str(tmp_path / "page.html"))
    assert done.returncode == 0, done.stderr
    scores = ProbeScores.load(out)
    assert [row.task for row in scores.rows] == ["digit", "sentiment-graded"]
    assert "Selectivity" in (tmp_path / "page.html").read_text(encoding="utf-8")
    changed = json.loads(out.read_text(encoding="utf-8"))
    changed["rows"][0]["score"]["value"] = 0.123
    out.write_text(json.dumps(changed), encoding="utf-8")
    again = run("probe", "toy", *tasks, "--limit", "200", "--out", str(out), "--json", "-")
    assert json.loads(again.stdout)["rows"][0]["score"]["value"] == 0.123
    other = run("probe", "toy", *tasks, "--limit", "200", "--out", str(out), "--seed", "1")
    assert other.returncode == 3 and "seed 0" in other.stderr
    more = run("probe", "toy", *tasks, "--limit", "300", "--out", str(out))
    assert more.returncode == 3 and "limit 200" in more.stderr


def test_stored_vectors(store):
    done = run("probe", str(store), "--labels", "topic", "--labels", "grade", "--groups", "person", "--json", "-")
    assert done.returncode == 0, done.stderr
    topic, grade = json.loads(done.stdout)["rows"]
    assert topic["score"]["value"] > 0.8 and topic["classes"] == ["land", "sea"] and topic["tfidf"] is None
    assert grade["classes"] == [] and grade["score"]["value"] > 0.8
    assert topic["groups"] < topic["test"]


def test_a_new_task(tmp_path):
    done = run("probe", "--new", "my-task", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "probes/my-task/task.toml").is_file()
    again = run("probe", "--new", "my-task", cwd=tmp_path)
    assert again.returncode == 3 and "already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name an embedder"),
        (["toy"], "--task NAME"),
        (["toy", "--task", "sentimnt"], "Did you mean 'sentiment'"),
        (["toy", "--labels", "topic"], "--labels and --groups are for"),
        (["STORE"], "topic"),
        (["STORE", "--labels", "topik"], "Did you mean 'topic'"),
        (["STORE", "--labels", "person"], "distinct"),
        (["STORE", "--task", "digit"], "a file of vectors has --labels"),
        (["STORE", "toy"], "one after the other"),
        (["no.parquet", "--labels", "topic"], "no.parquet"),
    ],
)
def test_refusals(store, arguments, message):
    done = run("probe", *(str(store) if each == "STORE" else each for each in arguments))
    assert done.returncode == 3 and message in done.stderr and "Traceback" not in done.stderr
