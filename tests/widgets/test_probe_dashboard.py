"""ProbeDashboard: every score crosses, vectors move as `Direction.steer` says, exports hold a whole slider."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.widgets.more_samples import TASKS, directions, probe_dashboard, probe_scores, said, vectors
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.results import ProbeScores
from workbench.widgets import ProbeDashboard
from workbench.widgets._answers import final


def test_every_row_crosses_with_its_floors_and_selectivity():
    found = probe_dashboard()
    scores = probe_scores()
    rows = found.content["rows"]
    assert len(rows) == 2 * len(TASKS)
    for sent, row in zip(rows, scores.rows, strict=True):
        assert (sent["task"], sent["embedder"]) == (row.label, row.embedder)
        for name in ("score", "tfidf", "random_encoder", "control", "majority", "mlp", "selectivity"):
            assert sent[name]["value"] == pytest.approx(getattr(row, name).value)
            assert sent[name]["low"] <= sent[name]["value"] <= sent[name]["high"]
        assert len(sent["curve"]) == len(row.curve)
        assert len(sent["layers"]) == len(row.layers)
    claimed = {(row.label, row.embedder) for row, _, p in scores.claims() if p < 0.05}
    assert {(sent["task"], sent["embedder"]) for sent in rows if sent["better"]} == claimed
    assert found.content["failures"] == [["depth", "no parser was found"]]


def test_floors_that_were_not_measured_are_left_out():
    row = replace(probe_scores().rows[0], tfidf=None, random_encoder=None, mlp=None, compression=float("nan"))
    found = ProbeDashboard(ProbeScores((row,)))
    assert found.problem == ""
    assert found.content["rows"][0]["tfidf"] is None
    assert found.content["rows"][0]["compression"] is None
    assert found.content["moves"] is None
    assert list(found.requests()) == []


def test_a_vector_is_where_steer_puts_it():
    found, ways, among = probe_dashboard(), directions(), vectors()
    for way, row, step in ((0, 0, 0), (1, 3, 16), (0, 2, 8)):
        moved = ways[way].steer(among.vectors[[row]], found._amounts[step])
        one = found._at([way, row, step])
        assert np.allclose(one.vectors, moved)
        assert one.texts is None
        packed = found.content["moves"]["places"]
        places = np.frombuffer(packed["bytes"], np.float32).reshape(packed["shape"])
        assert places[way, step, row] == pytest.approx(ways[way].place(moved)[0], abs=1e-5)
    assert found._amounts[found.step] == 0.0


def test_a_page_holds_the_whole_slider_of_the_chosen_vector_first():
    found = probe_dashboard()
    found.direction, found.row = 1, 2
    first = [payload for _, payload in found.requests()][:34]
    assert {tuple(payload[:2]) for payload in first} == {(1, 2)}
    assert {payload[2] for payload in first} == set(range(17))
    assert [abs(found._amounts[payload[2]]) for payload in first] == sorted(
        abs(found._amounts[payload[2]]) for payload in first
    )
    assert len(set(map(str, found.requests()))) == 2 * 2 * 4 * 17


@pytest.mark.parametrize("payload", [[2, 0, 0], [0, 40, 0], [0, 0, 17], [0, 0], "0", None, [0, 0, -1], [0, 0, 0.5]])
def test_a_place_that_is_not_there_is_refused_in_words(payload):
    with pytest.raises(BadInput, match="no direction, vector and amount"):
        probe_dashboard()._at(payload)


def test_a_step_that_leads_to_nothing_is_words():
    way = replace(directions(2)[0], vector=np.array([1.0, 0.0]), scale=0.5)
    opposite = EmbeddingSet(np.array(["a"], object), np.array([[-1.0, 0.0]], np.float32))
    found = ProbeDashboard(probe_scores(), way, opposite, explain=said)
    assert final(found._said, [0, 0, 16])[0] == "failed"


WRONG = {
    "scores holds no rows": lambda: ProbeDashboard(ProbeScores(())),
    "without vectors": lambda: ProbeDashboard(probe_scores(), directions()),
    "without a direction": lambda: ProbeDashboard(probe_scores(), (), vectors()),
    "has 5 dimensions, vectors have 16": lambda: ProbeDashboard(probe_scores(), directions(5), vectors()),
    "finite numbers of class gaps": lambda: ProbeDashboard(
        probe_scores(), directions(), vectors(), amounts=(0.0, float("inf"))
    ),
    "was another embedder used": lambda: ProbeDashboard(
        probe_scores(), directions(), vectors(), neighbours=vectors(5, 7)
    ),
}


@pytest.mark.parametrize("words", WRONG)
def test_bad_input_is_said_in_words(words):
    found = WRONG[words]()
    assert words in found.problem
    assert found.content == {}
    assert words in found._static_html()


def test_the_static_page_names_every_task():
    text = probe_dashboard()._static_text()
    for name, *_ in TASKS:
        assert name.split(" <")[0] in text
    assert "Direction: finance" in text
