"""Controls of an audit: what must hold for its numbers to mean anything."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.audit._attacking import Case
from workbench.audit.plan import AuditPlan
from workbench.core.text import normalise
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.invert._inverter import cosine
from workbench.invert.nearest import Nearest
from workbench.results import Control, InversionScores

_SAME = 0.9999


def check_controls(
    plan: AuditPlan, embedder: Embedder, case: Case, scores: Sequence[InversionScores]
) -> tuple[Control, ...]:
    """Positive: known texts must be found again by their vectors. Negative: shuffled vectors must give no more away.

    `scores` begin with the attack and end with its prior.
    """
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
