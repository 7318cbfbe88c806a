"""Parts of a store on their way into one set, whose vectors lie where they will stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.data.stores._page import column


class Gathered:
    """The parts that were added; the vectors of a large store are never held twice."""

    def __init__(self, first: EmbeddingSet, expected: int) -> None:
        self.rows = 0
        self._vectors = np.empty((max(expected, len(first)), first.dim), np.float32)
        self._ids: list[np.ndarray] = []
        self._texts: list[np.ndarray | None] = []
        self._labels: list[Mapping[str, np.ndarray]] = []
        self._provenance = first.provenance

    def add(self, part: EmbeddingSet) -> None:
        """More rows; there may come more than were expected."""
        last = self.rows + len(part)
        if last > len(self._vectors):
            more = np.empty((max(last, len(self._vectors) * 9 // 8) - self.rows, part.dim), np.float32)
            self._vectors = np.concatenate([self._vectors[: self.rows], more])
        self._vectors[self.rows : last] = part.vectors
        self._ids.append(part.ids)
        self._texts.append(part.texts)
        self._labels.append(part.labels)
        self.rows = last

    def whole(self, name: str, limit: int = 0, notes: tuple[str, ...] = ()) -> EmbeddingSet:
        """All rows, or the first `limit`, with further notes. Raises BadInput for an id that comes twice."""
        rows = slice(0, min(limit, self.rows) if limit else self.rows)
        texts = None
        if any(some is not None for some in self._texts):
            pairs = zip(self._texts, self._ids, strict=True)
            texts = np.concatenate([np.full(len(ids), "", object) if some is None else some for some, ids in pairs])
        labels = {
            each: self._label(each)[rows] for each in dict.fromkeys(name for part in self._labels for name in part)
        }
        try:
            return EmbeddingSet(
                ids=np.concatenate(self._ids)[rows],
                vectors=self._vectors[rows],
                texts=None if texts is None else texts[rows],
                labels=labels,
                provenance=replace(self._provenance, notes=(*self._provenance.notes, *notes)),
            )
        except BadInput as error:
            raise BadInput(f"{name}: {error}; name a unique column with ?id=COLUMN") from error

    def _label(self, label: str) -> np.ndarray:
        parts = zip(self._labels, self._ids, strict=True)
        return column([value for part, ids in parts for value in part.get(label, [None] * len(ids))])
