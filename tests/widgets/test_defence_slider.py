"""DefenceSlider: points come from rows, from a result or from a callable, and the prior is beside all of them."""

from __future__ import annotations

import html
import json
import re

import numpy as np
import pytest

from tests.widgets.more_samples import defence_point, defence_rows, defence_slider, measure, share, without
from workbench.core.errors import BadInput
from workbench.results import DefenceScores
from workbench.results.defences import LINEAR, MLP, STATIC, Attack, DefenceRow
from workbench.widgets import DefencePoint, DefenceSlider, Progress
from workbench.widgets._answers import final


def row(line: str, static: float, linear: float, mlp: float, searched: bool = True) -> DefenceRow:
    found = ((STATIC, static), (LINEAR, linear), (MLP, mlp))
    attacks = tuple(Attack(name, share(value), value - 0.01, value + 0.01) for name, value in found)
    kept = share(0.8)
    return DefenceRow(
        line, (("mechanism", "some"),), 16, attacks, kept, None, kept, share(0.7) if searched else None, None, None
    )


def scores(*rows: DefenceRow) -> DefenceScores:
    return DefenceScores("topic", "minilm", ("a", "b"), 90, 30, 10, share(0.3), kept(), rows, (10,), (1, 4), 30, (0, 1))


def kept():
    return share(0.2)


def test_a_result_gives_methods_strengths_and_the_worst_attack():
    found = DefenceSlider(
        scores(row("none", 0.9, 0.9, 0.9), row("noise:1", 0.5, 0.6, 0.7), row("noise:0.5", 0.6, 0.8, 0.7),
               row("noise:2?release=stored", 0.4, 0.4, 0.4), row("leace", 0.3, 0.4, 0.6))
    )  # fmt: skip
    assert found.problem == ""
    methods = {each["name"]: each for each in found.content["methods"]}
    assert list(methods) == ["noise", "noise?release=stored", "leace"]
    assert methods["noise"]["strengths"] == ["0.5", "1"]
    assert methods["noise"]["points"][1]["adaptive"]["value"] == pytest.approx(0.7, abs=1e-3)
    assert methods["noise"]["points"][0]["adaptive"]["value"] == pytest.approx(0.8, abs=1e-3)
    assert "worst attack, retrained MLP" in methods["noise"]["points"][1]["detail"]
    assert found.content["undefended"]["static"]["value"] == pytest.approx(0.9)
    assert found.content["utility"] == "nDCG@10"
    assert found.content["prior"]["value"] == pytest.approx(0.3)
    assert "accuracy for topic" in found._static_text()


def test_without_search_utility_is_the_neighbours_kept():
    found = DefenceSlider(scores(row("noise:1", 0.5, 0.6, 0.7, False), row("int8", 0.5, 0.6, 0.7)))
    assert found.content["utility"] == "neighbours kept"
    assert found.content["methods"][1]["points"][0]["utility"]["value"] == pytest.approx(0.8)


def test_undefended_vectors_alone_can_be_shown():
    found = DefenceSlider([defence_point("none", "as it is", 0.0, 0.9, 0.9)])
    assert [each["name"] for each in found.content["methods"]] == ["none"]


def test_numbers_ascend_on_the_slider_and_words_stay():
    rows = [defence_point("noise", strength, 0.1, 0.5, 0.5) for strength in (2.0, 0.5, 10.0)]
    rows += [defence_point("key", strength, 0.1, 0.5, 0.5) for strength in ("long", "short", "a")]
    methods = DefenceSlider(rows).content["methods"]
    assert [each["strengths"] for each in methods] == [["0.5", "2.0", "10.0"], ["long", "short", "a"]]


def test_what_is_measured_is_measured_once_and_kept_in_the_page(tmp_path):
    asked = []

    def counted(method, strength):
        asked.append((method, strength))
        yield from measure(method, strength)

    found = DefenceSlider(defence_rows(), counted, {"truncation": (4.0, 2.0)}, share(0.27))
    place = [each["name"] for each in found.content["methods"]].index("truncation")
    assert found.content["methods"][place]["points"] == [None, None]
    assert [payload for _, payload in found.requests()] == [[place, 0], [place, 1]]
    assert final(found._asked, [place, 0])[1]["utility"]["value"] == pytest.approx(0.88, abs=0.002)
    found.export_html(tmp_path / "a.html")
    assert asked == [("truncation", 2.0), ("truncation", 4.0)]
    state = json.loads(re.search(r'id="state">(.*?)</script>', (tmp_path / "a.html").read_text(), re.S).group(1))
    assert set(state["traits"]["measured"]) == {f"{place}.0", f"{place}.1"}
    assert "truncation" in found._static_text()
    found.export_html(tmp_path / "a.html")
    assert len(asked) == 2


def wrongly(answer):
    found = DefenceSlider((), lambda method, strength: answer, {"noise": (1.0,)})
    return final(found._asked, [0, 0])


@pytest.mark.parametrize(
    "answer", [None, 3, iter(()), iter((Progress(0, 1),)), DefencePoint("x", 1, *(without(share(0.5)),) * 3)]
)
def test_faults_of_measure_are_words(answer):
    kind, words = wrongly(answer)
    assert kind == "failed"
    assert "expected" in words


@pytest.mark.parametrize("payload", [[9, 0], [0, 9], [0], "0", None, [0, -1], [0.0, 0]])
def test_a_strength_that_is_not_there_is_refused_in_words(payload):
    assert "no method and strength" in final(defence_slider()._asked, payload)[1]


POINT = defence_point("noise", 1.0, 0.1, 0.5, 0.6)
WRONG = {
    "nothing to show": DefenceSlider,
    "which is there twice": lambda: DefenceSlider([POINT, POINT]),
    "nobody measures noise at 2.0": lambda: DefenceSlider([POINT], strengths={"noise": (2.0,)}),
    "expected finite numbers": lambda: DefenceSlider([POINT], prior=without(share(0.5))),
    "adaptive of rows[0]": lambda: DefenceSlider(
        [DefencePoint("noise", 1, share(0.5), share(0.5), without(share(0.5)))]
    ),
}


@pytest.mark.parametrize("words", WRONG)
def test_bad_input_is_said_in_words(words):
    found = WRONG[words]()
    assert words in found.problem
    assert found.content == {}
    assert html.escape(found.problem) in found._static_html()
    with pytest.raises(BadInput, match="nothing to export"):
        found.export_html("never.html")


def test_the_static_page_has_all_points_and_the_prior():
    text = defence_slider()._static_text()
    assert text.count("noise") >= 5
    assert "none" in text
    assert "prior" in text
    assert np.isfinite(share(0.27).low)
    assert "0.270" in text
