"""Blocks that point at pieces of texts: coloured words, a grid of pairs, lines between texts, a sum in steps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Weighted:
    """A piece of text with its weight; neighbours are written with a space between them where `space` is true."""

    text: str
    weight: float
    space: bool = True


@dataclass(frozen=True)
class Highlight:
    """Lines of coloured pieces, each with a label; the largest weight of all lines has the full colour."""

    caption: str
    lines: tuple[tuple[str, tuple[Weighted, ...]], ...]

    @property
    def scale(self) -> float:
        """The largest absolute weight."""
        return max((abs(piece.weight) for _, pieces in self.lines for piece in pieces), default=0.0)


@dataclass(frozen=True)
class Heatmap:
    """A grid of numbers under coloured cells; `ruled` last rows and columns are set apart by a line."""

    caption: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    ruled: int = 0

    @property
    def scale(self) -> float:
        """The largest absolute value outside of the ruled rows and columns, or of all if there is none."""
        height, width = len(self.rows) - self.ruled, len(self.columns) - self.ruled
        inside = [abs(value) for row in self.values[:height] for value in row[:width]]
        return max(inside, default=0.0) or max((abs(value) for row in self.values for value in row), default=0.0)


@dataclass(frozen=True)
class Flow:
    """Two texts above each other, and a line for each pair of pieces (left, right, weight)."""

    caption: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    links: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class Waterfall:
    """Named steps that add up to a total."""

    caption: str
    steps: tuple[tuple[str, float], ...]
    total: str

    @property
    def sum(self) -> float:
        """Where the steps end."""
        return sum(value for _, value in self.steps)


Mark = Highlight | Heatmap | Flow | Waterfall
