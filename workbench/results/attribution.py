"""Attributions: what each piece of a text gives to a score, and what each pair of pieces gives to a cosine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.errors import BadInput
from workbench.core.marks import Flow, Heatmap, Highlight, Waterfall, Weighted
from workbench.core.result import Result

_LINES = 40
"""Pairs that are drawn as lines."""
_UNREAD = 600
"""Characters of unread text that are shown."""
REFERENCE = "(reference)"


@dataclass(frozen=True, eq=False)
class Attribution(Result):
    """What each of n pieces of a text gives to `score`, its unit vector's product with a direction.

    `values` and `border` (what the reference gives) sum to the score; `completeness_error` is what they missed of it
    before that was shared out over the pieces, or still miss. `about` says in
    words what the direction is.
    """

    method: str
    embedder: str
    text: str
    about: str
    tokens: tuple[str, ...]
    spans: Int[np.ndarray, "n 2"]
    values: Float[np.ndarray, " n"]
    border: float
    score: float
    completeness_error: float
    rule: str
    nodes: int
    seconds: float
    read: int = -1
    """Characters of the text that the model read; -1: all."""
    tokens_cut: int = 0
    """Tokens of the text that the model did not read."""
    notes: tuple[str, ...] = ()
    """What to know of the score: text that was not read, tokens that are not known."""

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.values):
            raise BadInput(f"{len(self.tokens)} tokens but {len(self.values)} values; expected one value a token")

    def line(self) -> tuple[Weighted, ...]:
        """The text's pieces, coloured."""
        return coloured(self.tokens, self.spans, self.values)

    def blocks(self) -> tuple[Block, ...]:
        """The coloured text and the sum."""
        steps = (("pieces of the text", float(self.values.sum())), ("reference", self.border))
        return (
            Heading("What gives this score"),
            *((Text(f"The score is the {self.about}."),) if self.about else ()),
            _facts(self),
            *_notes(self.notes),
            Highlight(
                "Blue raises it, orange lowers it",
                (("text", self.line()), *_unread("text", self.text, self.read, self.tokens_cut)),
            ),
            Waterfall("The sum", _with_error(steps, self.score), "score"),
        )


@dataclass(frozen=True, eq=False)
class PairAttribution(Result):
    """The cosine of two texts as a bordered matrix over their pieces.

    `matrix` has a row for each piece of the first text and a column for each of the second; the last row and column
    are the references. Its sum is `score`, the cosine, but for `completeness_error`.
    """

    method: str
    embedder: str
    text_a: str
    text_b: str
    tokens_a: tuple[str, ...]
    tokens_b: tuple[str, ...]
    spans_a: Int[np.ndarray, "a 2"]
    spans_b: Int[np.ndarray, "b 2"]
    matrix: Float[np.ndarray, "a_plus_1 b_plus_1"]
    score: float
    completeness_error: float
    rule: str
    nodes: int
    layer: int
    reference: str
    seconds: float
    contrast: Attribution | None = None
    level: str = ""
    """What the pieces are: token, word, phrase or sentence."""
    read_a: int = -1
    read_b: int = -1
    """Characters of each text that the model read; -1: all."""
    tokens_cut_a: int = 0
    tokens_cut_b: int = 0
    """Tokens of each text that the model did not read."""
    notes: tuple[str, ...] = ()
    """What to know of the score: text that was not read, tokens that are not known."""

    def __post_init__(self) -> None:
        shape = (len(self.tokens_a) + 1, len(self.tokens_b) + 1)
        if self.matrix.shape != shape:
            raise BadInput(f"matrix has shape {self.matrix.shape}; expected {shape}: a row a token and the reference's")

    def parts(self) -> tuple[tuple[str, float], ...]:
        """Interior, both borders and the corner: they sum to the cosine but for the error."""
        m = self.matrix
        return (
            ("pairs of pieces", float(m[:-1, :-1].sum())),
            ("first text with reference", float(m[:-1, -1].sum())),
            ("reference with second text", float(m[-1, :-1].sum())),
            ("both references", float(m[-1, -1])),
        )

    def blocks(self) -> tuple[Block, ...]:
        """Both texts coloured, the grid, the strongest pairs as lines, and the sum in steps."""
        inside = self.matrix[:-1, :-1]
        strongest = np.argsort(-np.abs(inside), axis=None)[:_LINES]
        links = tuple(
            (i, j, float(inside[i, j])) for i, j in (divmod(place, inside.shape[1]) for place in strongest.tolist())
        )
        contrast = self.contrast.blocks() if self.contrast else ()
        return (
            Heading("Which words this cosine comes from", 1),
            _facts(self),
            *_notes(self.notes),
            self._texts(),
            self._grid(),
            *((Flow("The strongest pairs", self.tokens_a, self.tokens_b, links),) if links else ()),
            Waterfall("Interior + borders + corner = cosine", _with_error(self.parts(), self.score), "cosine"),
            Text(self._told()),
            *contrast,
        )

    def brief(self) -> tuple[Block, ...]:
        """Without the lines and the explanation."""
        kept = (Heading, Facts, Highlight, Heatmap, Waterfall)
        notes = {f"Note: {note}" for note in self.notes}
        return tuple(
            block
            for block in self.blocks()
            if isinstance(block, kept) or (isinstance(block, Text) and block.text in notes)
        )

    def _texts(self) -> Highlight:
        rows, columns = self.matrix[:-1].sum(1), self.matrix[:, :-1].sum(0)
        return Highlight(
            "What each piece gives, over the whole other text: blue raises the cosine, orange lowers it",
            (
                ("first", coloured(self.tokens_a, self.spans_a, rows)),
                *_unread("first", self.text_a, self.read_a, self.tokens_cut_a),
                ("second", coloured(self.tokens_b, self.spans_b, columns)),
                *_unread("second", self.text_b, self.read_b, self.tokens_cut_b),
            ),
        )

    def _grid(self) -> Heatmap:
        values = tuple(tuple(row) for row in self.matrix.tolist())
        rows, columns = ((*tokens, REFERENCE) for tokens in (self.tokens_a, self.tokens_b))
        return Heatmap("Each pair's share of the cosine", rows, columns, values, ruled=1)

    def _told(self) -> str:
        where = "the token embeddings" if self.layer == 0 else f"the states of layer {self.layer}"
        pieces = f", pieces: {self.level}s" if self.level else ""
        return (
            f"Method: {self.method}{pieces}, at {where}; reference: {self.reference!r}. A row is a piece of the first "
            "text, a column one of the second; the last of each is the reference, from which the path to the text "
            "begins. What stands in the borders is the likeness of a text with an empty one, and belongs to no pair."
        )


@dataclass(frozen=True, eq=False)
class HitAttributions(Result):
    """The nearest vectors of a store to a query, and what each piece of the query gives to each of them."""

    query: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    items: tuple[Attribution, ...]
    method: str
    embedder: str

    def blocks(self) -> tuple[Block, ...]:
        """The hits with their scores, and the query in the colours of each."""
        rows = tuple(
            (id, item.score, float(item.values.sum()), item.border, text[:120])
            for id, item, text in zip(self.ids, self.items, self.texts, strict=True)
        )
        lines = tuple((f"{id} {item.score:.3f}", item.line()) for id, item in zip(self.ids, self.items, strict=True))
        error = max((item.completeness_error for item in self.items), default=0.0)
        return (
            Heading("Why these are the nearest", 1),
            Text(f"Query: {self.query}"),
            *_notes(self.items[0].notes if self.items else ()),
            Table(("hit", "cosine", "query's words", "reference", "text"), rows, f"By {self.method}, {self.embedder}"),
            Highlight(
                "The query's words, as each hit sees them",
                (
                    *lines,
                    *(_unread("query", self.query, self.items[0].read, self.items[0].tokens_cut) if lines else ()),
                ),
            ),
            Text(f"Largest completeness error: {error:.2g}."),
        )


def coloured(
    tokens: tuple[str, ...], spans: Int[np.ndarray, "n 2"], values: Float[np.ndarray, " n"]
) -> tuple[Weighted, ...]:
    """Pieces with weights; those that touch in the text are written without a space."""
    out, last = [], -1
    for token, (start, end), value in zip(tokens, spans.tolist(), values.tolist(), strict=True):
        out.append(Weighted(token, float(value), space=not (end > start and start == last)))
        last = end
    return tuple(out)


def _notes(notes: tuple[str, ...]) -> tuple[Text, ...]:
    return tuple(Text(f"Note: {note}") for note in notes)


def _unread(which: str, text: str, read: int, cut: int) -> tuple[tuple[str, tuple[Weighted, ...]], ...]:
    """A line with the part of a text that the model did not read, without colour; none where it read all."""
    if not cut:
        return ()
    rest = text[max(read, 0) :].strip()
    shown = rest if len(rest) <= _UNREAD else f"{rest[:_UNREAD]}\u2026 ({len(rest) - _UNREAD:,} more characters)"
    return ((f"{which}, not read", (Weighted(shown, 0.0),)),)


def _with_error(steps: tuple[tuple[str, float], ...], score: float) -> tuple[tuple[str, float], ...]:
    return (*steps, ("not accounted for", score - sum(value for _, value in steps)))


def _facts(found: Attribution | PairAttribution) -> Facts:
    how, error = f"{found.rule}, {found.nodes} nodes" if found.nodes else found.rule, found.completeness_error
    return Facts(
        (
            Fact("score", f"{found.score:.3f}", found.embedder),
            Fact("completeness error", f"{error:.1e}", how, "plain" if error < 0.05 else "warn"),
            Fact("seconds", f"{found.seconds:.2f}", found.method),
        )
    )
