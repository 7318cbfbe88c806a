"""A map of embeddings: every vector a point, and what it gives away a click away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import traitlets
from jaxtyping import Float, Int, Shaped

from workbench.core.blocks import PALETTE, Block, Fact, Facts, Heading, Table
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput
from workbench.core.labels import Labels, is_missing, items
from workbench.core.tables import is_table
from workbench.widgets._keywords import Keywords
from workbench.widgets._packing import pack_texts
from workbench.widgets._project import project
from workbench.widgets._said import One, told
from workbench.widgets._widget import Widget, require

MOST = 100_000
"""Points that one map can hold."""
_NEAR = 12
_CLASSES = 12
_WITHOUT = "(no value)"
"""Name of the rows that have no label."""
"""Numbers with more distinct values than this are a scale, not classes."""
_DRAWN, _ROWS = 1_500, 12
"""Points and rows of the static picture."""
"""Takes one vector as a set of one row, without its text and labels."""


class EmbeddingMap(Widget):
    """Up to 100,000 points to pan, zoom, search, colour by label and circle with a lasso.

    `coordinates` has shape (n, 2); without it the two first principal components are shown. A click shows the point's
    text, its nearest neighbours and their keywords, then what `explain` and `invert` say of its vector; both get an
    `EmbeddingSet` of one row without its text and may return text, an `Explanations` or `Inversions`, or be generators
    that yield what there is so far (and `Progress`). `neighbours` gets the same and returns ids of this set, nearest
    first; by default the nearest by cosine are found exactly.
    """

    _script = "embedding_map.js"
    point = traitlets.Int(-1).tag(sync=True)
    """Row of the point that is open, -1 if none is."""
    colour = traitlets.Unicode().tag(sync=True)
    """Name of the label that gives the colours; empty for none."""
    selection = traitlets.Bytes().tag(sync=True, from_json=lambda value, _: bytes(value or b""))
    """Rows that lasso, search and legend leave, as uint32 bytes; read them as `selected`."""

    def __init__(
        self,
        vectors: SetLike,
        coordinates: np.ndarray | None = None,
        *,
        neighbours: One | None = None,
        explain: One | None = None,
        invert: One | None = None,
        colour: str = "",
        title: str = "Map of embeddings",
    ) -> None:
        super().__init__()
        self._near_by, self._title = neighbours, title
        self.answers(
            near=self._near,
            explain=explain and (lambda row: self._told(explain, row)),
            invert=invert and (lambda row: self._told(invert, row)),
        )
        with self.filling() as content:
            vectors = EmbeddingSet.of(vectors) if is_table(vectors) else vectors
            require(vectors, EmbeddingSet, "vectors")
            self._set, self._places = vectors, _placed(vectors, coordinates)
            self._keywords = Keywords(vectors.texts) if vectors.texts is not None else None
            labels = {name: _label(column) for name, column in vectors.labels.items()}
            if colour and colour not in labels:
                raise BadInput(f"no label is called {colour!r}; there are: {', '.join(labels) or 'none'}")
            self._labels = labels
            self.colour = colour or next(iter(labels), "")
            content.update(
                title=title,
                places=self._places,
                ids=pack_texts(vectors.ids),
                texts=None if vectors.texts is None else pack_texts(vectors.texts),
                labels=[{"name": name, **label} for name, label in labels.items()],
            )

    @property
    def selected(self) -> Int[np.ndarray, " k"]:
        """Rows that lasso, search and legend leave; none where nothing was narrowed down."""
        return np.frombuffer(self.selection, np.uint32).astype(np.int64)

    def requests(self) -> Iterator[tuple[str, Any]]:
        """The open point and the selected ones first, then points in a fixed random order: all channels of each."""
        order = np.random.default_rng(0).permutation(len(self._set))
        first = [self.point] if self.point >= 0 else []
        for row in dict.fromkeys([*first, *self.selected.tolist(), *order.tolist()]):
            yield from (("near", row), ("explain", row), ("invert", row))

    def blocks(self) -> tuple[Block, ...]:
        """How many, of which labels, and the first few texts."""
        facts = (
            Fact("vectors", f"{len(self._set):,}"),
            Fact("dimensions", f"{self._set.dim:,}", self._set.provenance.embedder),
        )
        label = self._labels.get(self.colour)
        counts: tuple[Block, ...] = ()
        if label and label["names"]:
            held = Counter(label["codes"].tolist())
            rows = tuple((name, held[code]) for code, name in enumerate(label["names"]))[:_ROWS]
            counts = (Table((self.colour, "vectors"), rows),)
        texts = self._set.texts if self._set.texts is not None else self._set.ids
        some = tuple((str(self._set.ids[row]), str(texts[row])[:120]) for row in range(min(_ROWS, len(self._set))))
        return (Heading(self._title), Facts(facts), *counts, Table(("id", "text"), some, "The first few"))

    def _drawing(self) -> str:
        if self.problem:
            return ""
        rows = range(0, len(self._set), -(-len(self._set) // _DRAWN))
        label = self._labels.get(self.colour)
        codes = label["codes"] if label and label["names"] else np.zeros(len(self._set), np.int32)
        dots = "".join(
            f'<circle cx="{300 + 290 * x:.1f}" cy="{200 - 190 * y:.1f}" r="2" '
            f'fill="{PALETTE[min(int(code), len(PALETTE) - 1)]}"/>'
            for (x, y), code in ((self._places[row], codes[row]) for row in rows)
        )
        return f'<svg viewBox="0 0 600 400" width="600" height="400" role="img" aria-label="map of points">{dots}</svg>'

    def _one(self, row: Any) -> EmbeddingSet:
        if not isinstance(row, int) or not 0 <= row < len(self._set):
            raise BadInput(f"row {row!r} is not of this map; expected 0 to {len(self._set) - 1}")
        return self._set.select([row]).without_texts()

    def _near(self, row: Any) -> dict[str, Any]:
        one = self._one(row)
        cosines = self._unit @ self._unit[row]
        if self._near_by is None:
            rows = np.argpartition(-cosines, min(_NEAR + 1, len(cosines)) - 1)[: _NEAR + 1]
            rows = rows[np.argsort(-cosines[rows], kind="stable")]
        else:
            rows = np.array([self._row_of(id) for id in self._near_by(one)], np.int64)
        rows = rows[rows != row][:_NEAR]
        words = self._keywords.of([row, *rows]) if self._keywords else []
        return {"rows": rows, "cosines": cosines[rows], "keywords": words}

    @property
    def _unit(self) -> Float[np.ndarray, "n d"]:
        """Vectors of length 1, made when first asked for."""
        if not hasattr(self, "_units"):
            self._units = self._set.vectors / np.linalg.norm(self._set.vectors, axis=1, keepdims=True)
        return self._units

    def _row_of(self, id: Any) -> int:
        if not hasattr(self, "_rows_of"):
            self._rows_of = {each: row for row, each in enumerate(self._set.ids)}
        if id not in self._rows_of:
            raise BadInput(f"neighbours gave the id {id!r}, which is not in this map")
        return self._rows_of[id]

    def _told(self, function: One, row: Any) -> Any:
        return told(function, self._one(row))


def _placed(vectors: EmbeddingSet, coordinates: Any) -> Float[np.ndarray, "n 2"]:
    """Coordinates between -1 and 1, both axes on one scale."""
    n = len(vectors)
    if n > MOST:
        raise BadInput(f"the set has {n:,} vectors; a map holds {MOST:,}: hand over vectors.select(some rows)")
    places = project(vectors.vectors) if coordinates is None else np.asarray(coordinates)
    if places.shape != (n, 2):
        raise BadInput(f"coordinates has shape {places.shape} but there are {n} vectors; expected ({n}, 2)")
    if places.dtype.kind not in "iuf" or not np.isfinite(places).all():
        raise BadInput("coordinates holds something that is not a finite number; expected two numbers a vector")
    low, high = places.min(0).astype(np.float64), places.max(0).astype(np.float64)
    return ((places - (low + high) / 2) / (max(float((high - low).max()), 1e-30) / 2)).astype(np.float32)


def _label(column: Sequence[Any] | Shaped[np.ndarray, " n"]) -> dict[str, Any]:
    """A column as classes (`names`, most frequent first, and `codes`) or as a scale (`values`, `names` empty)."""
    try:
        read = Labels.of(column)
    except BadInput:  # all missing, or lists: shown as they are written
        read = Labels("labels", tuple(_WITHOUT if is_missing(value) else str(value) for value in items(column)))
    if read.numbers and (not read.whole or len({*read.values} - {None}) > _CLASSES):
        return {"names": [], "values": read.grades().astype(np.float32)}
    classes, codes = read.classes()
    if not read.present.all():  # a colour of its own, counted in the legend
        classes, codes = (*classes, _WITHOUT), np.where(codes < 0, len(classes), codes)
    names, counts = np.array(classes, dtype=object), np.bincount(codes, minlength=len(classes))
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return {"names": names[order].tolist(), "counts": counts[order], "codes": place[codes]}
