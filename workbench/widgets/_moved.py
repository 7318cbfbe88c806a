"""The base of widgets that move a vector: what stands near it where it is put, and what is said of it there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from types import NoneType
from typing import Any

import numpy as np
from jaxtyping import Float

from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput
from workbench.core.tables import is_table
from workbench.core.text import squeeze
from workbench.core.vectors import unit
from workbench.widgets._answers import Handler, Progress
from workbench.widgets._page import key
from workbench.widgets._said import One, told
from workbench.widgets._widget import Widget, asset, require

_CALLABLE: tuple[Any, ...] = (Callable, NoneType)
_NEAR = 8
_LONGEST = 110
"""Characters of a neighbour's text."""


class MovedWidget(Widget):
    """Asks two channels, `near` and `explain`, of the vector that a payload stands for; see `_moved.js`.

    `neighbours` is a set whose nearest rows by cosine are shown, or a callable that returns texts, or pairs of a text
    and its cosine, or a set, the nearest first. `explain` returns text, an `Explanations`, `Explanation` or
    `Inversions`, or is a generator of those (and of `Progress`). What was answered once is not asked again.
    """

    def __init__(self, neighbours: SetLike | One | None, explain: One | None) -> None:
        super().__init__()
        self._neighbours = EmbeddingSet.of(neighbours) if is_table(neighbours) else neighbours
        self._explain = explain
        self._known: dict[str, Any] = {}
        self.answers(
            near=None if neighbours is None else self._remembered("near", self._near),
            explain=None if explain is None else self._remembered("explain", self._said),
        )

    def open(self) -> None:
        """Tell the browser of the widget; its script has to be whole by then."""
        self._esm = asset("_shared.js") + asset("_moved.js") + asset(self._script)
        super().open()

    @abstractmethod
    def _at(self, payload: Any) -> EmbeddingSet:
        """The moved vector, a set of one row; BadInput for a payload that is none of this widget's."""

    def _check_callables(self, dim: int) -> None:
        """To be called while filling: BadInput unless both can be asked of vectors of `dim` dimensions."""
        if isinstance(self._neighbours, EmbeddingSet):
            self._neighbours.require_dim(dim, "this widget")
        else:
            require(self._neighbours, (EmbeddingSet, *_CALLABLE), "neighbours")
        require(self._explain, _CALLABLE, "explain")

    def _answered(self, channel: str, payload: Any) -> Any:
        """What was answered so far, without asking; None if nothing was."""
        return self._known.get(key(channel, payload))

    def _near(self, payload: Any) -> dict[str, Any]:
        one = self._at(payload)
        if isinstance(self._neighbours, EmbeddingSet):
            return _nearest(self._neighbours, one)
        assert self._neighbours is not None
        return _listed(self._neighbours(one), one)

    def _said(self, payload: Any) -> Any:
        assert self._explain is not None
        return told(self._explain, self._at(payload))

    def _remembered(self, channel: str, handler: Handler) -> Handler:
        def answer(payload: Any) -> Iterator[Any]:
            name = key(channel, payload)
            if name in self._known:
                yield self._known[name]
                return
            last = handler(payload)
            if isinstance(last, Iterator):
                parts, last = last, None
                for item in parts:
                    last = last if isinstance(item, Progress) else item
                    yield item
            else:
                yield last
            self._known[name] = last

        return answer


def one_row(vector: Any, name: str) -> tuple[Float[np.ndarray, " d"], str]:
    """A vector that was handed over as an array (d,) or (1, d) or as a set of one row, and its text or nothing."""
    if isinstance(vector, EmbeddingSet):
        if len(vector) != 1:
            raise BadInput(f"{name} holds {len(vector)} vectors; expected one: {name}.select([row])")
        text = "" if vector.texts is None else str(vector.texts[0])
        return vector.vectors[0].astype(np.float64), text
    require(vector, np.ndarray, name)
    flat = vector[0] if vector.ndim == 2 and len(vector) == 1 else vector
    if flat.ndim != 1 or not len(flat) or flat.dtype.kind not in "iuf":
        raise BadInput(f"{name} is {vector.dtype} of shape {vector.shape}; expected one vector of numbers, (d,)")
    if not np.isfinite(flat).all() or not np.abs(flat).sum():
        raise BadInput(f"{name} is zero or holds a number that is not finite; such a vector points nowhere")
    return flat.astype(np.float64), ""


def _nearest(among: EmbeddingSet, one: EmbeddingSet) -> dict[str, Any]:
    cosines = unit(among.vectors) @ unit(one.vectors)[0]
    rows = np.argsort(-cosines, kind="stable")[:_NEAR]
    return _shown(among.select(rows), cosines[rows])


def _listed(answer: Any, one: EmbeddingSet) -> dict[str, Any]:
    if isinstance(answer, EmbeddingSet):
        answer.require_dim(one.dim, "neighbours")
        some = answer.select(slice(_NEAR))
        return _shown(some, unit(some.vectors) @ unit(one.vectors)[0])
    texts, cosines = [], []
    for item in list(answer)[:_NEAR] if isinstance(answer, (list, tuple, np.ndarray)) else [answer]:
        match item:
            case str():
                texts.append(item)
            case (str(text), int() | float() | np.number() as cosine):
                texts.append(text)
                cosines.append(float(cosine))
            case _:
                raise BadInput(
                    f"neighbours returned {type(item).__name__}; expected a list of texts or (text, cosine), or a set"
                )
    return {
        "texts": [_short(text) for text in texts],
        "cosines": np.array(cosines) if len(cosines) == len(texts) else None,
    }


def _shown(some: EmbeddingSet, cosines: Float[np.ndarray, " k"]) -> dict[str, Any]:
    names = some.ids if some.texts is None else some.texts
    return {"texts": [_short(str(name)) for name in names], "cosines": cosines}


def _short(text: str) -> str:
    text = squeeze(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\u2026"
