"""Are attributions faithful? Words are deleted and inserted in the order that each method gives them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.attribute import ATTRIBUTORS, open_attributor
from workbench.attribute._attributor import Attributor, Options
from workbench.attribute._contributions import pieces_of
from workbench.attribute._reading import unit_vectors
from workbench.attribute.integrated_gradients import IntegratedGradients
from workbench.attribute.occlusion import without
from workbench.core.bad_rows import OnBadRows, screen, text_faults
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate, mean
from workbench.core.progress import progress
from workbench.data import corpora
from workbench.embed._embedder import Embedder
from workbench.embed._grad_embedder import GradEmbedder
from workbench.embed._random import randomised
from workbench.results.faithfulness import Faithfulness, MethodFaithfulness

DEFAULT, CHANCE = "integrated-jacobian", "random order"
_SHARES = (0.1, 0.2, 0.3, 0.5)
_RANDOMISED = 20
_NODES = 16
"""Of a model with shuffled weights, whose path no tolerance could follow."""


@dataclass(frozen=True)
class Curves:
    """Cosines with b while the n words of a go (first to last) and while they come; both of n + 1 steps."""

    deletion: Float[np.ndarray, " n_plus_1"]
    insertion: Float[np.ndarray, " n_plus_1"]

    @property
    def whole(self) -> float:
        """The cosine of the whole text."""
        return float(self.deletion[0])

    def after(self, curve: Float[np.ndarray, " n_plus_1"]) -> float:
        """Mean fall from the whole text's cosine when the first 10 to 50% of the words are treated so."""
        last = len(curve) - 1
        return float(np.mean([self.whole - curve[max(1, round(share * last))] for share in _SHARES]))


def read_pairs(path: Path | str, on_bad_rows: OnBadRows = "fail") -> list[tuple[str, str]]:
    """Pairs of texts out of fields or columns `a` and `b` of .jsonl, .csv, .tsv or .parquet.

    Raises BadInput for rows without one of the two, unless `on_bad_rows` is `skip`.
    """
    held = corpora.read(path, "a", labels=["b"], on_bad_rows=on_bad_rows)
    others = [None if text is None else str(text) for text in held.labels["b"]]
    try:
        keep, _ = screen(text_faults(others), held.ids, on_bad_rows)
    except BadInput as error:
        raise BadInput(f"{path}, column 'b': {error}") from error
    rows = np.flatnonzero(keep).tolist()
    return [(held.texts[row], others[row] or "") for row in rows]


def evaluate(
    embedder: Embedder, pairs: Sequence[tuple[str, str]], options: Options | None = None, seed: int = 0
) -> Faithfulness:
    """Every method that the embedder allows, and words in random order, on the same pairs.

    Raises BadInput unless at least two pairs have a first text of two or more words.
    """
    usable = [pair for pair in pairs if len(pieces_of(pair[0], "word")) > 1 and pieces_of(pair[1], "word")]
    if len(usable) < 2:
        raise BadInput(f"{len(usable)} of {len(pairs)} pairs have two or more words to rank; expected at least 2")
    methods, left_out = _methods(embedder, options)
    few = usable[:_RANDOMISED]
    scrambled = randomised(embedder, seed) if isinstance(embedder, GradEmbedder) else None
    values, seconds, blind = {}, {}, {}
    with progress("evaluate attributions", len(methods), "methods") as advance:
        for name, method in methods.items():
            embedder.forget()  # no method lives on another one's queries
            began = time.process_time()
            values[name] = [_values(method, a, b) for a, b in usable]
            seconds[name] = (time.process_time() - began) / len(usable)
            if scrambled is not None:
                other = open_attributor(scrambled, name, replace(options or Options(), nodes=_NODES))
                pairs_of_values = zip(few, values[name], strict=False)
                blind[name] = [_rank_correlation(_values(other, a, b), own) for (a, b), own in pairs_of_values]
            advance(1)
    random = np.random.default_rng(seed)
    values[CHANCE] = [random.random(len(pieces_of(a, "word"))) for a, _ in usable]
    found = {name: curves(embedder, usable, each) for name, each in values.items()}
    areas = {name: np.array([_area(each.deletion) for each in those]) for name, those in found.items()}
    rows = []
    for name, those in found.items():
        correlations = _pair_correlations(methods[name], methods["occlusion"], usable) if name in methods else []
        compared = name != DEFAULT and DEFAULT in areas
        rows.append(
            MethodFaithfulness(
                method=name,
                deletion=mean(areas[name], seed=seed),
                insertion=mean([_area(each.insertion) for each in those], seed=seed),
                comprehensiveness=mean([each.after(each.deletion) for each in those], seed=seed),
                sufficiency=mean([each.after(each.insertion) for each in those], seed=seed),
                less_than_default=mean(areas[DEFAULT] - areas[name], seed=seed) if compared else None,
                pair_correlation=_mean_of(correlations, seed),
                randomised=_mean_of(blind.get(name, []), seed),
                seconds=seconds.get(name, 0.0),
            )
        )
    return Faithfulness(embedder.spec.name, len(usable), len(few) if scrambled else 0, tuple(rows), tuple(left_out))


def curves(
    embedder: Embedder, pairs: Sequence[tuple[str, str]], values: Sequence[Float[np.ndarray, " _"]]
) -> list[Curves]:
    """Cosines along deletion and insertion, all texts embedded in one go."""
    texts: list[str] = []
    for (a, _), value in zip(pairs, values, strict=True):
        spans = pieces_of(a, "word")
        order = np.argsort(-value, kind="stable").tolist()
        for k in range(len(spans) + 1):
            texts.append(without(a, [spans[i] for i in order[:k]]))
        for k in range(len(spans) + 1):
            texts.append(without(a, [spans[i] for i in order[k:]]))
    vectors = unit_vectors(embedder, texts, "embed shortened texts")
    goals = unit_vectors(embedder, [b for _, b in pairs])
    out, start = [], 0
    for (a, _), goal in zip(pairs, goals, strict=True):
        steps = len(pieces_of(a, "word")) + 1
        cosines = vectors[start : start + 2 * steps] @ goal
        out.append(Curves(cosines[:steps], cosines[steps:]))
        start += 2 * steps
    return out


def _methods(embedder: Embedder, options: Options | None) -> tuple[dict[str, Attributor], list[tuple[str, str]]]:
    names = sorted(ATTRIBUTORS.names(), key=lambda name: name != DEFAULT)
    found: dict[str, Attributor] = {}
    left_out = []
    for name in names:
        try:
            found[name] = open_attributor(embedder, name, options)
            _values(found[name], "two words", "two words")
        except BadInput as error:
            found.pop(name, None)
            left_out.append((name, str(error)))
    return found, left_out


def _values(method: Attributor, a: str, b: str) -> Float[np.ndarray, " n"]:
    """What each word of a gives to the cosine with b; special tokens are no words."""
    found = method.toward(a, method.vectors([b])[0], "word")
    words = {tuple(span): value for span, value in zip(found.spans.tolist(), found.values.tolist(), strict=True)}
    return np.array([words.get(span, 0.0) for span in pieces_of(a, "word")])


def _pair_correlations(method: Attributor, exact: Attributor, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """With exact pair occlusion, whose matrix is the product of what each word's loss does to each vector."""
    if isinstance(method, IntegratedGradients) or method is exact:
        return []
    out = []
    for a, b in pairs:
        grids = []
        for each in (method, exact):
            one, two = each.contributions(a, "word"), each.contributions(b, "word")
            grids.append(_words(one) @ _words(two).T)
        out.append(_rank_correlation(grids[0].ravel(), grids[1].ravel()))
    return out


def _words(found: Any) -> Float[np.ndarray, "n d"]:
    return found.matrix[found.spans[:, 1] > found.spans[:, 0]]


def _rank_correlation(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> float:
    from scipy.stats import rankdata

    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def _area(curve: Float[np.ndarray, " n"]) -> float:
    return float(np.trapezoid(curve) / (len(curve) - 1))


def _mean_of(values: list[float], seed: int) -> Estimate | None:
    return mean(values, seed=seed) if values else None
