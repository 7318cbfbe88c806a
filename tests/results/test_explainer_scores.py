"""ExplainerScores: they come back whole, and say where a floor beats the explainer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.whole import comes_back_and_shows
from workbench.core.blocks import Intervals, Text
from workbench.core.estimate import Estimate
from workbench.results import (
    Abstention,
    Counterfactual,
    DescriptionScores,
    DomainScores,
    ExplainerScores,
    QuestionScores,
)


def near(value, width=0.02):
    return Estimate(value, value - width, value + width, 300, "bootstrap")


def described(method, role, value, width=0.02):
    e = near(value, width)
    return DescriptionScores(method, role, e, None if role == "prior" else e, e, e, None)


def domain(**changes):
    plain = DomainScores(
        domain="tatoeba",
        seen=True,
        n=300,
        nats=near(2.1),
        shuffled_nats=near(2.7),
        gap=near(0.6),
        descriptions=(
            described("explainer", "explainer", 0.6),
            described("keywords", "floor", 0.5),
            described("shuffled vectors", "prior", 0.1),
            described("text access", "ceiling", 0.9),
        ),
        questions=(
            QuestionScores("tense", near(0.8), near(0.5), near(0.95), near(0.7), near(0.6), 0.05, 300),
            QuestionScores("words, hard", near(0.7), near(0.5), None, None, None, None, 200),
        ),
    )
    return replace(plain, **changes)


def scores(*domains, **changes):
    plain = ExplainerScores(
        title="Can the explainer be believed?",
        embedder="minilm",
        model="smollm2",
        checkpoint="minilm-explainer",
        domains=domains,
        counterfactuals=(Counterfactual("tense", near(0.8), near(0.1)),),
        abstentions=(Abstention("gaussian noise", near(0.9), True), Abstention("text vectors", near(0.05), False)),
        seconds=60.0,
        seed=0,
    )
    return replace(plain, **changes)


def texts(found):
    return " ".join(block.text for block in found.blocks() if isinstance(block, Text))


@pytest.mark.parametrize(
    "found",
    [
        scores(),
        scores(domain()),
        scores(domain(), domain(domain="cfpb", seen=False)),
        scores(domain(descriptions=(), questions=()), counterfactuals=(), abstentions=()),
        scores(domain(descriptions=(described("keywords", "floor", 0.5),))),
    ],
    ids=["no corpus", "one", "two", "nothing measured", "no row of ours"],
)
def test_they_come_back_whole_and_show_themselves_in_every_form(found, tmp_path):
    comes_back_and_shows(found, tmp_path)


def test_an_explainer_that_wins_everywhere_is_said_to():
    found = scores(domain())
    assert found.beaten() == ()
    assert "No floor beats the explainer on tatoeba." in texts(found)
    assert [block.tone for block in found.blocks() if isinstance(block, Text)] == ["plain", "good"]


def test_every_floor_that_wins_is_named_with_its_numbers():
    worse = domain(
        descriptions=(described("explainer", "explainer", 0.4), described("keywords", "floor", 0.5)),
        questions=(QuestionScores("tense", near(0.6), near(0.61), near(0.95), near(0.7), None, None, 300),),
    )
    found = scores(worse, counterfactuals=(Counterfactual("tense", near(0.0), near(0.1)),))
    told = texts(found)
    assert "keywords on cosine (0.50 against 0.40)" in told
    assert "blind on 'tense' (0.61 against 0.60, within the intervals)" in told
    assert "linear probe on 'tense' (0.70 against 0.60)" in told
    assert "a random direction on 'tense' (0.10 against 0.00)" in told
    assert len(found.beaten()) == 6, "three measures of the descriptions, two of the question, one direction"
    assert sum(each.clearly for each in found.beaten()) == 5


def test_the_ceiling_is_no_floor():
    assert not any(each.floor in ("text access", "given the text") for each in scores(domain()).beaten())


def test_the_chart_has_the_floors_beside_the_explainer():
    (chart,) = [block for block in scores(domain()).blocks() if isinstance(block, Intervals)]
    assert [series.name for series in chart.series] == ["explainer", "blind", "linear probe", "given the text"]
    assert chart.labels == ("tense", "words, hard")


def test_columns_that_nothing_was_measured_for_are_left_out():
    assert "top-10 of 1,000" not in domain().description_table().columns
    assert "normalised cosine" in domain().description_table().columns
