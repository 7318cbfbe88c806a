"""Pairs of paraphrases that are chosen by a rule, and which words their cosines come from."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from workbench.attribute import open_attributor
from workbench.core.progress import progress
from workbench.core.ranking import cosines
from workbench.core.text import words
from workbench.core.vectors import unit
from workbench.data import pairs
from workbench.embed._embedder import Embedder
from workbench.embed.static import StaticEmbedder
from workbench.results.interpretation import ChosenPair

POOL = 200
"""Pairs that are chosen from."""
_METHOD = "integrated-jacobian"


def chosen_pairs(embedder: Embedder, at_random: int = 2, seed: int = 0) -> tuple[ChosenPair, ...]:
    """The pair with the median cosine, the highest of those with different words, and `at_random` others, explained.

    Raises BadInput where the embedder gives no gradients.
    """
    attributor = open_attributor(embedder, "closed-form" if isinstance(embedder, StaticEmbedder) else _METHOD)
    found = pairs.paraphrases(POOL, seed)
    vectors = unit(embedder.embed([*found.left, *found.right], what="embed pairs"))
    close = cosines(*np.split(vectors, 2))
    rows = chosen_rows(close, found.left, found.right, at_random, seed)
    out = []
    with progress("attribute", len(rows), "pairs") as advance:
        for rule, row in rows:
            out.append(ChosenPair(rule, attributor.pair(found.left[row], found.right[row], "word")))
            advance(1)
    return tuple(out)


def chosen_rows(
    close: Float[np.ndarray, " n"], left: tuple[str, ...], right: tuple[str, ...], at_random: int, seed: int
) -> tuple[tuple[str, int], ...]:
    """Rule and row of each chosen pair, by the cosines `close` of all; no row twice."""
    order = np.argsort(close, kind="stable")
    differ = [row for row in order[::-1].tolist() if set(words(left[row])) != set(words(right[row]))]
    rows = {"median pair": int(order[(len(order) - 1) // 2])}
    if differ and differ[0] not in rows.values():
        rows["best pair"] = differ[0]
    drawn = np.random.default_rng([seed, 13]).permutation(len(close)).tolist()
    rest = [row for row in drawn if row not in rows.values()][:at_random]
    numbers = [f"random pair {number}" for number in range(1, len(rest) + 1)]
    return tuple({**rows, **dict(zip(numbers, rest, strict=True))}.items())
