"""Integer codes of vectors: which kind an array of whole numbers is, and packed bits taken apart."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Shaped

Codes = Literal["", "per-dimension", "scaled", "bits"]
"""Kinds of whole numbers: none; affine codes with a range for each dimension; numbers that share one scale a vector or
altogether, so that only lengths are lost; and packed bits, eight dimensions a byte."""

BITS_NOTE = "the first dimension is taken to be the highest bit of the first byte, as numpy.packbits and pgvector do"

_FEW = 20
"""Fewer vectors do not show the range of a dimension."""
_EVEN, _MIDDLE = 60.0, 0.6
"""Packed bits: least standard deviation (even bytes have 74, affine codes of text 30 to 60), and largest share of the
bytes in the middle half of their range."""


def unpack_bits(codes: Shaped[np.ndarray, "n b"], order: Literal["big", "little"] = "big") -> Float[np.ndarray, "n d"]:
    """Vectors of -1 and +1 out of packed bits, d = 8 b; bytes of `numpy.packbits`, as uint8."""
    return 2 * np.unpackbits(codes.astype(np.uint8), axis=1, bitorder=order).astype(np.float32) - 1


def bytes_of(vectors: Shaped[np.ndarray, "n b"]) -> dict[str, Shaped[np.ndarray, "n b"]]:
    """The unsigned bytes that whole numbers may stand for, by how they were written.

    Numbers of 0 to 255 are bytes. Negative ones are bytes less 128 (`binary` of sentence-transformers), or bytes read
    as signed.
    """
    whole = np.rint(vectors).astype(np.int64)
    if whole.min() >= 0:
        return {"unsigned bytes": whole.astype(np.uint8)}
    return {"bytes less 128": (whole + 128).astype(np.uint8), "signed bytes": (whole & 255).astype(np.uint8)}


def are_bytes(vectors: Shaped[np.ndarray, "n d"]) -> bool:
    """Whether all numbers are whole and fit into one byte, signed or not, and are not signs alone."""
    low, high = float(vectors.min()), float(vectors.max())
    if low < -128 or high > 255 or (low < 0 and high > 127) or high - low <= 2:
        return False
    return bool((vectors == np.rint(vectors)).all())


def are_signs(vectors: Shaped[np.ndarray, "n d"]) -> bool:
    """Whether a vector's numbers differ in their sign alone (or are bits, 0 and 1)."""
    some = np.abs(vectors[:1000].astype(np.float64))
    size = some.max(1, keepdims=True)
    return bool(((some.max(1) - some.min(1)) <= 1e-6 * size[:, 0]).all()) or are_zero_one(vectors)


def are_zero_one(vectors: Shaped[np.ndarray, "n d"]) -> bool:
    """Whether all numbers are 0 or 1, as bits that were taken apart are."""
    return bool(((vectors == 0) | (vectors == 1)).all())


def may_be_packed(vectors: Shaped[np.ndarray, "n b"]) -> bool:
    """Whether bytes are spread as evenly as those of packed bits are: half of them in the middle half of their range.

    Affine codes of twenty vectors and more have two thirds there; of fewer, nothing can be said.
    """
    if not are_bytes(vectors) or float(vectors.std()) < _EVEN:
        return False
    middle = 0 if vectors.min() < 0 else 128
    return len(vectors) < _FEW or float((np.abs(vectors - middle) < 64).mean()) < _MIDDLE


def kind_of(vectors: Shaped[np.ndarray, "n d"]) -> Codes:
    """What kind of whole numbers vectors are, as far as they show it by themselves."""
    if not are_bytes(vectors):
        return ""
    if may_be_packed(vectors) and len(vectors) >= _FEW:
        return "bits"
    return "per-dimension" if has_ranges(vectors) else "scaled"


def has_ranges(vectors: Shaped[np.ndarray, "n d"]) -> bool:
    """Whether bytes have a range for each dimension. Vectors under one scale keep their lengths, or their largest
    number; codes with a range for each dimension fill most of 256 steps in every one."""
    if vectors.min() >= 0:
        return True
    largest = np.abs(vectors).max(1)
    if (largest == 127).all():  # scaled vector by vector
        return False
    lengths = np.linalg.norm(vectors, axis=1)
    if len(vectors) < _FEW:
        return bool(vectors.std() >= 25)
    live = _varying(vectors)
    spread = np.ptp(vectors[:, live], axis=0)
    return bool(
        np.median(spread) >= 110 and spread.std() < 0.35 * spread.mean() and lengths.std() > 0.02 * lengths.mean()
    )


def _varying(vectors: Shaped[np.ndarray, "n d"]) -> Bool[np.ndarray, " d"]:
    spread = np.ptp(vectors, axis=0)
    return spread > 0.1 * np.median(spread)


def packed_readings(vectors: Shaped[np.ndarray, "n b"]) -> dict[str, Float[np.ndarray, "n d"]]:
    """The vectors of -1 and +1 that bytes may stand for, by how they were written, in either order of bits."""
    return {
        f"{how}, {order} bit order": unpack_bits(codes, order)
        for how, codes in bytes_of(vectors).items()
        for order in ("big", "little")
    }


def standardised_like(
    vectors: Shaped[np.ndarray, "n d"], mean: Float[np.ndarray, " d"], deviation: Float[np.ndarray, " d"]
) -> Float[np.ndarray, "n d"]:
    """Vectors with another mean and standard deviation in every dimension; a constant dimension takes the mean."""
    vectors = np.asarray(vectors, np.float64)
    spread = vectors.std(0)
    scale = np.divide(deviation, spread, out=np.zeros_like(spread), where=spread > 0)
    return (vectors - vectors.mean(0)) * scale + mean
