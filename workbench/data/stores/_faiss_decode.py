"""What a FAISS index has lost of its vectors, and decoders of the two kinds that `reconstruct` does not serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from workbench.core.codes import BITS_NOTE, unpack_bits

_OUTSIDE = ("IndexIDMap", "IndexHNSW", "IndexNSG")
"""What only numbers or links the vectors of the index inside it; an IVF keeps its own."""
_EXACT = (
    "IndexFlat",
    "IndexFlatL2",
    "IndexFlatIP",
    "IndexFlat1D",
    "IndexIVFFlat",
    "IndexIVFFlatDedup",
    "IndexRefineFlat",
)
_AT_ONCE = 1 << 26
"""Distances that one search may return."""


def lost_of(faiss: Any, chain: Sequence[Any]) -> tuple[str, ...]:
    """Notes on what the vectors that an index gives back no longer hold; empty where they are those that were added."""
    kinds = [type(each).__name__ for each in chain]
    notes: list[str] = []
    steps = [step for each in chain for step in transforms(faiss, each)]
    notes += [note for step in steps if (note := _transform_note(faiss, step))]
    dropped = any(step.d_out < step.d_in for step in steps)
    inner = next(kind for kind in kinds if not kind.startswith((*_OUTSIDE, "IndexPreTransform")))
    if dropped or inner not in _EXACT:
        notes.insert(0, f"vectors are reconstructed, not stored: {' over '.join(kinds)}")
    for each in chain:
        bits = bits_of(each)
        if bits > 1 and not is_searched(each):
            notes.append(f"only the sign of each number was read: {bits - 1} of {bits} bits a number were not read")
        elif bits:
            notes.append(f"vectors are quantised to {bits} bit{'s' * (bits > 1)} a number (RaBitQ)")
    return tuple(notes)


def transforms(faiss: Any, index: Any) -> list[Any]:
    """The transforms that an index applies to vectors before it stores them, the first one first."""
    if type(index).__name__ != "IndexPreTransform":
        return []
    return [faiss.downcast_VectorTransform(index.chain.at(place)) for place in range(index.chain.size())]


def is_whitened(faiss: Any, step: Any) -> bool:
    """Whether a linear transform changes lengths: its transpose, which FAISS takes back vectors with, is no inverse."""
    if not isinstance(step, faiss.LinearTransform) or not step.d_out <= step.d_in:
        return False
    rows = faiss.vector_to_array(step.A).reshape(step.d_out, step.d_in)
    return not np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-2)


def _transform_note(faiss: Any, step: Any) -> str:
    if step.d_out < step.d_in:
        return f"{type(step).__name__} kept {step.d_out} of {step.d_in} dimensions: the others are lost"
    if isinstance(step, faiss.NormalizationTransform):
        return "norms are 1: the index normalises what is added, so those of the embedder are lost"
    return ""


def bits_of(index: Any) -> int:
    """Bits a number of a RaBitQ index, 0 for any other."""
    code = getattr(index, "rabitq", None)
    return int(getattr(code, "nb_bits", 1)) if code is not None else 0


def is_searched(index: Any) -> bool:
    """Whether `searched` can decode an index: RaBitQ with more bits than the sign, and no FastScan."""
    return type(index).__name__ in ("IndexRaBitQ", "IndexIVFRaBitQ") and bits_of(index) > 1


def searched(faiss: Any, index: Any, ids: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
    """Vectors of a RaBitQ index by all of their bits: the distances to the d unit vectors give the coordinates.

    `reconstruct` reads the sign bit alone. With queries that are not quantised (qb = 0) the distance to a unit vector
    e_i is |x|^2 - 2 x_i + 1, and that to the zero vector is |x|^2.
    """
    queries = np.vstack([np.zeros((1, index.d)), np.eye(index.d)]).astype(np.float32)
    ids = np.ascontiguousarray(ids, np.int64)
    order = np.argsort(ids)
    found = np.empty((len(ids), index.d + 1), np.float32)
    step = max(1, _AT_ONCE // max(1, len(queries)))
    for first in range(0, len(ids), step):
        part = order[first : first + step]
        wanted = ids[part]
        selector = faiss.IDSelectorBatch(wanted)
        lists = hasattr(index, "nlist")
        options = faiss.IVFRaBitQSearchParameters() if lists else faiss.RaBitQSearchParameters()
        options.qb, options.centered, options.sel = 0, False, selector
        if lists:
            options.nprobe = index.nlist
        distances, labels = index.search(queries, len(wanted), params=options)
        columns = np.searchsorted(wanted, labels)
        held = np.empty_like(distances)
        np.put_along_axis(held, columns, distances, 1)
        found[part] = held.T
    if index.metric_type == faiss.METRIC_L2:
        return (1 + found[:, :1] - found[:, 1:]) / 2
    return found[:, 1:].copy()


def restored(faiss: Any, outer: Sequence[Any], vectors: Float[np.ndarray, "n e"]) -> Float[np.ndarray, "n d"]:
    """Vectors of an inner index taken back through the transforms of the indexes around it."""
    for index in reversed(outer):
        for step in reversed(transforms(faiss, index)):
            vectors = step.reverse_transform(np.ascontiguousarray(vectors, np.float32))
    return np.asarray(vectors, np.float32)


class Bits:
    """A binary index: what stands for the index among its readers. `d` counts bits, vectors are of -1 and +1."""

    lost = ("vectors are bits: one a dimension, read as -1 and +1", BITS_NOTE)

    def __init__(self, faiss: Any, owner: Any) -> None:
        self._owner = owner
        chain = [faiss.downcast_IndexBinary(owner)]
        while (inner := getattr(chain[-1], "index", None) or getattr(chain[-1], "storage", None)) is not None:
            chain.append(faiss.downcast_IndexBinary(inner))
        self.chain = chain
        self.d, self.ntotal, self.metric_type = owner.d, owner.ntotal, "hamming"
        held = next((each for each in chain if hasattr(each, "xb")), None)
        if held is None or not held.ntotal:
            raise RuntimeError("it keeps no codes in one place" if owner.ntotal else "it is empty")
        self.codes = faiss.vector_to_array(held.xb).reshape(held.ntotal, -1)
        mapped = next((each for each in chain if hasattr(each, "id_map")), None)
        self.ids = np.arange(held.ntotal) if mapped is None else faiss.vector_to_array(mapped.id_map)
        if len(self.ids) != len(self.codes):
            raise RuntimeError(f"{len(self.ids)} ids for {len(self.codes)} codes")

    def vectors(self, first: int, n: int) -> Float[np.ndarray, "n d"]:
        """n vectors from row `first` on."""
        return unpack_bits(self.codes[first : first + n])
