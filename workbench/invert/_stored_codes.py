"""Quantised vectors of a known embedder, decoded: affine codes of a byte a dimension, and packed or loose bits.

Affine codes (`quantize_embeddings` of sentence-transformers to int8 and uint8, and the like) have a range for each
dimension that the codes do not hold. It is estimated from vectors of public texts under the embedder in three steps:
each dimension takes the mean and standard deviation of the public vectors; then half of the mean comes from those
public vectors that are nearest to the decoded ones; then, where the embedder normalises, scales and offsets are fitted
so that every vector has length 1, with the first two steps as prior.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from workbench.core.codes import are_bytes, are_signs, are_zero_one, has_ranges, packed_readings
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.vectors import unit
from workbench.data import corpora
from workbench.embed._embedder import Embedder
from workbench.embed._vector_cache import cached_vectors

PUBLIC_TEXTS = 1000
_NEAREST, _ROUNDS = 5, 3
_SCALE, _OFFSET, _LENGTH = 0.1, 0.2, 2e-3
"""Prior deviations of a scale (relative) and of an offset (in the dimension's own deviations), and that of a squared
length, which the steps of the codes leave."""
_ROWS = 2000
"""Vectors by which scales and offsets are fitted."""
_FEWEST, _FIT_ROWS = 10, 3
_WANDER, _PRIOR_ROWS = 0.35, 30
"""How far the middle of a range lies from its mean, in deviations, and how many vectors the prior deviation counts."""


def decoded(
    store: EmbeddingSet, embedder: Embedder, corpus: str = "conservative", texts: int = PUBLIC_TEXTS
) -> EmbeddingSet:
    """The vectors of a store in the embedder's own space, where they are whole numbers that stand for such vectors.

    Floats come back as they are, and so do codes that share one scale, whose directions are right. Public texts of
    `corpus` are embedded once (access QUERY). What was done, and what is lost, is added to the provenance notes.
    """
    d, vectors = embedder.spec.dim, store.vectors
    packed = 8 * store.dim == d and are_bytes(vectors)
    signs = store.dim == d and are_signs(vectors)
    ranged = store.dim == d and not signs and are_bytes(vectors) and has_ranges(vectors)
    if not (packed or signs or ranged):
        return store
    public = cached_vectors(embedder, corpora.load(corpus, "train", texts).texts, what="public texts, to decode codes")
    public = public.astype(np.float64)
    if packed:
        bits, how = _unpacked(vectors, public)
        found = _of_bits(bits, public)
        note = f"read as packed bits ({how}): {store.dim} bytes are {d} dimensions, one bit each"
    elif signs:
        bits, how = _ordered(2 * vectors - 1 if are_zero_one(vectors) else np.sign(vectors), public)
        found = _of_bits(bits, public)
        note = f"read as one bit a dimension{how}; the size of each number is lost"
    else:
        found = affine(vectors, public, bool(embedder.spec.normalised))
        note = (
            "read as codes with a range for each dimension, of 8 bits; scale and offset of each were estimated from "
            f"{len(public):,} public texts under {embedder.spec.name}"
        )
        if len(store) < _FEWEST:
            note += f"; {len(store)} vectors are too few for that, so the estimate is rough"
    provenance = replace(store.provenance, notes=(*store.provenance.notes, note), normalised=None)
    return replace(store, vectors=found.astype(np.float32), provenance=provenance)


def codes_in_words(vectors: Float[np.ndarray, "n d"]) -> str:
    """What vectors are that `decoded` would have to decode before anything reads them; empty for all others."""
    if are_signs(vectors):
        return "one bit a dimension"
    return (
        "whole numbers of a byte, with a range for each dimension" if are_bytes(vectors) and has_ranges(vectors) else ""
    )


def affine(
    codes: Float[np.ndarray, "n d"], public: Float[np.ndarray, "r d"], normalised: bool
) -> Float[np.ndarray, "n d"]:
    """Vectors of codes whose scale and offset in each dimension are estimated from public vectors."""
    codes = codes.astype(np.float64)
    mean, deviation = public.mean(0), public.std(0)
    z = _standardised(codes)
    found = mean + deviation * z
    some = slice(0, _ROWS)
    if len(codes) < _FIT_ROWS:
        return unit(found) if normalised else found
    for _ in range(_ROUNDS):
        similar = np.argpartition(-(unit(found[some]) @ unit(public).T), _NEAREST, axis=1)[:, :_NEAREST]
        mean = (public[similar].mean((0, 1)) + public.mean(0)) / 2
        found = mean + deviation * z
    return unit(_fitted(z, mean, deviation, some)) if normalised else found


def _standardised(codes: np.ndarray) -> np.ndarray:
    """Codes in deviations from their mean, dimension by dimension, by empirical Bayes: few vectors tell little of the
    moments of one dimension, and the middle of the codes and the mean deviation tell something of all."""
    n = len(codes)
    middle = 127.5 if codes.min() >= 0 else -0.5
    mean, spread = codes.mean(0), codes.std(0, ddof=1) if n > 1 else np.zeros(codes.shape[1])
    live = np.ptp(codes, axis=0) > 0 if n > 1 else np.ones(codes.shape[1], bool)
    if not live.any():
        return np.zeros_like(codes)
    pooled = float(
        np.sqrt(np.square(spread[live]).mean() if n > 1 else np.square(codes - middle).mean() / (1 + _WANDER**2))
    )
    wander = np.square(mean[live] - middle).mean() - pooled**2 / n
    wander = max(float(wander), 1e-6) if n >= _FEWEST else (_WANDER * pooled) ** 2
    weight, prior = wander / (wander + pooled**2 / n), _PRIOR_ROWS
    if n >= _FEWEST and np.mean(np.ptp(codes[:, live], axis=0) >= 254) > 0.9:
        weight, prior = 1.0, 0  # the ranges are those of these very vectors, and say nothing more
    mean = np.where(live, weight * mean + (1 - weight) * middle, mean)
    variance = ((n - 1) * np.square(spread) + prior * pooled**2) / (n - 1 + prior)
    return np.where(live, (codes - mean) / np.sqrt(variance), 0.0)


def _fitted(z: np.ndarray, mean: np.ndarray, deviation: np.ndarray, some: slice) -> np.ndarray:
    """Scales and offsets under which vectors have length 1: the posterior mode by Gauss and Newton."""
    scale, offset, rows = np.ones(len(mean)), np.zeros(len(mean)), z[some]
    prior = np.repeat(np.square([_SCALE, _OFFSET]), len(mean))
    for _ in range(10):
        now = mean + deviation * (scale * rows + offset)
        left = np.square(now).sum(1) - 1
        slopes = np.hstack([2 * now * deviation * rows, 2 * now * deviation])
        moved = np.concatenate([scale - 1, offset])
        noise = np.square(_LENGTH) * np.eye(len(rows))
        best = prior * (slopes.T @ np.linalg.solve((slopes * prior) @ slopes.T + noise, slopes @ moved - left))
        scale, offset = 1 + best[: len(mean)], best[len(mean) :]
    return mean + deviation * (scale * z + offset)


def _of_bits(bits: Float[np.ndarray, "n d"], public: Float[np.ndarray, "r d"]) -> Float[np.ndarray, "n d"]:
    """The mean of the public numbers of the same sign, dimension by dimension."""
    up = public > 0
    above = np.where(up, public, 0).sum(0) / np.maximum(up.sum(0), 1)
    below = np.where(up, 0, public).sum(0) / np.maximum((~up).sum(0), 1)
    return unit(np.where(bits > 0, above, below))


def _unpacked(codes: np.ndarray, public: np.ndarray) -> tuple[np.ndarray, str]:
    """The reading of packed bits whose shares of ones agree best with the public vectors' signs."""
    readings = packed_readings(codes)
    how = max(readings, key=lambda each: _agreement(readings[each], public))
    return readings[how], how


def _ordered(bits: np.ndarray, public: np.ndarray) -> tuple[np.ndarray, str]:
    """Bits as they are, or in the other order within each byte, where that agrees clearly better."""
    n, d = bits.shape
    if d % 8:
        return bits, ""
    turned = bits.reshape(n, -1, 8)[:, :, ::-1].reshape(n, d)
    better = _agreement(turned, public) > _agreement(bits, public) + 0.2
    return (turned, ", in little bit order") if better else (bits, "")


def _agreement(bits: np.ndarray, public: np.ndarray) -> float:
    """Of signs with those of public vectors: the mean similarity of each vector to the nearest ones."""
    signs = np.where(public > 0, 1.0, -1.0)
    centre = signs.mean(0)
    cosines = unit(bits[:200] - centre) @ unit(signs - centre).T
    return float(np.sort(cosines, axis=1)[:, -_NEAREST:].mean()) + float(
        (unit(bits.mean(0)[None]) * unit(centre[None])).sum()
    )
