"""An inversion, round by round: how a text comes back out of its vector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import traitlets
from jaxtyping import Float

from workbench.core.blocks import Block, Example, Examples, Heading, Segment, Table
from workbench.core.errors import BadInput
from workbench.core.text import contains, pieces, tokens
from workbench.results import Inversions
from workbench.widgets._packing import pack_texts
from workbench.widgets._widget import Widget, require

Span = tuple[str, int, int]
"""What stands in the true text (person, place, account) from which character to which: a planted record's `Span`."""
_SHOWN = 6


class InversionPlayer(Widget):
    """The rounds of an inversion to scrub through, beside the truth where it is known.

    `truths` are the n hidden texts: words that the guess has in their place, has elsewhere, and lacks are marked.
    `spans` lists for each text the places of personal data, `(kind, start, end)`; each lights up in the round in which
    it is recovered whole. A result without a path is shown as a single round. The cosines of all rounds are a curve.
    The widget says in words what is wrong: lengths that differ, spans outside of their text, no vectors.
    """

    _script = "inversion_player.js"
    row = traitlets.Int(0).tag(sync=True)
    """Which of the n vectors is shown."""
    round = traitlets.Int(-1).tag(sync=True)
    """Which round is shown; -1 until one is chosen, which shows the last."""

    def __init__(
        self,
        inversions: Inversions,
        truths: Sequence[str] | None = None,
        spans: Sequence[Sequence[Span]] | None = None,
        title: str = "Inversion, round by round",
    ) -> None:
        super().__init__()
        with self.filling() as content:
            require(inversions, Inversions, "inversions")
            if not len(inversions):
                raise BadInput("inversions holds no vectors; expected at least one")
            self._found, self._title = inversions, title
            self._truths = _truths(truths, len(inversions))
            self._spans = _spans(spans, self._truths)
            stages, texts, cosines = _rounds(inversions)
            asked = [each.queries for each in inversions.path] or [inversions.queries]
            content.update(
                title=title,
                method=inversions.method,
                ids=[str(id) for id in inversions.ids],
                stages=stages,
                texts=pack_texts([text for each in texts for text in each]),
                cosines=cosines,
                queries=(np.cumsum(asked) / len(inversions)).tolist(),
                truths=self._truths,
                spans=self._spans,
            )

    def blocks(self) -> tuple[Block, ...]:
        """The last guess of the first few vectors beside the truth, and the rounds."""
        rows = range(min(_SHOWN, len(self._found)))
        guesses = [str(text) for text in self._found.texts]
        truths = self._truths or [str(id) for id in self._found.ids]
        examples = tuple(
            Example(_marked(truths[row], guesses[row]), _marked(guesses[row], truths[row]), self._note(row))
            for row in rows
        )
        path = (self._found.path_table(),) if self._found.path else ()
        steps = self._found.steps(0)
        first = (
            Table(
                ("after", "text", "cosine"),
                tuple((step["stage"], step["text"], step["cosine"]) for step in steps),
                f"The way of {self._found.ids[0]}",
            ),
        )
        return (Heading(self._title), Examples("Last guesses", examples), *(first if steps else ()), *path)

    def _note(self, row: int) -> str:
        cosine = "" if self._found.cosines is None else f"cosine {self._found.cosines[row]:.3f}"
        spans = self._spans[row] if self._spans and self._truths else []
        if not spans or not self._truths:
            return cosine
        values = (self._truths[row][each["start"] : each["end"]] for each in spans)
        whole = sum(contains(str(self._found.texts[row]), value) for value in values)
        return f"{cosine}, {whole} of {len(spans)} personal values whole".removeprefix(", ")


def _rounds(found: Inversions) -> tuple[list[str], list[list[str]], Float[np.ndarray, "r n"]]:
    """Names, texts and cosines of all rounds; NaN where there is no cosine."""
    if found.path:
        texts = [[str(text) for text in each.texts] for each in found.path]
        return [each.stage for each in found.path], texts, np.stack([each.cosines for each in found.path])
    cosines = np.full(len(found), np.nan) if found.cosines is None else found.cosines
    return [found.method], [[str(text) for text in found.texts]], np.asarray(cosines)[None]


def _truths(truths: Any, n: int) -> list[str] | None:
    if truths is None:
        return None
    require(truths, (list, tuple, np.ndarray), "truths")
    if len(truths) != n:
        raise BadInput(f"truths has {len(truths)} texts but there are {n} inversions; expected one each")
    return [str(text) for text in truths]


def _spans(spans: Any, truths: list[str] | None) -> list[list[dict[str, Any]]] | None:
    if spans is None:
        return None
    if truths is None:
        raise BadInput("spans were given without truths; they are places in the true texts")
    require(spans, (list, tuple), "spans")
    if len(spans) != len(truths):
        raise BadInput(f"spans has {len(spans)} entries but there are {len(truths)} texts; expected one each")
    return [list(_places(each, truths[row], row)) for row, each in enumerate(spans)]


def _places(spans: Any, text: str, row: int) -> Iterator[dict[str, Any]]:
    require(spans, (list, tuple), f"spans[{row}]")
    for span in spans:
        match span:
            case (str(kind), int(start), int(end)) if 0 <= start < end <= len(text):
                pass
            case _:
                raise BadInput(f"spans[{row}] holds {span!r}; expected (kind, start, end) in {len(text)} characters")
        # the browser counts UTF-16 units, Python characters
        before = len(text[:start].encode("utf-16-le")) // 2
        yield {
            "start": start,
            "end": end,
            "from": before,
            "to": before + len(text[start:end].encode("utf-16-le")) // 2,
            "kind": kind,
        }


def _marked(text: str, other: str) -> tuple[Segment, ...]:
    shared = set(tokens(other))
    return tuple(Segment(each, "same" if shared.issuperset(tokens(each) or [""]) else "") for each in pieces(text))
