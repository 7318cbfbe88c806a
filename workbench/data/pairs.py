"""Pairs of texts with a known relation: a question and its passage (SQuAD), sentences that mean the same (Tatoeba)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from workbench import assets
from workbench.core.errors import BadInput
from workbench.core.text import split_form, squeeze
from workbench.data._cached import made_once
from workbench.data.corpora import passages

PASSAGES_AN_ARTICLE = 10
_RECIPE = 1
"""Number of the way from files to pairs; a change makes the cached ones anew."""


@dataclass(frozen=True)
class Retrieval:
    """Question i is answered by passage i, and by no other one. `groups` are the articles of the passages."""

    questions: tuple[str, ...]
    passages: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Paraphrases:
    """`left[i]` and `right[i]` mean the same; `decoy[i]` shares words with `left[i]` and translates otherwise."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    decoy: tuple[str, ...]


def retrieval(limit: int, seed: int = 0) -> Retrieval:
    """`limit` distinct passages of SQuAD, each with the first question asked of it.

    Articles are drawn at random and each gives up to ten passages, so that a question has to be told from others on
    the same matter.
    """
    articles: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for row in _rows("squad", _answered):
        articles[row[2]].append(row)
    rng = np.random.default_rng(seed)
    found = []
    for group in rng.permutation(sorted(articles)):
        rows = articles[group]
        found += [rows[place] for place in rng.permutation(len(rows))[:PASSAGES_AN_ARTICLE]]
    if not 1 < limit <= len(found):
        raise BadInput(f"limit is {limit}; SQuAD gives 2 to {len(found):,} passages with questions")
    return Retrieval(*(tuple(column) for column in zip(*found[:limit], strict=True)))


def paraphrases(limit: int, seed: int = 0) -> Paraphrases:
    """`limit` pairs of English Tatoeba sentences that share a translation, no sentence twice, each with a decoy.

    The decoy of a pair is, of the other pairs' sentences, the one with the highest TF-IDF cosine to the left sentence.
    It was given another translation; now and then it means nearly the same all the same, so no embedder reaches 1.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    pairs = list(_rows("tatoeba", _translated))
    if not 1 < limit <= len(pairs):
        raise BadInput(f"limit is {limit}; Tatoeba gives 2 to {len(pairs):,} pairs")
    picked = [pairs[row] for row in np.random.default_rng(seed).permutation(len(pairs))[:limit]]
    left, right = zip(*picked, strict=True)
    table = TfidfVectorizer().fit(left + right)
    overlap = (table.transform(left) @ table.transform(right).T).toarray()
    np.fill_diagonal(overlap, -1)
    return Paraphrases(left, right, tuple(right[row] for row in overlap.argmax(1)))


def _rows(corpus: str, make: Callable[[], list[tuple[str, ...]]]) -> Iterator[tuple[Any, ...]]:
    """All pairs of a corpus: seconds of reading, so they are kept in the cache."""

    def table() -> pa.Table:
        return pa.table({str(place): column for place, column in enumerate(zip(*make(), strict=True))})

    found = made_once(f"pairs/{corpus}-{assets.card(corpus).digest}-{_RECIPE}.parquet", table)
    return zip(*(column.to_pylist() for column in found.columns), strict=True)


def _answered() -> list[tuple[str, ...]]:
    """Question, passage and article, once for each passage of an article."""
    articles: dict[str, dict[str, tuple[str, str, str]]] = defaultdict(dict)
    passage = None
    for row in passages("squad"):
        if row.label == "passage":
            passage = row
        elif passage is not None:
            pair = (squeeze(row.text), squeeze(passage.text), row.group)
            articles[row.group].setdefault(split_form(passage.text), pair)
    return [pair for found in articles.values() for pair in found.values()]


def _translated() -> list[tuple[str, ...]]:
    """Two English sentences for each foreign sentence that translates several; each sentence is used once."""
    folder = assets.fetch("tatoeba")
    meant: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for pattern in assets.card("tatoeba").sources[0].members:
        for path in folder.glob(pattern):
            for line in path.read_text(encoding="utf-8").splitlines():
                english, foreign, *_ = line.split("\t")
                meant[path.stem, foreign].setdefault(split_form(english), squeeze(english))
    pairs: list[tuple[str, ...]] = []
    used: set[str] = set()
    for key in sorted(meant):
        fresh = [name for name in sorted(meant[key]) if name not in used][:2]
        if len(fresh) == 2:
            used.update(fresh)
            pairs.append((meant[key][fresh[0]], meant[key][fresh[1]]))
    return pairs
