"""The main attack on parts of the hidden texts: by length, by corpus, by a label; an average hides who fares worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workbench.core.estimate import difference, exact_proportion, mean_share
from workbench.core.few import FEW
from workbench.core.labels import is_missing
from workbench.core.means import mean_gain
from workbench.core.text import unspaced, word_count
from workbench.data.corpora import Corpus
from workbench.invert._score import exact_match, token_f1
from workbench.results import GroupScores

LENGTHS = ((1, 8), (9, 14), (15, 20), (21, 30), (31, 60))
"""First and last number of words of each bucket; in scripts that set no blanks, of letters."""
_FEWEST = 10
"""Texts below which a group has no row of its own."""
_MOST = 12


def group_scores(
    hidden: Corpus,
    guesses: Sequence[str],
    blind: Sequence[str],
    labels: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
) -> list[GroupScores]:
    """Scores of every group of ten texts or more; `blind` are the same attack's texts for shuffled vectors.

    Groups are lengths, the corpora of a union (told by the prefix of the documents), and the values of each of
    `labels`, which stand in the order of the texts.
    """
    sizes = np.array([word_count(text) for text in hidden.texts])
    unit = "words or letters" if any(map(unspaced, hidden.texts)) else "words"
    told: dict[str, np.ndarray] = {"length": np.array([_bucket(size, unit) for size in sizes.tolist()], object)}
    if hidden.name != "store":
        told["corpus"] = np.array([group.partition(":")[0] for group in hidden.groups], object)
    told |= {name: np.array(column, object) for name, column in (labels or {}).items()}
    read, unread = token_f1(guesses, hidden.texts), token_f1(blind, hidden.texts)
    whole, by_chance = (exact_match(texts, hidden.texts) for texts in (guesses, blind))
    documents, out = np.array(hidden.groups, object), []
    for by, column in told.items():
        for group in _largest(column) if by != "length" else [_bucket(low, unit) for low, _ in LENGTHS]:
            rows = np.flatnonzero(column == group)
            if len(rows) < _FEWEST:
                continue
            n, few_documents = len(rows), len({*documents[rows].tolist()}) < min(FEW, len(rows))
            exact, unread_exact = (
                mean_share(hits[rows].astype(float), documents[rows], seed)
                if few_documents
                else exact_proportion(int(hits[rows].sum()), n)
                for hits in (whole, by_chance)
            )
            out.append(
                GroupScores(
                    by=by,
                    group=str(group),
                    n=n,
                    words=float(sizes[rows].mean()),
                    token_f1=mean_share(read[rows], documents[rows], seed),
                    prior_f1=mean_share(unread[rows], documents[rows], seed),
                    excess=mean_gain((read - unread)[rows], documents[rows], seed),
                    exact=exact,
                    exact_excess=difference(exact, unread_exact),
                )
            )
    return out


def _bucket(size: int, unit: str) -> str:
    low, high = next((each for each in LENGTHS if size <= each[1]), (LENGTHS[-1][1] + 1, 0))
    return f"{low} to {high} {unit}" if high else f"{low} {unit} or more"


def _largest(column: np.ndarray) -> list[str]:
    """The most frequent values, none where there is but one: that is no group."""
    values, counts = np.unique(column[[not is_missing(value) for value in column]].astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST]
    return [str(values[place]) for place in order] if len(values) > 1 else []
