"""What is had without vectors: the most frequent words, and a store's own metadata."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.audit._attacking import Attacking, Case
from workbench.audit._baselines import frequent_words, metadata_alone
from workbench.audit._controls import check_controls
from workbench.audit._ledger import Ledger
from workbench.audit.plan import AuditPlan
from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.data import corpora
from workbench.data.corpora import Corpus
from workbench.invert._score import score
from workbench.results import Inversions


@pytest.fixture(scope="module")
def attacking(toy):
    return Attacking(AuditPlan(embedder="toy", corpus="cfpb"), toy, "cpu", Ledger(None, {}))


@pytest.fixture(scope="module")
def case(toy):
    hidden = corpora.load("cfpb", "test", 40)
    return Case.of(hidden, toy.embed_set(hidden.ids, hidden.texts), 0)


def test_frequent_words_are_a_floor_of_words_and_of_no_sentence(attacking, case):
    found = frequent_words(attacking, case)
    assert found.role == "floor" and 0.1 < found.token_f1.value < 0.4
    assert found.exact.value == 0.0


def test_metadata_is_read_as_if_it_were_the_text(attacking, toy):
    texts = tuple(f"the invoice of customer {n}" for n in range(12))
    ids = tuple(f"doc-{n}" for n in range(12))
    hidden = Corpus("store", ids, texts, ids)
    columns = {"subject": np.array([f"invoice customer {n}" for n in range(12)], object)}
    held = EmbeddingSet(np.array(ids[::-1], object), toy.embed(texts[::-1]), np.array(texts[::-1], object), columns)
    columns["subject"] = columns["subject"][::-1]
    held = EmbeddingSet(held.ids, held.vectors, held.texts, columns)
    case = Case.of(hidden, toy.embed_set(ids, texts), 0)
    (found,) = metadata_alone(attacking, case, held)
    assert 0.5 < found.token_f1.value < 0.7, "three words of five, and an id too many"
    assert metadata_alone(attacking, case, None) == []


def told(texts, case, toy, role):
    n = len(texts)
    read = Inversions(role, np.array(case.corpus.ids, object), np.array(texts, object), None, np.zeros(n, int), 0, 0.0)
    return score(read, case.corpus.texts, toy, case.corpus.groups, role)


def test_controls_fail_where_what_says_nothing_is_read(attacking, case, toy):
    """An attack that reads as much from an untrained encoder as from the true one has read nothing off either."""
    truth, blank = list(case.corpus.texts), ["something else"] * len(case.corpus)
    attack, prior = told(truth, case, toy, "attack"), told(blank, case, toy, "prior")
    fine = {each.name: each.passed for each in check_controls(attacking.plan, toy, case, attack, prior, prior)}
    assert fine == dict.fromkeys(("round trip", "canaries", "strangers", "shuffled vectors", "random encoder"), True)
    broken = {each.name: each.passed for each in check_controls(attacking.plan, toy, case, attack, prior, attack)}
    assert [name for name, passed in broken.items() if not passed] == ["random encoder"]
    broken = {each.name: each.passed for each in check_controls(attacking.plan, toy, case, attack, attack, prior)}
    assert [name for name, passed in broken.items() if not passed] == ["shuffled vectors"]


def test_a_lossy_copy_is_known_by_its_own_texts(attacking, case, toy):
    """Codes miss their texts' vectors by more than rounding does, but no other text is as near; vectors of other texts
    fail all the same."""
    truth, blank = list(case.corpus.texts), ["something else"] * len(case.corpus)
    attack, prior = told(truth, case, toy, "attack"), told(blank, case, toy, "prior")
    lost = Provenance(notes=("vectors are quantised to 8 bits a number",))
    noise = np.random.default_rng(0).standard_normal(case.stolen.vectors.shape) * 0.02
    rough = EmbeddingSet(case.stolen.ids, (case.stolen.vectors + noise).astype(np.float32), provenance=lost)
    assert rough.provenance.lost

    def controls(stolen):
        found = check_controls(attacking.plan, toy, Case.of(case.corpus, stolen, 0), attack, prior, prior)
        return {each.name: each.passed for each in found}

    assert all(controls(rough).values())
    assert not controls(replace(rough, provenance=Provenance()))["round trip"], "no copy that is said to be whole"
    others = EmbeddingSet(rough.ids, np.roll(rough.vectors, 1, axis=0), provenance=lost)
    assert not controls(others)["round trip"]
