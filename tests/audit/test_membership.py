"""Who is a member? Chance where nothing is stored, everything where the store is plain, and no threshold of its own."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from workbench.audit._calibration import Usual, member_log_ratio
from workbench.audit._candidates import Candidates, blind
from workbench.audit.membership import NEEDS, inverter_membership, store_membership
from workbench.cli import app
from workbench.core.access import LEAKED_PAIRS, OPEN_WEIGHTS, STOLEN_STORE, Access
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import AccessDenied, BadInput
from workbench.core.estimate import exact_proportion
from workbench.core.result import Result
from workbench.core.vectors import unit
from workbench.defend import open_defence
from workbench.jobs.find_members import members_of_store, members_of_training

WORDS = np.array(
    re.findall(r"\w+", "the a cat dog bank money sat ran saw paid big red old new in on mat house man tree")
)


def lines(n, seed=0):
    """Distinct made-up sentences of four to nine words."""
    random, found = np.random.default_rng(seed), {}
    while len(found) < n:
        found[" ".join(random.choice(WORDS, random.integers(4, 10))) + "."] = None
    return list(found)


@pytest.fixture(scope="module")
def texts():
    return lines(800)


@pytest.fixture(scope="module")
def candidates(texts):
    return Candidates.of(texts[:400], texts[400:])


@pytest.fixture(scope="module")
def vectors(candidates, toy):
    return toy.embed(candidates.texts)


def told(candidates, vectors, defence="", stored=None):
    store = vectors[candidates.member if stored is None else stored]
    if defence:
        store = open_defence(defence).apply(store, np.random.default_rng(3))
    return store_membership(store, candidates, vectors)


@pytest.fixture(scope="module")
def plain(candidates, vectors):
    return told(candidates, vectors)


def test_a_plain_store_hides_no_member(plain):
    for attack in plain.attacks:
        assert attack.auc.value > 0.998
        assert attack.at(0.01).found.value == 1
    assert not plain.leaks
    assert (plain.members, plain.others, plain.left_out) == (400, 400, 0)


def test_of_a_store_of_other_texts_nothing_is_told(candidates, vectors, toy):
    """The negative control: the members are not in it."""
    found = store_membership(toy.embed(lines(500, seed=9)), candidates, vectors)
    for attack in (*found.attacks, found.blind):
        assert attack.auc.low < 0.55
        assert attack.at(0.01).found.low < found.chance


def test_calibration_finds_more_in_noise(candidates):
    """Some texts have many near neighbours and some have none: one threshold on the cosine suits neither."""
    random = np.random.default_rng(0)
    crowded = random.random(800) < 0.5
    centres = random.standard_normal((5, 64))[random.integers(0, 5, 800)]
    spread = random.standard_normal((800, 64))
    vectors = unit(np.where(crowded[:, None], centres + 0.5 * spread, spread).astype(np.float32))
    plain, calibrated = told(candidates, vectors, "noise:1").attacks
    assert calibrated.auc.low > plain.auc.high
    assert calibrated.at(0.01).found.low > plain.at(0.01).found.high
    assert calibrated.at(0.01).false.low <= 0.01 <= calibrated.at(0.01).false.high


def test_a_rotation_of_store_and_queries_changes_nothing(candidates, vectors, plain):
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 64)))[0].astype(np.float32)
    assert told(candidates, vectors @ turn).best.auc.value == pytest.approx(plain.best.auc.value, abs=0.01)


def test_the_defence_is_learnt_without_labels():
    """Members lie at .45, a third of 3,000; others at 0 with spread .1."""
    random = np.random.default_rng(0)
    member = np.arange(3000) < 1000
    scores = np.where(member, random.normal(0.45, 0.04, 3000), random.normal(0.0, 0.1, 3000))
    usual = -0.5 * np.square(scores / 0.1) - np.log(0.1)
    ratio = member_log_ratio(scores, usual)
    best = -0.5 * np.square((scores - 0.45) / 0.04) - np.log(0.04) - usual
    assert ((ratio > 0) == (best > 0)).mean() > 0.999


def test_excess_is_standard_where_it_was_fitted():
    random = np.random.default_rng(0)
    features = random.standard_normal((4000, 2))
    scores = features[:, 0] + np.exp(0.5 * features[:, 1]) * random.standard_normal(4000)
    excess = Usual.fit(scores, features).excess(scores, features)
    assert abs(excess.mean()) < 0.05
    assert abs(excess[features[:, 1] > 0.5].std() - 1) < 0.1
    assert abs(excess[features[:, 1] < -0.5].std() - 1) < 0.1


def test_thresholds_hold_on_the_other_half():
    many = Candidates.of(lines(400, seed=1), lines(3000, seed=2))
    found = many.rated("random", np.random.default_rng(0).standard_normal(len(many.texts)))
    for rate in found.rates:
        assert rate.false.low <= rate.level <= rate.false.high
        assert rate.found.low <= rate.level
        assert rate.found.method == "Clopper-Pearson"


def test_a_text_has_no_say_in_its_own_threshold(candidates):
    """The scorer is handed non-members of the other half alone."""

    def scorer(known, rows):
        assert not candidates.member[known].any()
        assert not set(candidates.half[known]) & set(candidates.half[rows])
        assert set(candidates.member[rows]) == {True, False}
        return np.zeros(len(rows))

    assert not candidates.cross_fitted(scorer).any()


def test_a_tenth_of_a_percent_needs_five_thousand_others():
    n = 5050
    many = Candidates(tuple(map(str, range(n))), np.arange(n) < 50, np.arange(n) % 2)
    assert many.rated("none", np.arange(float(n))).rates[0].level == 0.001


def test_what_is_not_printed_is_explained(plain):
    assert plain.blind.rates[0].level == 0.01
    assert "needs 5,000 non-members, of which there are 400" in plain._repr_html_()


def test_a_random_attack_finds_no_more_than_chance(candidates):
    """Of 100 random attacks about 1 in 40 is above the limit, thresholds drawn anew each time."""
    random, limit = np.random.default_rng(0), candidates.chance(0.01)
    found = [candidates._rate(random.standard_normal(800), 0.01).found.value for _ in range(100)]
    assert np.mean(np.array(found) > limit) < 0.08
    assert max(found) > 0.6 * limit


def test_lists_that_differ_as_texts_are_said_to_leak(texts):
    shouted = Candidates.of([text.upper() for text in texts[:400]], texts[400:])
    found = inverter_membership(shouted, *np.random.default_rng(0).random((2, 800)), np.full(800, 5))
    assert found.leaks
    assert found.blind.auc.value > 0.99
    assert "The split leaks" in found._repr_html_()
    assert found.best.auc.low < 0.55


def test_blind_is_at_chance_on_lists_of_one_source(candidates):
    found = blind(candidates)
    assert found.auc.low < 0.5
    assert found.at(0.01).found.low < candidates.chance(0.01)


def test_lists_that_differ_in_a_script_without_blanks_are_said_to_leak():
    """Members hold a letter more, the others another one: as one word of ten letters no text is like any other."""
    random = np.random.default_rng(0)
    texts = ["".join(chr(0x4E00 + letter) for letter in random.integers(0, 400, 9)) for _ in range(800)]
    found = blind(Candidates.of([text + "\u9f98" for text in texts[:400]], [text + "\u9f99" for text in texts[400:]]))
    assert found.auc.value > 0.99


def test_loss_is_compared_with_that_of_texts_as_hard(candidates):
    """A member's loss is .3 lower, but texts differ by more: only what the prior does not foretell tells."""
    random = np.random.default_rng(0)
    prior = random.uniform(3.0, 9.0, 800)
    own = 0.4 * prior + random.normal(0, 0.2, 800) - 0.3 * candidates.member
    attacks = {each.attack: each for each in inverter_membership(candidates, own, prior, np.full(800, 8)).attacks}
    assert attacks["loss"].auc.value < 0.65
    assert attacks["loss, calibrated"].auc.value > 0.8
    assert attacks["loss, calibrated"].at(0.01).found.low > attacks["loss"].at(0.01).found.value


def test_what_stands_on_both_sides_is_left_out(texts):
    found = Candidates.of([*texts[:300], texts[0].upper(), "  "], [*texts[290:600], texts[599]])
    assert (int(found.member.sum()), int((~found.member).sum()), found.left_out) == (290, 300, 23)
    assert not set(found.texts) & set(texts[290:300])


@settings(max_examples=8)
@given(st.lists(st.text(max_size=20), max_size=60), st.lists(st.text(max_size=20), max_size=60))
def test_any_texts_can_be_candidates(members, others):
    base = lines(220)
    try:
        found = Candidates.of([*members, *base[:20]], [*others, *base[20:]])
    except BadInput:
        return  # the strange texts took some away
    assert len(found.texts) == len(found.member) == len(found.half)
    assert found.left_out == len(members) + len(others) + 220 - len(found.texts)
    assert blind(found).auc.n >= 20


@given(st.integers(0, 50), st.integers(1, 50))
def test_exact_intervals_hold_their_value(hits, n):
    if hits <= n:
        found = exact_proportion(hits, n)
        assert found.low <= found.value <= found.high


def test_it_is_a_result_without_texts(candidates, plain, tmp_path):
    plain.save(tmp_path / "found.json")
    assert Result.load(tmp_path / "found.json") == plain
    held = (tmp_path / "found.json").read_text()
    assert not [text for text in candidates.texts if text in held]


@pytest.mark.parametrize("threat", [STOLEN_STORE, LEAKED_PAIRS])
def test_who_cannot_query_is_refused(candidates, vectors, threat):
    assert NEEDS is Access.QUERY
    OPEN_WEIGHTS.admit("membership", NEEDS)
    with pytest.raises(AccessDenied, match="membership needs QUERY"):
        store_membership(vectors, candidates, vectors, threat)
    with pytest.raises(AccessDenied, match="membership needs QUERY"):
        inverter_membership(candidates, *np.ones((2, 800)), np.full(800, 5), threat)


def test_what_cannot_be_told_is_said(candidates, vectors, texts):
    with pytest.raises(BadInput, match="members holds 3 distinct texts"):
        Candidates.of(["a", "b", "c"], texts)
    with pytest.raises(BadInput, match="others holds 9 distinct texts"):
        Candidates.of(texts[:50], texts[50:59])
    with pytest.raises(BadInput, match=r"expected \(800, 64\)"):
        store_membership(vectors, candidates, vectors[:, :8])
    broken = vectors.copy()
    broken[7] = np.nan
    with pytest.raises(BadInput, match="row 7 of the store"):
        store_membership(broken, candidates, vectors)
    one = store_membership(vectors[:1], candidates, vectors)
    assert one.best.auc.low < 0.55


def test_a_file_of_vectors_from_the_command_line(texts, toy, tmp_path):
    for name, part in (("in", texts[:300]), ("out", texts[300:600])):
        (tmp_path / f"{name}.txt").write_text("\n".join(part))
    ids = np.array([str(row) for row in range(300)], object)
    EmbeddingSet(ids, toy.embed(texts[:300]), provenance=toy.provenance()).save(tmp_path / "store.parquet")
    lists = ["--members", str(tmp_path / "in.txt"), "--others", str(tmp_path / "out.txt")]
    paths = ["--json", str(tmp_path / "found.json"), "--html", str(tmp_path / "found.html"), "-q"]
    done = CliRunner().invoke(app, ["membership", str(tmp_path / "store.parquet"), *lists, *paths])
    assert done.exit_code == 0, done.output
    found = Result.load(tmp_path / "found.json")
    assert found.best.auc.value > 0.99
    assert "Which of these texts are in the store?" in (tmp_path / "found.html").read_text()
    for wrong in ([], ["--inverter", "auto", *lists], [str(tmp_path / "store.parquet"), *lists[:2]]):
        assert isinstance(CliRunner().invoke(app, ["membership", *wrong]).exception, BadInput)


def test_another_embedder_is_another_dimension(texts):
    store = EmbeddingSet(np.array(["a"], object), unit(np.ones((1, 8), np.float32)))
    with pytest.raises(BadInput, match="vectors have 8 dimensions; toy expects 64"):
        members_of_store(store, texts[:300], texts[300:], "toy")


@pytest.mark.slow
def test_the_shipped_inverter_remembers_some_of_what_it_learnt():
    found = members_of_training("minilm-inverter", texts=600, device="cpu")
    assert not found.leaks
    assert found.best.auc.low > 0.5
    assert found.best.attack == "loss, calibrated"
