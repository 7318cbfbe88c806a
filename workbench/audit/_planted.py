"""How much planted personal data stands in a reconstruction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from workbench.core.estimate import Estimate, difference, mean_share, proportion
from workbench.core.text import normalise
from workbench.data.personal import KINDS, PersonalCorpus
from workbench.results import Recovery


def holds(text: str, value: str) -> bool:
    """Whether the normalised words of `value` stand in `text`, whole and in order."""
    return f" {normalise(value)} " in f" {normalise(text)} "


def share(text: str, value: str) -> float:
    """Share of the value's normalised words that stand anywhere in `text`."""
    words = normalise(value).split()
    found = set(normalise(text).split())
    return sum(word in found for word in words) / len(words)


def recoveries(
    records: PersonalCorpus, texts: Sequence[str], method: str, prior: Sequence[str] | None = None
) -> list[Recovery]:
    """Recovery of each kind by one method; `prior` holds the same method's texts for shuffled vectors.

    Values are counted one by one with Wilson intervals; partial recovery is resampled by record.
    """
    out = []
    for kind in KINDS:
        values = [
            (row, text[span.start : span.end])
            for row, (text, spans) in enumerate(zip(records.corpus.texts, records.spans, strict=True))
            for span in spans
            if span.kind == kind
        ]
        if not values:
            continue
        exact = _found(values, texts)
        excess = difference(exact, _found(values, prior)) if prior is not None else None
        partial = mean_share(np.array([share(texts[row], value) for row, value in values]), [row for row, _ in values])
        out.append(Recovery(method, kind, exact, partial, excess))
    return out


def frequent_values(known: PersonalCorpus) -> dict[str, str]:
    """The most frequent value of each kind in text that the attacker may know: a guess without any vector."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for text, spans in zip(known.corpus.texts, known.spans, strict=True):
        for span in spans:
            counts[span.kind][text[span.start : span.end]] += 1
    return {kind: counter.most_common(1)[0][0] for kind, counter in counts.items() if counter}


def _found(values: list[tuple[int, str]], texts: Sequence[str]) -> Estimate:
    return proportion(sum(holds(texts[row], value) for row, value in values), len(values))
