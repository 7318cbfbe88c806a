"""MixPad: mixtures lie on the great circle, differences are differences, and answers are asked once."""

from __future__ import annotations

import html
from itertools import pairwise

import comm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.widgets.more_samples import mix_pad, said, vectors
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.results import Explanation, Inversions
from workbench.widgets import MixPad, Progress
from workbench.widgets._answers import final

_NUMBER = st.floats(-100, 100, width=32).map(float)


@given(arrays(np.float64, 5, elements=_NUMBER), arrays(np.float64, 5, elements=_NUMBER), st.integers(2, 12))
def test_mixtures_lie_on_the_way_from_a_to_b(a, b, steps):
    pad = MixPad(a, b, steps=steps)
    if min(np.linalg.norm(a), np.linalg.norm(b)) < 1e-3:
        return
    cosine = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    if cosine < -1 + 1e-5:
        return
    path = [pad._vectors[str(step)] for step in range(steps)]
    assert np.allclose(path[0], a, atol=1e-6 * np.abs(a).max())
    assert np.allclose(path[-1], b, atol=1e-6 * np.abs(b).max())
    to_a = [pad._cosines[str(step)][0] for step in range(steps)]
    assert all(later <= earlier + 1e-6 for earlier, later in pairwise(to_a))
    angles = np.arccos(np.clip(to_a, -1, 1))
    assert np.allclose(angles, np.linspace(0, np.arccos(np.clip(cosine, -1, 1)), steps), atol=1e-3)
    lengths = [np.linalg.norm(vector) for vector in path]
    ends = sorted((np.linalg.norm(a), np.linalg.norm(b)))
    assert min(lengths) >= ends[0] * (1 - 1e-6)
    assert max(lengths) <= ends[1] * (1 + 1e-6)


def test_differences_point_from_one_to_the_other():
    pad = mix_pad()
    a, b = (vectors().vectors[row].astype(float) for row in (0, 1))
    rest = a / np.linalg.norm(a) - b / np.linalg.norm(b)
    assert np.allclose(pad._vectors["A-B"], rest / np.linalg.norm(rest), atol=1e-6)
    assert np.allclose(pad._vectors["B-A"], -pad._vectors["A-B"])
    to_a, to_b = pad._cosines["A-B"]
    assert to_a == pytest.approx(-to_b)


def test_nothing_is_left_of_the_difference_of_a_vector_and_itself():
    a = vectors().vectors[0]
    pad = MixPad(a, 3 * a)
    assert pad.problem == ""
    assert pad.content["differences"] == {}
    assert {payload for _, payload in MixPad(a, a, vectors()).requests()} == {str(step) for step in range(11)}


def test_neighbours_of_a_set_are_the_nearest():
    pad = mix_pad()
    near = pad._near("5")
    among = vectors()
    middle = pad._vectors["5"] / np.linalg.norm(pad._vectors["5"])
    order = np.argsort(-(among.vectors @ middle), kind="stable")[:8]
    assert near["texts"] == [str(among.texts[row]) for row in order]
    assert near["cosines"] == pytest.approx(among.vectors[order] @ middle, abs=1e-5)


@pytest.mark.parametrize(
    ("answer", "texts", "cosines"),
    [
        (["a", "b"], ["a", "b"], None),
        ([("a", 0.5), ("b", np.float32(0.25))], ["a", "b"], [0.5, 0.25]),
        ([], [], []),
        (vectors().select([3]), [str(vectors().texts[3])], None),
        (["x"] * 20, ["x"] * 8, None),
    ],
)
def test_neighbours_may_be_given_in_several_ways(answer, texts, cosines):
    near = MixPad(*vectors().vectors[:2], lambda one: answer)._near("0")
    assert near["texts"] == texts
    if cosines is not None:
        assert near["cosines"].tolist() == cosines


@pytest.mark.parametrize("answer", [3, [3], [("a", "b")], None, [("a", 0.1, 2)]])
def test_other_neighbours_are_refused_in_words(answer):
    kind, words = final(MixPad(*vectors().vectors[:2], lambda one: answer)._near, "0")
    assert kind == "failed"
    assert "expected a list of texts" in words


def test_what_is_said_may_be_text_an_explanation_or_an_inversion():
    found = [
        "words",
        Explanation("0", "of sport", (("match", 0.9),), 0.5, "of people", 0.1),
        Inversions(
            "search", np.array(["0"], object), np.array(["a text"], object), np.array([0.8]), np.array([1]), 1, 0.1
        ),
    ]
    told = [MixPad(*vectors().vectors[:2], explain=lambda one, each=each: each)._said("0") for each in found]
    assert [each["text"] for each in told] == ["words", "of sport", "a text"]
    assert told[1]["keywords"] == ["match"]
    assert "blind 0.10" in told[1]["note"]
    assert final(MixPad(*vectors().vectors[:2], explain=lambda one: 3)._said, "0")[0] == "failed"


def test_an_answer_is_asked_once_unless_it_was_given_up():
    asked = []

    def slow(one):
        asked.append(str(one.ids[0]))
        yield Progress(0, 1)
        yield "words"

    pad = MixPad(*vectors().vectors[:2], explain=slow)
    handler = pad._channels["explain"].handler
    given_up = handler("3")
    next(given_up)
    given_up.close()
    for _ in range(3):
        assert final(handler, "3")[1]["text"] == "words"
    assert asked == ["70% A, 30% B"] * 2
    assert "words" in pad._static_text()


@pytest.mark.parametrize("payload", ["11", "-1", 0, None, "A+B", ["0"]])
def test_a_place_that_is_not_there_is_refused_in_words(payload):
    with pytest.raises(BadInput, match="is not of this pad"):
        mix_pad()._at(payload)


a, b = np.ones(4), np.arange(4.0)
WRONG = {
    "a has shape (4,) but b (3,)": lambda: MixPad(a, np.ones(3)),
    "expected one vector": lambda: MixPad(np.ones((2, 4)), a),
    "a is zero": lambda: MixPad(np.zeros(4), a),
    "not finite": lambda: MixPad(np.full(4, np.nan), a),
    "are opposite": lambda: MixPad(a, -a),
    "steps is 1": lambda: MixPad(a, b, steps=1),
    "a holds 4 vectors": lambda: MixPad(vectors(4), vectors(4)),
    "was another embedder used": lambda: MixPad(a, b, vectors()),
    "expected one vector of numbers": lambda: MixPad(np.array(["x", "y"]), a),
}


@pytest.mark.parametrize("words", WRONG)
def test_a_bad_shape_is_said_in_words(words):
    pad = WRONG[words]()
    assert words in pad.problem
    assert pad.content == {}
    assert html.escape(pad.problem) in pad._static_html()


def test_the_script_is_whole_when_the_browser_hears_of_it(monkeypatch):
    """A front end draws what it is told first; a later script is drawn again, after an error."""
    told = []
    monkeypatch.setattr(comm, "create_comm", lambda **keys: told.append(keys) or comm.DummyComm(**keys))
    mix_pad()
    script = next(state["_esm"] for each in told if "_esm" in (state := each["data"]["state"]))
    assert script.index("const begin") < script.index("const MOVED_CSS") < script.index("const MIX_CSS")


def test_the_sample_hides_texts_from_callables():
    assert isinstance(mix_pad()._at("0"), EmbeddingSet)
    assert final(lambda payload: said(mix_pad()._at(payload)), "A-B")[0] == "part"
