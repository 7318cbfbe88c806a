"""Score inversions against the hidden texts. Only the one who audits may call this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from workbench.core.errors import BadInput, as_texts, require
from workbench.core.estimate import mean, mean_share, proportion
from workbench.core.text import normalise
from workbench.embed._embedder import Embedder
from workbench.invert._inverter import cosine
from workbench.results import Inversions, InversionScores
from workbench.results.scores import Role


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
        exact=proportion(int(exact_match(guesses, truth).sum()), len(truth)),
        cosine=mean(similarity, groups, seed),
    )


def exact_match(guesses: Sequence[str], truth: Sequence[str]) -> np.ndarray:
    """Whether each text is read whole, in its normal form."""
    return np.array([normalise(guess) == normalise(text) for guess, text in zip(guesses, truth, strict=True)])


def token_f1(guesses: Sequence[str], truth: Sequence[str]) -> np.ndarray:
    """F1 of the multisets of normalised words, for each text, in 0 .. 1. Two texts without words agree."""
    out = np.empty(len(truth))
    for i, (guess, text) in enumerate(zip(guesses, truth, strict=True)):
        a, b = Counter(normalise(guess).split()), Counter(normalise(text).split())
        total = a.total() + b.total()
        out[i] = 2 * (a & b).total() / total if total else 1.0
    return out


def sentence_bleu(guesses: Sequence[str], truth: Sequence[str]) -> np.ndarray:
    """Sentence BLEU of sacrebleu, lower-cased, in 0 .. 1."""
    metric = _bleu()
    return np.array([metric.sentence_score(g, [t]).score / 100 for g, t in zip(guesses, truth, strict=True)])


def bleu_signature() -> str:
    """sacrebleu's signature of `sentence_bleu`."""
    metric = _bleu()
    metric.sentence_score("a", ["a"])
    return str(metric.get_signature())


def _bleu():  # noqa: ANN202  # sacrebleu is imported only when it is used
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(lowercase=True, effective_order=True)
