"""Run an audit: embed, hide the texts, attack, put the texts beside the guesses again, score."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.audit._attacking import Attacking, Case
from workbench.audit._baselines import frequent_words, metadata_alone, random_vectors
from workbench.audit._controls import check_controls
from workbench.audit._examples import record_examples, sentence_examples
from workbench.audit._further import Further
from workbench.audit._groups import group_scores
from workbench.audit._ledger import Ledger
from workbench.audit._personal import read_personal
from workbench.audit.ladder import grid
from workbench.audit.plan import AuditPlan
from workbench.core.bad_rows import SKIPPED
from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.errors import BadInput, require
from workbench.core.labels import Labels, is_missing
from workbench.core.progress import progress
from workbench.core.result import Result
from workbench.core.text import word_count
from workbench.data import corpora, personal
from workbench.data.corpora import Corpus
from workbench.data.stores import read_vectors
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.invert._control import compare_known_texts
from workbench.invert._inverter import PRIOR
from workbench.invert._score import bleu_signature, chrf_signature, score
from workbench.invert._stored_codes import decoded
from workbench.results import AuditResult, Inversions, InversionScores, ScoreTable
from workbench.results.audit_parts import Finding, Policy

log = logging.getLogger(__name__)

_SHOWN = {"title", "examples", "include_plaintext", "severe", "substantial", "gate"}
"""Choices that change the report and no step."""


@dataclass(frozen=True)
class Audit:
    """The audit's own result, and those of its parts (membership, payload, ...) that fill pages of their own."""

    result: AuditResult
    details: tuple[Result, ...] = ()


def run_audit(
    plan: AuditPlan, device: str = "auto", keep: Path | None = None, begun: Callable[[str], None] = log.info
) -> Audit:
    """Carry out a plan. With `keep`, a folder, finished steps are kept there and not done again after a kill.

    `begun` is told about how long it will take, once all that is needed is known to be there.

    Raises AccessDenied, before anything runs, when a threat model does not grant what an attack needs.
    """
    require(plan, AuditPlan, "the plan")
    began = time.monotonic()
    plan.admit()
    embedder = load_embedder(plan.embedder, device)
    attacking = Attacking(plan, embedder, device, Ledger(keep, plan.model_dump(mode="json", exclude=_SHOWN)))
    about = _checkpoint_facts(attacking)
    store, sentences = _target(plan, embedder)
    attacking.store = store if plan.store else None
    records = _short_records(plan)
    texts = set(sentences.ids)
    case = Case.of(sentences, store.select(np.array([str(id) in texts for id in store.ids])), plan.seed)
    planted = Case.of(records.corpus, embedder.embed_set(records.corpus.ids, records.corpus.texts), plan.seed)
    further = Further(plan, attacking, case, store if plan.store else None)

    begun(f"about {plan.cpu_seconds() / 60:.0f} minutes of one core; an audit that is killed goes on when called again")
    with progress("audit", 3 + further.count, "parts") as advance:
        guessed = attacking.invert(plan.main, plan.attack, case.stolen, "sentences")
        blind = attacking.invert(plan.main, plan.attack, case.shuffled, "sentences, shuffled")
        judged = attacking.embedder, sentences.groups
        attack = score(guessed, sentences.texts, *judged, "attack", seed=plan.seed)
        prior = score(blind, sentences.texts, *judged, "prior", f"{plan.attack}, {PRIOR}", plan.seed)
        b5 = random_vectors(attacking, case)
        frequent = frequent_words(attacking, case)
        floors = [*(_floor(attacking, name, case) for name in plan.floors), frequent]
        floors += metadata_alone(attacking, case, attacking.store)
        advance(1)
        controls = check_controls(plan, embedder, case, attack, prior, b5)
        advance(1)
        read = attacking.invert(plan.main, plan.attack, planted.stolen, "records")
        personal_data = read_personal(records, attacking, planted, read)
        advance(1)
        findings = [
            *_main_findings(plan, attack, prior, frequent),
            *personal_data.findings(plan),
            *further.run(advance),
        ]
    signatures = bleu_signature(sentences.texts), chrf_signature()
    labels = _labels(plan, store, sentences)
    threat, masked = plan.main, bool(plan.store) and not plan.include_plaintext
    result = AuditResult(
        title=plan.title,
        plan=plan.model_dump(mode="json"),
        threat={"id": threat.id, "name": threat.name, "grants": threat.grants.name, "description": threat.description},
        embedder=_facts(embedder),
        controls=controls,
        sentences=ScoreTable("Attack and floors on held-out sentences", (attack, *floors, b5, prior), *signatures),
        groups=tuple(group_scores(sentences, _texts(guessed), _texts(blind), labels, plan.seed)),
        recoveries=personal_data.recoveries,
        persons=personal_data.persons,
        examples=tuple(
            sentence_examples(
                sentences.texts, _texts(guessed), _cosines(guessed), plan.examples, plan.seed, masked=masked
            )
        ),
        records=tuple(
            record_examples(records, _texts(read), _cosines(read), plan.examples, plan.seed, plan.include_plaintext)
        ),
        seconds=time.monotonic() - began,
        checkpoint=about,
        findings=tuple(findings),
        cells=tuple(grid(plan.asked(), further.skipped, findings)),
        policy=Policy(plan.severe, plan.substantial),
        others=tuple(further.tables),
        costs=tuple(further.costs([(threat.name, guessed)])),
        lost=store.provenance.lost if plan.store else (),
        left_out=(*(_left_out(plan, store) if plan.store else ()), *_without(labels)),
    )
    return Audit(result, tuple(further.details))


def _target(plan: AuditPlan, embedder: Embedder) -> tuple[EmbeddingSet, Corpus]:
    """All stolen vectors with their texts, and the sentences among them that are scored."""
    if not plan.store:
        sentences = corpora.load(plan.corpus, "test")
        short = np.array([word_count(text) <= plan.max_words for text in sentences.texts])
        sentences = sentences.where(short).head(plan.sentences)
        return embedder.embed_set(sentences.ids, sentences.texts, plan.seed), sentences
    store, _ = read_vectors(plan.store, plan.on_bad_rows)
    store = decoded(store, embedder)
    store.require_dim(embedder.spec.dim, plan.embedder)
    if store.texts is None:
        raise BadInput(
            f"{plan.store} holds no texts, so nothing that is read from it can be scored; name their column (?text=...)"
            ", or look at it with `workbench payload`, `workbench fingerprint` and `workbench invert`"
        )
    if not plan.unverified:
        _require_own(store, plan, embedder)
    short = _short_rows(plan, store)
    if len(short) < 30:
        raise BadInput(f"{plan.store} holds {len(short)} texts of at most {plan.max_words} words; expected 30 or more")
    rows = np.sort(np.random.default_rng(plan.seed).permutation(short)[: plan.sentences])
    ids = tuple(str(store.ids[row]) for row in rows)
    return store, Corpus("store", ids, tuple(str(store.texts[row]) for row in rows), ids)


def _short_rows(plan: AuditPlan, store: EmbeddingSet) -> list[int]:
    """Rows whose text can be scored."""
    texts = [] if store.texts is None else store.texts
    return [row for row, text in enumerate(texts) if text and 0 < word_count(text) <= plan.max_words]


def _left_out(plan: AuditPlan, store: EmbeddingSet) -> tuple[str, ...]:
    """Which rows of the store were skipped as bad, and how many have no text that is scored."""
    skipped = tuple(note for note in store.provenance.notes if note.startswith(SKIPPED))
    unscored = len(store) - len(_short_rows(plan, store))
    said = f"{unscored:,} of {len(store):,} have no text of at most {plan.max_words} words and are not scored"
    return (*skipped, said) if unscored else skipped


def _require_own(store: EmbeddingSet, plan: AuditPlan, embedder: Embedder) -> None:
    """The control on known texts before anything long: raises BadInput for vectors of another embedder."""
    known = compare_known_texts(embedder, store)
    if known is not None and known.strangers:
        made = store.provenance.embedder
        said = "" if made in (plan.embedder, Provenance().embedder) else f"; its provenance names {made}"
        raise BadInput(
            f"{plan.store} does not hold {plan.embedder}'s vectors of its texts: {known.words(plan.embedder)}{said}. "
            "Name the embedder that made them (--embedder; `workbench fingerprint` compares several), or go on all the "
            "same with --unverified"
        )


def _short_records(plan: AuditPlan) -> personal.PersonalCorpus:
    short: list[int] = []
    for times in (2, 4, 8, 16):  # a larger number of records begins with those of a smaller one
        records = personal.load("test", times * plan.records, plan.seed)
        short = [i for i, text in enumerate(records.corpus.texts) if word_count(text) <= plan.max_words]
        if len(short) >= plan.records:
            return records.where(np.array(short[: plan.records]))
    raise BadInput(
        f"{len(short)} of {16 * plan.records} records have at most {plan.max_words} words; the plan asks for "
        f"{plan.records}; raise max_words, or ask for fewer"
    )


def _floor(attacking: Attacking, name: str, case: Case) -> InversionScores:
    corpus, plan = case.corpus, attacking.plan
    found = attacking.invert(plan.main, name, case.stolen, "sentences")
    return score(found, corpus.texts, attacking.embedder, corpus.groups, "floor", seed=plan.seed)


def _labels(plan: AuditPlan, store: EmbeddingSet, sentences: Corpus) -> dict[str, tuple[str, ...]]:
    """The store's label that the plan names, of the sentences that are scored."""
    if plan.label not in store.labels:
        return {}
    if all(map(is_missing, store.labels[plan.label])):
        return {plan.label: ("",) * len(sentences)}
    column = Labels.of(store.labels[plan.label], None, f"label {plan.label!r}")
    if column.numbers and not column.whole:
        said = ["" if value is None else str(value) for value in column.values]
    else:
        names, codes = column.classes()
        said = ["" if code < 0 else names[code] for code in codes]
    told = dict(zip(map(str, store.ids), said, strict=True))
    return {plan.label: tuple(told[id] for id in sentences.ids)}


def _without(labels: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Labels that some of the hidden sentences lack, in words."""
    return tuple(
        f"label {name!r}: {column.count(''):,} of {len(column):,} hidden sentences have no value and are left out"
        for name, column in labels.items()
        if "" in column
    )


def _main_findings(
    plan: AuditPlan, attack: InversionScores, prior: InversionScores, frequent: InversionScores
) -> list[Finding]:
    """Words and whole sentences, beyond what is had without access: the language prior or the most frequent words."""
    policy = Policy(plan.severe, plan.substantial)
    return [
        Finding.of(plan.threat, plan.attack, measure, value, max(floors, key=lambda floor: floor.value), policy)
        for measure, value in attack.leaks().items()
        for floors in [(prior.leaks()[measure], frequent.leaks()[measure])]
    ]


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


def _checkpoint_facts(attacking: Attacking) -> dict[str, Any]:
    _, card = attacking.attacker(attacking.plan.main).open_checkpoint()
    return {
        "name": card.name,
        "trained on": ", ".join(f"{part['texts']:,} texts of {part['name']}" for part in card.data),
        "steps": card.training.get("steps"),
        "licence": card.licence,
    }
