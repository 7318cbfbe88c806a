"""Run an audit: embed, hide the texts, attack, put the texts beside the guesses again, score."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.audit._examples import record_examples, sentence_examples
from workbench.audit._planted import frequent_values, recoveries
from workbench.audit.plan import THREATS, AuditPlan
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.core.text import normalise
from workbench.data import corpora, personal
from workbench.data.corpora import Corpus
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.invert import open_inverter
from workbench.invert._inverter import PRIOR, Attacker, Inverter, cosine, shuffled
from workbench.invert._score import bleu_signature, score
from workbench.invert.nearest import Nearest
from workbench.results import AuditResult, Control, Inversions, InversionScores, Recovery, ScoreTable

log = logging.getLogger(__name__)

_SAME = 0.9999
_LENGTHS = ((1, 8), (9, 14), (15, 20), (21, 30), (31, 60))


@dataclass(frozen=True)
class _Case:
    """One set of hidden texts, as the attacker sees it: the true vectors, and the same ones shuffled."""

    corpus: Corpus
    stolen: EmbeddingSet
    shuffled: EmbeddingSet


def run_audit(plan: AuditPlan, device: str = "auto") -> AuditResult:
    """Carry out a plan. Raises AccessDenied when the threat model does not grant what an attack needs."""
    began = time.monotonic()
    embedder = load_embedder(plan.embedder, device)
    threat = THREATS[plan.threat]
    attacker = Attacker(
        embedder, threat, plan.corpus, plan.attacker_texts, plan.checkpoint, plan.beams, plan.preset, device=device
    )
    attack = open_inverter(plan.attack, attacker)
    floors = [open_inverter(name, attacker) for name in plan.floors]

    sentences = corpora.load(plan.corpus, "test")
    short = np.array([len(text.split()) <= plan.max_words for text in sentences.texts])
    sentences = sentences.where(short).head(plan.sentences)
    records = _short_records(plan)
    case = _case(embedder, sentences, plan.seed)
    planted = _case(embedder, records.corpus, plan.seed)

    log.info("invert %d sentences and %d records by %s", len(sentences), len(records), attack.name)
    guessed = attack.invert(case.stolen)
    blind = attack.invert(case.shuffled)
    scores = [
        score(guessed, sentences.texts, embedder, sentences.groups, "attack", seed=plan.seed),
        *(_score_floor(floor, case, embedder, plan.seed) for floor in floors),
        score(blind, sentences.texts, embedder, sentences.groups, "prior", f"{attack.name}, {PRIOR}", plan.seed),
    ]
    read = attack.invert(planted.stolen)
    found = _personal(plan, records, attack, floors, planted, read)
    signature = bleu_signature()
    return AuditResult(
        title=plan.title,
        plan=plan.model_dump(mode="json"),
        threat={"id": threat.id, "name": threat.name, "grants": threat.grants.name, "description": threat.description},
        embedder=_facts(embedder),
        controls=_controls(plan, embedder, case, scores),
        sentences=ScoreTable("Attack and floors on held-out sentences", tuple(scores), signature),
        lengths=ScoreTable(
            f"{attack.name} by length of the hidden sentence", _by_length(guessed, case, embedder, plan.seed), signature
        ),
        recoveries=tuple(found),
        examples=tuple(sentence_examples(sentences.texts, _texts(guessed), _cosines(guessed), plan.examples)),
        records=tuple(record_examples(records, _texts(read), _cosines(read), plan.examples)),
        seconds=time.monotonic() - began,
        checkpoint=_checkpoint_facts(attacker),
    )


def _case(embedder: Embedder, corpus: Corpus, seed: int) -> _Case:
    vectors = embedder.embed_set(corpus.ids, corpus.texts, seed)
    stolen = vectors.without_texts()
    return _Case(corpus, stolen, shuffled(stolen, seed))


def _short_records(plan: AuditPlan) -> personal.PersonalCorpus:
    records = personal.load("test", 2 * plan.records, plan.seed)
    short = [i for i, text in enumerate(records.corpus.texts) if len(text.split()) <= plan.max_words]
    if len(short) < plan.records:
        raise BadInput(
            f"only {len(short)} records have at most {plan.max_words} words; the plan asks for {plan.records}"
        )
    return records.where(np.array(short[: plan.records]))


def _score_floor(floor: Inverter, case: _Case, embedder: Embedder, seed: int) -> InversionScores:
    corpus = case.corpus
    return score(floor.invert(case.stolen), corpus.texts, embedder, corpus.groups, "floor", seed=seed)


def _personal(
    plan: AuditPlan,
    records: personal.PersonalCorpus,
    attack: Inverter,
    floors: list[Inverter],
    case: _Case,
    read: Inversions,
) -> list[Recovery]:
    """The attack with its prior, each floor, and the most frequent value of each kind as a blind guess."""
    blind = attack.invert(case.shuffled)
    found = recoveries(records, _texts(read), attack.name, _texts(blind))
    for floor in floors:
        found += recoveries(records, _texts(floor.invert(case.stolen)), floor.name)
    found += recoveries(records, _texts(blind), f"{attack.name}, {PRIOR}")
    guess = " ".join(frequent_values(personal.load("train", 2000, plan.seed)).values())
    found += recoveries(records, [guess] * len(records), "most frequent value")
    kinds = list(dict.fromkeys(r.kind for r in found))
    return sorted(found, key=lambda r: kinds.index(r.kind))


def _controls(plan: AuditPlan, embedder: Embedder, case: _Case, scores: list[InversionScores]) -> tuple[Control, ...]:
    """Positive: known texts must be found again by their vectors. Negative: shuffled vectors must give no more away."""
    texts = case.corpus.texts[: plan.canaries]
    again = load_embedder(plan.embedder, "cpu").embed(texts)
    same = cosine(again, case.stolen.vectors[: plan.canaries])
    known = case.corpus.texts
    dictionary = Nearest(embedder, known, case.stolen.vectors)
    found = dictionary.guess(again)
    hits = sum(normalise(a) == normalise(b) for a, b in zip(found, texts, strict=True))
    attack, prior = scores[0], scores[-1]
    return (
        Control(
            "round trip",
            bool((same >= _SAME).all()),
            f"{len(texts)} known texts embedded afresh: lowest cosine to the store's vector {same.min():.6f}, "
            f"at least {_SAME} expected",
        ),
        Control(
            "canaries",
            hits == len(texts),
            f"{hits} of {len(texts)} known texts found again among {len(known)} by their vector alone",
        ),
        Control(
            "shuffled vectors",
            prior.token_f1.value < attack.token_f1.value and prior.exact.value <= 0.01,
            f"token F1 {prior.token_f1.text()} and exact match {prior.exact.text()} when every vector is another's",
        ),
    )


def _by_length(guessed: Inversions, case: _Case, embedder: Embedder, seed: int) -> tuple[InversionScores, ...]:
    words = np.array([len(text.split()) for text in case.corpus.texts])
    out = []
    for low, high in _LENGTHS:
        rows = np.flatnonzero((words >= low) & (words <= high))
        if len(rows) >= 5:
            part = Inversions(
                guessed.method,
                guessed.ids[rows],
                guessed.texts[rows],
                _cosines(guessed)[rows],
                guessed.rounds[rows],
                0,
                0.0,
            )
            hidden, name = case.corpus.where(rows), f"{low} to {high} words (n = {len(rows)})"
            out.append(score(part, hidden.texts, embedder, hidden.groups, "attack", name, seed))
    return tuple(out)


def _texts(inversions: Inversions) -> list[str]:
    return list(inversions.texts)


def _cosines(inversions: Inversions) -> np.ndarray:
    assert inversions.cosines is not None  # an audit can always ask the embedder
    return inversions.cosines


def _facts(embedder: Embedder) -> dict[str, Any]:
    provenance = embedder.provenance()
    return {
        "embedder": embedder.spec.name,
        "revision": embedder.spec.revision,
        "dimensions": embedder.spec.dim,
        "normalised": embedder.spec.normalised,
        "versions": dict(provenance.versions),
    }


def _checkpoint_facts(attacker: Attacker) -> dict[str, Any]:
    _, card = attacker.open_checkpoint()
    return {
        "name": card.name,
        "trained on": ", ".join(f"{part['texts']:,} texts of {part['name']}" for part in card.data),
        "steps": card.training.get("steps"),
        "licence": card.licence,
    }
