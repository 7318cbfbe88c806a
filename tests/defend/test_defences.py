"""Every defence keeps what it promises: shapes, chance from the seed, secrets, and what its name says."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput, UnknownName
from workbench.core.vectors import unit
from workbench.defend import DEFENCES, defend_store, open_defence, open_fitter

KEYED = ("rotation", "permutation", "noise:0.5?release=stored", "metric-dp:50?release=stored")
LINES = (*DEFENCES.names(), *KEYED[2:], "truncation:16?renormalise=false", "pca:3")
SHORTER = {"truncation": 16, "truncation:16?renormalise=false": 16, "pca": 16, "pca:3": 3}


N = 260


def chance(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def vectors():
    return unit(chance().standard_normal((N, 64)).astype(np.float32))


@pytest.fixture(scope="module")
def labels():
    return {"odd": np.arange(N) % 2}


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize("line", LINES)
def test_contract(line, vectors, labels):
    before = vectors.copy()
    defence = open_fitter(line).fit(vectors, chance(1), labels)
    after = defence.apply(vectors, chance(1))
    assert after.shape == (N, SHORTER.get(line, 64))
    assert after.dtype == np.float32
    assert (vectors == before).all(), "what is defended is not changed"
    assert after.shape != before.shape or not (after == before).all()
    again = open_fitter(line).fit(vectors, chance(1), labels)
    assert (again.apply(vectors, chance(1)) == after).all(), "chance comes from the seed"
    assert (defence.apply(vectors, chance(2)) == after).all() != defence.fresh
    assert np.isfinite(defence.apply(np.zeros((1, 64), np.float32), chance())).all()
    assert defence.apply(vectors[:0], chance()).shape == (0, after.shape[1])
    asked = defence.ask(vectors)
    assert asked.shape == after.shape and asked.dtype == np.float32
    assert cosines(asked, after).mean() > (0.1 if "metric" in line else 0.7), "queries meet what is stored"
    facts = defence.facts()
    assert facts["mechanism"] and facts["guarantee"]
    assert (pickle.loads(pickle.dumps(defence)).apply(vectors, chance(1)) == after).all()


@pytest.mark.parametrize("name", DEFENCES.names())
def test_its_entry_is_one_line(name):
    assert 10 < len(DEFENCES.summary(name)) < 120


def test_the_first_three_are_what_they_were(vectors):
    """To the bit: trained attackers and fingerprints rest on them."""
    scale = 0.3 * np.linalg.norm(vectors, axis=1, keepdims=True) / np.sqrt(64)
    noisy = (vectors + scale * chance(5).standard_normal(vectors.shape)).astype(np.float32)
    assert (open_defence("noise:0.3").apply(vectors, chance(5)) == noisy).all()
    step = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12) / 127
    assert (open_defence("int8").apply(vectors, chance()) == (np.rint(vectors / step) * step).astype(np.float32)).all()
    signs = np.where(vectors >= 0, 1, -1).astype(np.float32) / np.float32(8)
    assert (open_defence("binary").apply(vectors, chance()) == signs).all()


def test_noise_has_the_length_that_it_states(vectors):
    for line in ("noise:0.5", "noise:0.5?release=stored&key=3"):
        moved = open_defence(line).apply(vectors, chance()) - vectors
        assert np.linalg.norm(moved, axis=1).mean() == pytest.approx(0.5, rel=0.05)


def test_stored_noise_belongs_to_the_vector_and_the_key(vectors):
    one = open_defence("noise:0.5?release=stored&key=3")
    assert (one.apply(vectors[::-1], chance(1))[::-1] == one.apply(vectors, chance(2))).all()
    assert not (
        open_defence("noise:0.5?release=stored&key=4").apply(vectors, chance()) == one.apply(vectors, chance())
    ).any()
    moved = one.apply(vectors, chance()) - vectors
    assert np.abs(np.corrcoef(moved) - np.eye(N)).max() < 0.7, "each vector has noise of its own"


def test_quantisation(vectors):
    random = chance()
    assert cosines(open_defence("int8").apply(vectors, random), vectors).min() > 0.999
    binary = open_defence("binary").apply(vectors, random)
    assert len(np.unique(np.abs(binary))) == 1
    assert np.linalg.norm(binary, axis=1) == pytest.approx(1.0)


def test_product_quantisation_has_as_many_codes_as_points():
    vectors = chance().standard_normal((900, 20)).astype(np.float32)
    coded = open_fitter("product-quantisation:8?points=16").fit(vectors, chance()).apply(vectors, chance())
    for start, width in ((0, 8), (8, 8), (16, 4)):
        assert len(np.unique(coded[:, start : start + width], axis=0)) == 16
    fine = open_fitter("product-quantisation:2").fit(vectors, chance()).apply(vectors, chance())
    lost = [np.square(each - vectors).sum() / np.square(vectors).sum() for each in (coded, fine)]
    assert lost[1] < 0.05 < lost[0] < 0.8
    twice = np.repeat(vectors[:4], 4, axis=0)
    few = open_fitter("product-quantisation?points=16").fit(twice, chance())
    assert (few.apply(twice, chance()) == twice).all(), "as many points as there are different vectors"


@pytest.mark.parametrize("name", ["rotation", "permutation"])
@given(seed=st.integers(0, 1000), d=st.integers(1, 24), key=st.one_of(st.integers(0, 2**70), st.binary(min_size=1)))
def test_a_key_turns_and_turns_back(name, seed, d, key):
    vectors = chance(seed).standard_normal((6, d)).astype(np.float32)
    member = DEFENCES.load(name)
    turned = member(key=key).map(vectors)
    np.testing.assert_allclose(turned @ turned.T, vectors @ vectors.T, atol=1e-4)
    np.testing.assert_allclose(member(key=key).undo(turned), vectors, atol=1e-5)


def test_rotations_are_uniform_and_keys_do_not_meet():
    member = DEFENCES.load("rotation")
    drawn = np.array([member(key=key).matrix(3) for key in range(600)])
    assert np.abs(drawn.mean(0)).max() < 0.1
    assert np.linalg.det(drawn).round(6).tolist().count(1.0) == pytest.approx(300, abs=60)
    assert not (member(key=7).matrix(8) == member(key=b"7").matrix(8)).any()
    with pytest.raises(ValueError, match="read-only"):
        drawn_one = member(key=1).matrix(3)
        drawn_one[0, 0] = 0.0


@pytest.mark.parametrize("d", [2, 50])
def test_metric_dp_draws_the_laplace_of_d_dimensions(d):
    """A length of Gamma(d, 1 / epsilon) in a uniform direction, which is what density exp(-epsilon |z|) means."""
    epsilon = 4.0
    noise = open_defence(f"metric-dp:{epsilon}").apply(np.zeros((20_000, d), np.float32), chance())
    length = np.linalg.norm(noise, axis=1)
    assert length.mean() == pytest.approx(d / epsilon, rel=0.02)
    assert length.var() == pytest.approx(d / epsilon**2, rel=0.06)
    assert np.abs(noise.mean(0)).max() < 5 * d / epsilon / np.sqrt(20_000)


def test_every_epsilon_has_its_mechanism_unit_and_sensitivity():
    facts = open_defence("metric-dp:30").facts()
    assert "Laplace" in facts["mechanism"] and "30 a release" in facts["epsilon"]
    assert "distance" in facts["unit"] and "exp(60)" in facts["sensitivity"]
    assert "not record-level" in facts["guarantee"]


def test_leace_erases_what_is_named_and_that_alone():
    random = chance()
    classes = {"one": random.integers(0, 2, 800), "two": random.integers(0, 3, 800).astype(str)}
    vectors = random.standard_normal((800, 10)).astype(np.float32)
    vectors[:, 0] += 3 * classes["one"]
    vectors[:, 1] += 3 * (classes["two"] == "1")

    def read(table, name):
        return LogisticRegression(C=100).fit(table, classes[name]).score(table, classes[name])

    both = open_fitter("leace:one+two").fit(vectors, chance(), classes).apply(vectors, chance())
    one = open_fitter("leace:one").fit(vectors, chance(), classes).apply(vectors, chance())
    assert read(vectors, "one") > 0.85 and read(vectors, "two") > 0.6
    assert read(both, "one") < 0.55 and read(both, "two") < 0.4
    assert read(one, "one") < 0.55 and read(one, "two") > 0.6


@pytest.mark.parametrize("line", KEYED)
def test_a_key_is_shown_nowhere(line, vectors, tmp_path):
    joined = line + ("&" if "?" in line else "?")
    (tmp_path / "secret").write_bytes(b"correct horse")
    for given_, secret in (("key=987654321", "987654321"), (f"key=@{tmp_path / 'secret'}", "correct horse")):
        defence = open_defence(joined + given_)
        store = EmbeddingSet(np.array([str(row) for row in range(N)], object), vectors)
        copy = defend_store(store, joined + given_)
        assert (copy.vectors == defence.apply(vectors, chance())).all()
        shown = f"{defence!r} {defence.facts()} {copy.provenance} {open_fitter(joined + given_)!r}"
        assert secret not in shown and "key=" not in shown
        with pytest.raises(BadInput) as told:
            open_defence(f"{joined}{given_}&nonesuch=1")
        assert secret not in str(told.value)
    with pytest.raises(BadInput, match="needs a key"):
        open_defence(line)
    with pytest.raises(BadInput, match="needs a key"):
        defend_store(EmbeddingSet(np.array(["a"], object), vectors[:1]), line)
    drawn = [open_fitter(line).fit(vectors, chance(seed)).apply(vectors, chance()) for seed in (0, 0, 1)]
    assert (drawn[0] == drawn[1]).all() and not (drawn[0] == drawn[2]).all()


@pytest.mark.parametrize("text", ["seven", "-1", "1.5", "", "@/nonesuch/file"])
def test_keys_that_are_none(text):
    with pytest.raises(BadInput, match="key") as told:
        open_defence(f"rotation?key={text}")
    assert "seven" not in str(told.value)


def test_a_defended_copy_keeps_rows_and_says_what_was_done(small_set):
    copy = defend_store(small_set, "truncation:2")
    assert copy.dim == 2 and (copy.ids == small_set.ids).all() and (copy.texts == small_set.texts).all()
    assert copy.provenance.normalised is True
    assert copy.provenance.notes[-1].startswith("defended by truncation:2 (mechanism: the first 2 dimensions")
    noisy = [defend_store(small_set, "noise:0.5").vectors for _ in range(2)]
    assert not (noisy[0] == noisy[1]).any(), "chance is the system's own, not a seed that anyone knows"
    erased = defend_store(small_set, "leace:odd")
    means = [erased.vectors[small_set.labels["odd"] == code].mean(0) for code in (0, 1)]
    np.testing.assert_allclose(*means, atol=1e-5)
    zeros = EmbeddingSet(np.array(["a", "b"], object), np.array([[0.0, 1.0], [1.0, 0.0]]))
    with pytest.raises(BadInput, match="after truncation:1: row 0"):
        defend_store(zeros, "truncation:1")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("noise:much", "cannot have the strength 'much'"),
        ("noise:-1", "expected 0 or more"),
        ("noise:nan", "expected a finite number"),
        ("noise?release=often", "expected fresh or stored"),
        ("noise?key=3", "fresh noise has none"),
        ("noise:0.1?strength=2", "states strength twice"),
        ("int8:3", "int8 has no strength"),
        ("int8?bits=3", "known: none"),
        ("rotation:3", "rotation has no strength"),
        ("truncation:0", "expected a share"),
        ("truncation:2.5", "expected a share"),
        ("truncation:0.5?renormalise=perhaps", "expected true or false"),
        ("metric-dp:0", "above 0"),
        ("metric-dp:inf", "expected a finite number"),
        ("pca", "has to learn"),
        ("leace:topic", "has to learn"),
        ("product-quantisation", "has to learn"),
    ],
)
def test_mistakes(line, message):
    with pytest.raises(BadInput, match=message):
        open_defence(line)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pca:65", "expected at most 64"),
        ("product-quantisation?points=261", "260 vectors for 261 points"),
        ("product-quantisation:0", "expected at least 1"),
        ("product-quantisation:x", "expected a whole number"),
        ("leace:nonesuch", "no label is called 'nonesuch'"),
        ("leace", "expected leace:LABEL"),
        ("leace:gone", "has no values: all"),
        ("leace:same", "1 distinct values"),
        ("leace:short", r"\(3,\)"),
    ],
)
def test_what_cannot_be_fitted(line, message, vectors, labels):
    others = {"gone": [None] * N, "same": [1] * N, "short": [1, 2, 3]}
    with pytest.raises((BadInput, UnknownName), match=message):
        open_fitter(line).fit(vectors, chance(), {**labels, **others})


@pytest.mark.parametrize("line", ["pca", "leace", "product-quantisation"])
def test_what_was_fitted_refuses_what_does_not_fit(line, vectors, labels):
    with pytest.raises(BadInput, match=r"expected \(n, 64\)"):
        open_fitter(line).fit(vectors, chance(), labels).apply(vectors[:, 1:], chance())
    bad = vectors.copy()
    bad[4, 4] = np.nan
    with pytest.raises(BadInput, match="row 4"):
        open_fitter(line).fit(bad, chance(), labels)


def test_more_axes_than_vectors(vectors, labels):
    with pytest.raises(BadInput, match="50 vectors do not tell 60"):
        open_fitter("pca:60").fit(vectors[:50], chance())


def test_truncation_of_too_few_dimensions(vectors):
    with pytest.raises(BadInput, match="keep is 65 but vectors have 64"):
        open_defence("truncation:65").apply(vectors, chance())


def test_an_unknown_defence():
    with pytest.raises(UnknownName, match="Did you mean 'noise'"):
        open_defence("nois")
