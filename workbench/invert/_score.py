"""Score inversions against the hidden texts. Only the one who audits may call this."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.errors import BadInput, as_texts, require
from workbench.core.estimate import mean_share
from workbench.core.means import hit_share, mean_cosine
from workbench.embed._embedder import Embedder
from workbench.invert._inverter import cosine
from workbench.invert._text_metrics import (
    bleu_signature,
    chrf_signature,
    exact_match,
    sentence_bleu,
    sentence_chrf,
    string_match,
    token_f1,
)
from workbench.results import Inversions, InversionScores
from workbench.results.scores import Role

__all__ = [
    "bleu_signature",
    "chrf_signature",
    "exact_match",
    "score",
    "sentence_bleu",
    "sentence_chrf",
    "string_match",
    "token_f1",
]


def score(
    inversions: Inversions,
    truth: Sequence[str],
    embedder: Embedder,
    groups: Sequence[str] | None = None,
    role: Role = "attack",
    name: str = "",
    seed: int = 0,
) -> InversionScores:
    """Scores with 95% intervals; `groups` (documents) are resampled whole where given.

    The cosine is between each true text's vector and its reconstruction's, by `embedder`, whatever vector the inverter
    was shown. Raises BadInput where texts or groups are not as many as inversions.
    """
    require(inversions, Inversions, "inversions")
    require(embedder, Embedder, "embedder")
    truth = as_texts(truth, "truth")
    if groups is not None and len(groups) != len(truth):
        raise BadInput(f"{len(groups)} groups but {len(truth)} true texts; expected as many")
    if len(inversions) != len(truth) or not len(truth):
        raise BadInput(f"{len(inversions)} inversions but {len(truth)} true texts; expected as many, and at least one")
    guesses = list(inversions.texts)
    similarity = cosine(embedder.embed(list(truth)), embedder.embed(guesses))
    return InversionScores(
        method=name or inversions.method,
        role=role,
        bleu=mean_share(sentence_bleu(guesses, truth), groups, seed),
        token_f1=mean_share(token_f1(guesses, truth), groups, seed),
        exact=hit_share(exact_match(guesses, truth), groups, seed),
        cosine=mean_cosine(similarity, groups, seed),
        chrf=mean_share(sentence_chrf(guesses, truth), groups, seed),
        string_exact=hit_share(string_match(guesses, truth), groups, seed),
    )
