"""The positive control: whose vectors are these, before anything is read from them?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.errors import BadInput
from workbench.core.vectors import unit
from workbench.invert import open_inverter
from workbench.invert._control import FAR, NEAR, KnownTexts, Levels, Nearness
from workbench.invert._inverter import Attacker
from workbench.jobs import verify_store as job
from workbench.jobs.verify_store import claimed_other, require_reading, verify_store

TEXTS = [
    "The ferry to the island leaves at six.",
    "My landlord has not repaired the heating.",
    "She plays the violin in an orchestra.",
    "The price of wheat rose again in autumn.",
    "Where can I buy a cheap bicycle?",
    "He forgot his umbrella on the bus.",
    "The lake is frozen in winter.",
    "I would like to cancel my subscription.",
]


@pytest.fixture(scope="module")
def reader(minilm):
    return open_inverter("hypothesis", Attacker(minilm, device="cpu"))


@pytest.fixture(scope="module")
def own(minilm):
    return minilm.embed_set([str(i) for i in range(len(TEXTS))], TEXTS)


@pytest.fixture
def asked(monkeypatch):
    """The fingerprint's answer, which other tests measure; None makes any question a failure."""
    answer = {"probability": None}

    def fingerprint(store, embedder, device):
        assert answer["probability"] is not None, "the fingerprint was asked without need"
        return answer["probability"], ""

    monkeypatch.setattr(job, "_fingerprint", fingerprint)
    return answer


def held(vectors, **more):
    return EmbeddingSet(
        np.array([str(i) for i in range(len(vectors))], object), np.asarray(vectors, np.float32), **more
    )


def turned(vectors):
    return vectors @ np.linalg.qr(np.random.default_rng(0).standard_normal((vectors.shape[1],) * 2))[0]


STRANGERS = {
    "rotated": turned,
    "shuffled dimensions": lambda v: v[:, np.random.default_rng(1).permutation(v.shape[1])],
    "noise": lambda v: np.random.default_rng(2).standard_normal(v.shape),
    "negated": lambda v: -v,
    "rolled by one dimension": lambda v: np.roll(v, 1, axis=1),
}
CHANGED = {
    "scaled": lambda v: 7 * v,
    "float16": lambda v: v.astype(np.float16),
    "two decimals": lambda v: np.round(v, 2),
    "int8": lambda v: np.rint(v * (127 / np.abs(v).max(1, keepdims=True))),
    "signs": np.sign,
    "noise of half the length": lambda v: v + 0.5 * unit(np.random.default_rng(3).standard_normal(v.shape)),
}


@pytest.mark.parametrize("change", STRANGERS)
def test_vectors_of_strangers_are_refused_in_words(minilm, reader, own, asked, change):
    asked["probability"] = 0.01
    found = verify_store(held(STRANGERS[change](own.vectors)), minilm, reader)
    assert found.nearness is not None
    assert found.nearness.cosine < 0.35 < 0.7 < found.nearness.levels.own
    with pytest.raises(
        BadInput, match=r"do not look like minilm's vectors.*fingerprint gives minilm the probability 0\.01"
    ):
        found.settle(False, "v.parquet")
    assert "v.parquet" not in found.settle(True, "v.parquet"), "who insists may go on, and is shown the doubt"
    assert found.settle(True, "v.parquet")


@pytest.mark.parametrize("change", STRANGERS)
def test_what_the_fingerprint_knows_is_doubted_and_not_refused(minilm, reader, own, asked, change):
    asked["probability"] = 0.9
    found = verify_store(held(STRANGERS[change](own.vectors)), minilm, reader)
    assert not found.refused
    assert "0.90" in found.settle(False, "v")


@pytest.mark.parametrize("change", CHANGED)
def test_the_embedders_own_vectors_pass_however_they_are_stored(minilm, reader, own, asked, change):
    found = verify_store(held(CHANGED[change](own.vectors)), minilm, reader)
    assert not found.refused
    assert found.probability is None


def test_plain_vectors_raise_no_doubt(minilm, reader, own, asked):
    assert verify_store(held(own.vectors), minilm, reader).settle(False, "v") == ""
    assert verify_store(held(own.vectors[:1]), minilm, reader).settle(False, "v") == ""


def test_texts_that_came_with_the_vectors_decide(minilm, reader, own, asked):
    """Their cosines are compared by hand here."""
    found = verify_store(own, minilm, reader)
    assert found.known is not None
    assert (found.nearness, found.doubt) == (None, "")
    table = unit(own.vectors) @ unit(own.vectors).T
    off = table[~np.eye(len(table), dtype=bool)].mean()
    assert found.known.own == pytest.approx(1, abs=1e-4)
    assert found.known.others == pytest.approx(off, abs=1e-4)
    asked["probability"] = 0.0
    wrong = verify_store(held(turned(own.vectors), texts=own.texts), minilm, reader)
    assert wrong.refused
    assert "of their texts, embedded again by minilm" in wrong.doubt


def test_texts_of_other_rows_are_doubted_and_not_refused(minilm, reader, own, asked):
    swapped = held(own.vectors, texts=np.roll(own.texts, 1))
    found = verify_store(swapped, minilm, reader)
    assert not found.refused
    assert "of their texts, embedded again" in found.settle(False, "v")


def test_a_provenance_that_names_another_embedder(minilm, reader, own, asked):
    other = Provenance(embedder="bge-small", revision="0123")
    assert claimed_other(other, minilm) == "bge-small"
    assert claimed_other(Provenance(), minilm) == ""
    assert claimed_other(minilm.provenance(), minilm) == ""
    assert claimed_other(replace(minilm.provenance(), embedder="a folder of the same weights"), minilm) == ""
    near = verify_store(held(own.vectors, provenance=other), minilm, reader)
    assert "provenance names bge-small" in near.settle(False, "v")
    asked["probability"] = 0.0
    far = verify_store(held(turned(own.vectors), provenance=other), minilm, reader)
    with pytest.raises(BadInput, match="provenance names bge-small"):
        far.settle(False, "v")


@pytest.mark.parametrize(
    ("cosine", "far", "near"),
    [
        (0.1, True, False),
        (0.1 + 0.8 * FAR + 1e-6, False, False),
        (0.1 + 0.8 * NEAR + 1e-6, False, True),
        (0.9, False, True),
    ],
)
def test_places_between_strangers_and_the_embedders_own(cosine, far, near):
    found = Nearness(8, cosine, Levels(0.9, 0.1))
    assert (found.far, found.near) == (far, near)
    assert bool(found.doubt("e")) == (not near)


def test_an_inverter_that_reads_nothing_refuses_nothing():
    blind = Nearness(8, 0.1, Levels(0.12, 0.1))
    assert (blind.far, blind.near) == (False, True)
    assert KnownTexts(4, 0.27, 0.0).strangers, "bge-small's vectors beside MiniLM's of the same texts"
    assert not KnownTexts(4, 1 / np.sqrt(5), 0.0).strangers, "noise of twice the length"


def test_the_result_of_the_python_call_says_it_too(reader, own):
    fine = reader.invert(held(own.vectors))
    assert fine.doubt == ""
    doubtful = reader.invert(held(turned(own.vectors)))
    assert "do not look like minilm's vectors" in doubtful.doubt
    assert any(doubtful.doubt in getattr(block, "text", "") for block in doubtful.blocks())
    assert type(doubtful).from_json(doubtful.to_json()).doubt == doubtful.doubt


def test_the_control_on_known_texts_fails_for_another_pooling(reader, minilm, monkeypatch):
    assert require_reading(reader, Attacker(minilm)) == ""
    monkeypatch.setitem(reader.__dict__, "levels", Levels(0.12, 0.1))
    with pytest.raises(BadInput, match=r"control on known texts failed.*is this the embedder, with its pooling"):
        require_reading(reader, Attacker(minilm))


def test_a_bulk_run_of_strangers_is_refused_before_it_begins(toy, tmp_path, monkeypatch):
    from workbench.jobs.bulk import invert as stage
    from workbench.jobs.bulk import run_bulk

    toy.embed_set(["a", "b"], TEXTS[:2]).without_texts().save(tmp_path / "in.parquet")
    recipe = {
        "inverter": "nearest",
        "embedder": "toy",
        "weights": False,
        "preset": "fast",
        "queries": 0,
        "checkpoint": "",
    }
    recipe |= {"beams": 0, "corpus": "cfpb", "corpus_texts": 50, "through": "", "language_model": "", "seed": 0}
    stranger = job.Verification("toy", nearness=Nearness(2, 0.1, Levels(0.9, 0.1)), probability=0.0)
    monkeypatch.setattr(stage, "verify_store", lambda *_: stranger)
    with pytest.raises(BadInput, match="do not look like toy's vectors"):
        run_bulk("invert", tmp_path / "in.parquet", tmp_path / "out", recipe, device="cpu")
    assert not (tmp_path / "out").exists()
    assert (
        run_bulk("invert", tmp_path / "in.parquet", tmp_path / "out", recipe, device="cpu", unverified=True).rows == 2
    )


def test_an_audit_of_a_store_of_strangers_is_refused_before_it_begins(toy, tmp_path):
    from workbench.audit.plan import AuditPlan
    from workbench.audit.run import _target

    texts = [f"{text} {number}" for number in range(5) for text in TEXTS]
    made = toy.embed_set([str(i) for i in range(len(texts))], texts)
    made.save(tmp_path / "own.parquet")
    replace(made, vectors=np.random.default_rng(0).standard_normal(made.vectors.shape)).save(tmp_path / "other.parquet")
    own = AuditPlan(store=str(tmp_path / "own.parquet"), embedder="toy", sentences=30)
    other = AuditPlan(store=str(tmp_path / "other.parquet"), embedder="toy", sentences=30)
    assert len(_target(own, toy)[0]) == 40
    with pytest.raises(BadInput, match=r"does not hold toy's vectors of its texts: 16 of their texts.*--unverified"):
        _target(other, toy)
    assert len(_target(other.model_copy(update={"unverified": True}), toy)[0]) == 40
