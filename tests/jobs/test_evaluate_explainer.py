"""Measuring an explainer: perfect and worst forecasts, places, correlations and shares come out as they must."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core import checkpoint
from workbench.core.errors import BadInput
from workbench.core.vectors import unit
from workbench.embed import load_embedder
from workbench.jobs import _explain_measures as measures
from workbench.jobs._explain_items import Segment
from workbench.jobs.evaluate_explainer import evaluate_explainer

RANDOM = np.random.default_rng


@pytest.mark.parametrize("n", [2, 3, 50])
def test_a_partner_is_another_and_each_is_drawn_once(n):
    found = measures.partners(n, 0)
    assert sorted(found) == list(range(n)) and (found != np.arange(n)).all()
    assert (found == measures.partners(n, 0)).all()
    with pytest.raises(BadInput, match="at least 2"):
        measures.partners(1, 0)


def test_calibration_error_of_perfect_and_of_worst_forecasts():
    true = RANDOM(0).permutation(1000) < 500  # ten bins of one answer each
    assert measures.calibration_error(true.astype(float), true) == 0
    assert measures.calibration_error((~true).astype(float), true) == 1
    assert measures.calibration_error(np.full(1000, 0.5), true) < 0.15  # the bins' own noise
    chances = RANDOM(1).random(20_000)
    assert measures.calibration_error(chances, RANDOM(2).random(20_000) < chances) < 0.03
    with pytest.raises(BadInput, match="no forecasts"):
        measures.calibration_error(np.empty(0), np.empty(0, bool))


def test_a_true_guess_comes_first_an_opposite_one_last_and_a_random_one_anywhere():
    pool = unit(RANDOM(0).standard_normal((300, 16)))
    assert (measures.ranks(pool[:40], pool, 256, 0) == 1).all()
    assert (measures.ranks(-pool[:40], pool, 256, 0) == 256).all()
    chance = measures.ranks(unit(RANDOM(1).standard_normal((300, 16))), pool, 256, 0)
    assert abs(chance.mean() - 128.5) < 20 and chance.min() >= 1 and chance.max() <= 256
    assert (measures.ranks(np.zeros((2, 16)), pool, 10, 0) == 10).all()  # ties count against it


def test_a_pool_too_small_is_refused():
    with pytest.raises(BadInput, match="256 of a pool of 9"):
        measures.ranks(np.ones((2, 4)), np.ones((9, 4)), 256, 0)


def test_the_sign_of_spearman_is_that_of_the_way():
    steps = np.arange(-3.0, 4.0)
    rows = np.stack([np.exp(3 * steps), -(steps**3), np.ones(7), steps**2])
    assert measures.spearman(rows, steps) == pytest.approx([1, -1, 0, 0], abs=1e-12)


def test_moving_keeps_length_and_goes_along_the_way():
    vectors, way = unit(RANDOM(0).standard_normal((5, 8))), RANDOM(1).standard_normal((1, 8))
    steps = np.array([-0.5, 0.0, 0.5])
    found = measures.moved(vectors, way, steps)
    assert np.allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-6)
    assert np.allclose(found[:, 1], vectors, atol=1e-6)
    assert (np.diff(found @ way[0], axis=1) > 0).all()


def test_the_paired_bootstrap_holds_the_truth():
    hits = 0
    for seed in range(60):
        random = RANDOM(seed)
        text = random.normal(0, 0.3, 200)  # what texts share cancels out
        prior, ceiling = 0.1 + text, 0.8 + text + random.normal(0, 0.1, 200)
        ours = 0.45 + text + random.normal(0, 0.1, 200)
        found = measures.gained(ours, prior, ceiling, seed=seed)
        assert found is not None and found.high - found.low < 0.1
        hits += found.low <= 0.5 <= found.high
    assert hits >= 52


def test_nothing_is_normalised_by_a_ceiling_that_is_no_higher():
    same = RANDOM(0).normal(0, 1, 50)
    assert measures.gained(same, same, same[::-1].copy()) is None


def questions(count):
    kinds = [("yes", "yes"), ("no", "easy"), ("yes", "yes"), ("no", "hard")]
    asked = [Segment("word", f"Is {i} said?", *kinds[i % 4]) for i in range(count)]
    return asked + [Segment("attribute tense", "Past?", a, a) for a in ("yes", "no") * (count // 2)]


def test_questions_are_scored_by_kind_and_rare_kinds_left_out():
    asked = questions(80)
    truth = np.array([1.0 if one.answer == "yes" else -1.0 for one in asked])
    probed = np.where([one.task == "word" for one in asked], -truth, np.nan)
    found = list(measures.score_questions(asked, truth, 0 * truth, 2 * truth, probed, lambda x: (x > 0) * 1.0, 30, 0))
    assert [one.kind for one in found] == ["words, easy", "words, hard", "tense", "all attributes"]
    assert [one.n for one in found] == [60, 60, 80, 80]
    assert all(one.auroc.value == 1 and one.blind.value == 0.5 and one.calibration_error == 0 for one in found)
    assert all(one.text.value == one.recovered.value == 1 for one in found)
    assert [one.probe and one.probe.value for one in found] == [0, 0, None, None]
    few = list(measures.score_questions(asked[:40], *[truth[:40]] * 3, probed[:40], lambda x: x * 0, 31, 0))
    assert not few


def test_closed_forms_answer_what_they_can():
    asked = [Segment("word", "Is a said?", "yes", "yes"), Segment("word", "Is b said?", "no", "easy")]
    asked += [Segment("attribute x", "Is it x?", "yes", "yes"), Segment("attribute y", "Is it y?", "no", "no")]
    words = measures.Linear(("Is a said?",), np.array([[2.0, 0.0]]), np.array([1.0]))
    probes = measures.Linear(("Is it x?",), np.array([[0.0, 3.0]]), np.array([0.0]))
    found = measures.closed_forms(np.ones((4, 2)), asked, words, probes)
    assert found[:3].tolist() == [3.0, 3.0, 3.0] and np.isnan(found[3])  # the unread word has the others' mean


def test_descriptions_of_the_true_vectors_are_best():
    pool = unit(RANDOM(0).standard_normal((20, 32)))
    told = [
        measures.Told("ours", "explainer", pool[:8]),
        measures.Told("shuffled", "prior", pool[measures.partners(8, 0)]),
        measures.Told("text", "ceiling", pool[:8]),
    ]
    ours, prior, ceiling = measures.score_descriptions(told, pool, np.arange(8), (12, 1000), 0)
    assert ours.cosine.value == pytest.approx(1) and ours.normalised and ours.normalised.value == pytest.approx(1)
    assert ours.top1_of_256.value == 1 and prior.top1_of_256.value == 0
    assert ours.top10_of_1000 is prior.normalised is ceiling.normalised is None


@pytest.mark.parametrize(("count", "most", "left"), [(300, 120, 100), (50, 120, 50), (0, 120, 0), (121, 120, 61)])
def test_a_part_is_spread_over_the_whole(count, most, left):
    assert len(range(count)[measures.spread_out(count, most)]) == left


def test_too_few_texts_are_refused(toy):
    with pytest.raises(BadInput, match="n is 29; expected at least 30"):
        evaluate_explainer(toy, n=29)


@pytest.mark.slow
def test_the_shipped_explainer_is_measured_whole():
    try:
        checkpoint.for_embedder("explainer", "minilm")
    except BadInput as error:
        pytest.skip(str(error))
    found = evaluate_explainer(load_embedder("minilm", "cpu"), n=30, device="cpu")
    assert [domain.domain for domain in found.domains] == ["conservative", "imdb"]
    assert found.domains[0].seen and not found.domains[1].seen
    assert [row.role for row in found.domains[0].descriptions] == ["explainer", "floor", "floor", "prior", "ceiling"]
    assert found.domains[0].gap.low > 0 and len(found.abstentions) == 5
    assert type(found).from_json(found.to_json()) == found
