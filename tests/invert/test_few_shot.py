"""Attacks that never ask the victim: a secret rotation of the toy embedder, read through the toy embedder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.core.access import KNOWN_ENCODER, LEAKED_PAIRS, OPEN_WEIGHTS, STOLEN_STORE, Access, granting
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import AccessDenied, BadInput
from workbench.data import corpora
from workbench.data.corpora import Corpus
from workbench.embed._embedder import EmbedderSpec
from workbench.embed.toy import Toy
from workbench.invert import INVERTERS, open_inverter
from workbench.invert._align import LinearMap
from workbench.invert._aligned import Aligned
from workbench.invert._inverter import Attacker, shuffled
from workbench.invert.few_shot import FewShot
from workbench.invert.nearest import Nearest
from workbench.invert.unpaired import Unpaired
from workbench.jobs.invert_texts import invert_texts

WORDS = ["bank", "account", "money", "letter", "river", "house", "cat", "mat", "reason", "closed", "married", "without"]


class Victim(Toy):
    """The toy embedder behind a secret rotation."""

    def __init__(self):
        super().__init__()
        self.spec = EmbedderSpec("victim", "1", 64, normalised=True, max_tokens=0)
        self._secret = np.linalg.qr(np.random.default_rng(5).standard_normal((64, 64)))[0]

    def forward(self, texts):
        return (super().forward(texts) @ self._secret).astype(np.float32)


def texts(n, seed):
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, size=random.integers(3, 8))) for _ in range(n)]


@pytest.fixture
def public(monkeypatch):
    """A corpus in place of the shipped ones, so that nothing is fetched."""
    all_texts = tuple(dict.fromkeys(texts(900, 0)))
    ids = tuple(str(i) for i in range(len(all_texts)))
    monkeypatch.setattr(corpora, "load", lambda name, split, limit: Corpus(name, ids, all_texts, ids).head(limit))
    return all_texts


@pytest.fixture(autouse=True)
def cache_here(monkeypatch, tmp_path):
    monkeypatch.setattr("workbench.embed._vector_cache.cache_folder", lambda: tmp_path)


@pytest.fixture
def victim():
    return Victim()


def attacker_of(victim, **options):
    given = {"known": "toy", "through": "nearest", "corpus_texts": 500, "samples": 500, "device": "cpu"}
    return Attacker(victim, **{"threat": LEAKED_PAIRS, **given, **options})


def pairs_of(victim, n=80):
    return victim.embed_set([f"p{i}" for i in range(n)], texts(n, 1))


def test_a_rotation_is_read_through_pairs_and_the_victim_is_never_asked(victim, public):
    hidden = list(public[:20])
    stolen = victim.embed_set([f"s{i}" for i in range(20)], hidden).without_texts()
    pairs, before = pairs_of(victim), victim.queries
    attack = open_inverter("few-shot", attacker_of(victim, pairs=pairs))
    found = attack.invert(stolen)
    assert list(found.texts) == hidden
    assert found.method == "few-shot"
    assert found.cosines == pytest.approx(1.0, abs=1e-3)
    assert victim.queries == before
    assert attack.dim == 64
    assert attack.embedder.spec.name == "toy"


def test_cosines_are_those_of_the_known_space(victim, public):
    attack = open_inverter("few-shot", attacker_of(victim, pairs=pairs_of(victim, 12)))
    stolen = victim.embed_set(["a", "b"], ["the cat", "a river"]).without_texts()
    found = attack.invert(stolen)
    again = Toy().embed(list(found.texts))
    assert found.cosines == pytest.approx((again * attack.seen(stolen.vectors)).sum(1), abs=1e-6)


def test_shuffled_vectors_give_other_texts(victim, public):
    attack = open_inverter("few-shot", attacker_of(victim, pairs=pairs_of(victim)))
    stolen = victim.embed_set([f"s{i}" for i in range(20)], list(public[:20])).without_texts()
    blind = attack.invert(shuffled(stolen))
    assert not (blind.texts == np.array(public[:20], dtype=object)).any()


def test_the_shape_of_a_store_is_enough(victim, public):
    store = victim.embed_set([f"s{i}" for i in range(400)], texts(400, 9)).without_texts()
    before = victim.queries
    attack = open_inverter("unpaired", attacker_of(victim, threat=STOLEN_STORE, store=store))
    found = attack.invert(store.select(slice(0, 5)))
    assert len(found) == 5
    assert victim.queries == before
    assert np.isfinite(found.cosines).all()


def test_the_shape_of_a_store_makes_much_of_few_pairs(victim, public):
    """Six pairs tell of six directions; a store of others' vectors tells of the rest."""
    hidden = list(public[:40])
    stolen = victim.embed_set([f"s{i}" for i in range(40)], hidden).without_texts()
    store = victim.embed_set([f"o{i}" for i in range(1500)], texts(1500, 9)).without_texts()
    few, before = attacker_of(victim, pairs=pairs_of(victim, 6)), victim.queries
    alone, both = (open_inverter("few-shot", replace(few, store=held)) for held in (store.select(slice(9)), store))
    assert (alone.to_known.kind, both.to_known.kind) == ("procrustes", "seeded")
    assert both.to_known.held_out > 0.9
    right = [(each.invert(stolen).texts == hidden).mean() for each in (alone, both)]
    assert right[1] > 0.9 > 0.5 > right[0]
    assert victim.queries == before


def test_texts_with_pairs_beside_mapped_floors(victim, public):
    hidden = texts(12, 3)
    ids = tuple(str(i) for i in range(12))
    attacker = attacker_of(victim, through="nearest")
    found, table = invert_texts(
        Corpus("own", ids, tuple(hidden), ids), "few-shot", attacker, floors=False, pair_texts=90
    )
    assert len(found) == 12
    assert [score.method for score in table.scores] == ["few-shot"]
    assert table.scores[0].token_f1.value > 0.6


def test_the_same_map_goes_with_another_inverter(victim, public):
    attack = open_inverter("few-shot", attacker_of(victim, pairs=pairs_of(victim)))
    assert isinstance(attack, FewShot)
    other = attack.behind(Nearest(Toy(), ["one", "two"], Toy().embed(["one", "two"])))
    assert other.to_known is attack.to_known
    assert set(other.invert(pairs_of(victim, 9).without_texts()).texts) <= {"one", "two"}


def test_every_level_of_access_has_its_threat_model():
    assert [granting(level) for level in Access] == [STOLEN_STORE, LEAKED_PAIRS, KNOWN_ENCODER, OPEN_WEIGHTS]


@pytest.mark.parametrize("threat", [STOLEN_STORE, LEAKED_PAIRS])
@pytest.mark.parametrize("name", INVERTERS.names())
def test_who_is_granted_less_is_refused_by_name(name, threat, victim):
    needs = INVERTERS.load(name).needs
    if needs <= threat.grants:
        threat.admit(name, needs)
        return
    message = f"{name} needs {needs.name}; threat model '{threat.name}' grants {threat.grants.name}"
    with pytest.raises(AccessDenied, match=message):
        open_inverter(name, attacker_of(victim, threat=threat))


def test_few_shot_says_what_it_lacks(victim, public):
    with pytest.raises(BadInput, match="few-shot needs pairs: some texts with the victim's vectors"):
        open_inverter("few-shot", attacker_of(victim))
    with pytest.raises(BadInput, match="these vectors come without their texts"):
        open_inverter("few-shot", attacker_of(victim, pairs=pairs_of(victim).without_texts()))
    with pytest.raises(BadInput, match="at least 2 pairs; got 1"):
        open_inverter("few-shot", attacker_of(victim, pairs=pairs_of(victim, 1)))
    with pytest.raises(BadInput, match="few-shot maps vectors itself"):
        open_inverter("few-shot", attacker_of(victim, pairs=pairs_of(victim), through="few-shot"))
    with pytest.raises(BadInput, match="workbench train inverter --embedder toy"):
        open_inverter("few-shot", attacker_of(victim, pairs=pairs_of(victim), through="hypothesis"))
    store = Toy().embed_set(["a"], ["cat"]).without_texts()
    with pytest.raises(BadInput, match="the map of these pairs expects 64"):
        open_inverter(
            "few-shot", attacker_of(victim, pairs=pairs_of(victim), store=replace(store, vectors=store.vectors[:, :9]))
        )


def test_unpaired_says_what_it_lacks(victim):
    with pytest.raises(BadInput, match="at least 200 stolen vectors, better thousands; got 0"):
        open_inverter("unpaired", attacker_of(victim))
    with pytest.raises(BadInput, match="better thousands; got 80"):
        open_inverter("unpaired", attacker_of(victim, store=pairs_of(victim).without_texts()))


def test_bad_pairs_and_vectors_of_another_dimension_are_refused(victim, public):
    vectors = victim.embed(["a", "b"])
    with pytest.raises(BadInput, match="ids must be unique"):
        EmbeddingSet(np.array(["a", "a"], dtype=object), vectors, np.array(["a", "b"], dtype=object))
    with pytest.raises(BadInput, match=r"row 1 \(id 'b'\) holds NaN"):
        EmbeddingSet(np.array(["a", "b"], dtype=object), vectors * np.array([[1.0], [np.nan]]))
    attack = open_inverter("few-shot", attacker_of(victim, pairs=pairs_of(victim)))
    with pytest.raises(BadInput, match="vectors have 7 dimensions; the few-shot inverter expects 64"):
        attack.invert(EmbeddingSet(np.array(["a"], dtype=object), np.ones((1, 7))))


@pytest.mark.parametrize("cls", [FewShot, Unpaired])
def test_a_map_to_another_space_is_refused(cls):
    known = Nearest(Toy(), ["one"], Toy().embed(["one"]))
    assert issubclass(cls, Aligned)
    with pytest.raises(BadInput, match="the map leads to 3 dimensions; the nearest inverter expects 64"):
        cls(known, LinearMap(np.ones((5, 3)), np.zeros(5), np.zeros(3), "ridge"))
