"""Controls of an audit: what must hold for its numbers to mean anything."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.audit._attacking import Case
from workbench.audit.plan import AuditPlan
from workbench.core.estimate import difference
from workbench.core.text import normalise
from workbench.core.vectors import unit
from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.invert._inverter import cosine
from workbench.invert._score import exact_match
from workbench.invert.nearest import Nearest
from workbench.results import Control, InversionScores

_SAME = 0.9999
_ABOUT = 0.02
"""Token F1 by which a pipeline that reads nothing may surely lie above the prior."""
_BY_CHANCE = 0.01


def check_controls(
    plan: AuditPlan,
    embedder: Embedder,
    case: Case,
    attack: InversionScores,
    prior: InversionScores,
    b5: InversionScores,
) -> tuple[Control, ...]:
    """Positive: known texts must be found again by their vectors. Negative: texts that are not there must not be found,
    and shuffled vectors and those of a random encoder (`b5`) must give no more away than the attack writes anyway.
    """
    texts = case.corpus.texts[: plan.canaries]
    again = load_embedder(plan.embedder, "cpu").embed(texts)
    same = cosine(again, case.stolen.vectors[: plan.canaries])
    known = case.corpus.texts
    dictionary = Nearest(embedder, known, case.stolen.vectors)
    found = dictionary.guess(again)
    hits = int(exact_match(found, texts).sum())
    strangers = _strangers(plan, known)
    near = (unit(embedder.embed(strangers)) @ unit(case.stolen.vectors).T).max(1)
    lossy = bool(case.stolen.provenance.lost)  # quantised vectors are nearer to their own texts than to any other's
    least, why = (float(near.max()), ", that of the nearest text that is not there,") if lossy else (_SAME, "")
    taken = near >= (float(same.min()) if lossy else _SAME)
    more = difference(b5.token_f1, prior.token_f1)
    return (
        Control(
            "round trip",
            bool((same > least).all() if lossy else (same >= least).all()),
            f"{len(texts)} known texts embedded afresh: lowest cosine to the store's vector {same.min():.6f}, "
            f"{'over' if lossy else 'at least'} {least:.4f}{why} expected",
        ),
        Control(
            "canaries",
            hits == len(texts),
            f"{hits} of {len(texts)} known texts found again among {len(known)} by their vector alone",
        ),
        Control(
            "strangers",
            not taken.any(),
            f"{int(taken.sum())} of {len(strangers)} public texts that are not there taken for one that is; "
            f"highest cosine {near.max():.3f}",
        ),
        Control(
            "shuffled vectors",
            prior.token_f1.value < attack.token_f1.value and prior.exact.value <= _BY_CHANCE,
            f"token F1 {prior.token_f1.text()} and exact match {prior.exact.text()} when every vector is another's",
        ),
        Control(
            "random encoder",
            more.low <= _ABOUT and b5.exact.value <= _BY_CHANCE,
            f"token F1 {b5.token_f1.text()} on {b5.exact.n} vectors of an encoder that has learnt nothing, "
            f"{more.value:+.3f} {more.interval(3)} beside shuffled ones; 0 expected",
        ),
    )


def _strangers(plan: AuditPlan, known: Sequence[str]) -> list[str]:
    """Texts of the same public corpus, from a split that nothing was taken from, and none of the known ones."""
    there = {normalise(text) for text in known}
    others = corpora.load(plan.corpus, "validation", 20 * plan.canaries).texts
    return [text for text in others if normalise(text) not in there][: plan.canaries]
