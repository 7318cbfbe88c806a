"""Blocks: the small set of things that a result can show. Every renderer knows all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from workbench.core.curves import Curves
from workbench.core.estimate import Estimate
from workbench.core.marks import Mark

Cell = str | int | float | Estimate | None
Tone = Literal["plain", "good", "bad", "warn"]
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666")
"""Okabe and Ito's colours, which colour-blind readers can tell apart."""
_SYMBOLS = ("circle", "square", "diamond", "cross")
_LEGEND = 640
_RULE = {"color": "#888888", "width": 1, "dash": "dash"}


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the page's title."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph of plain words."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Fact:
    """One number that a reader should take away."""

    label: str
    value: str
    note: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Facts:
    """A row of headline numbers."""

    items: tuple[Fact, ...]


@dataclass(frozen=True)
class Table:
    """Rows under named columns; numbers stand right, estimates carry their interval. `strong` rows are set in bold."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    strong: tuple[int, ...] = ()
    digits: int = 3


@dataclass(frozen=True)
class Series:
    """One colour of a chart: an estimate for each label, None where there is none."""

    name: str
    estimates: tuple[Estimate | None, ...]


@dataclass(frozen=True)
class Intervals:
    """A dot with its interval for each label and series, on one horizontal axis."""

    title: str
    axis: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    upper: float | None = None
    """Right end of the axis; None lets it follow the data."""
    rules: tuple[tuple[str, float], ...] = ()
    """Named places on the axis, drawn as upright lines."""

    def table(self) -> Table:
        """The same numbers as a table."""
        rows = tuple(
            (label, *(series.estimates[row] for series in self.series)) for row, label in enumerate(self.labels)
        )
        return Table(("", *(series.name for series in self.series)), rows, self.title)

    def figure(self) -> dict[str, Any]:
        """A plotly figure as plain JSON: `data` and `layout`."""
        traces = []
        for number, series in enumerate(self.series):
            shown = [(i, e) for i, e in enumerate(series.estimates) if e is not None]
            offset = 0.62 * ((number + 0.5) / len(self.series) - 0.5)
            colour = PALETTE[number % len(PALETTE)]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": series.name,
                    "x": [e.value for _, e in shown],
                    "y": [i + offset for i, _ in shown],
                    "error_x": {
                        "type": "data",
                        "symmetric": False,
                        "array": [e.shown()[1] - e.value for _, e in shown],
                        "arrayminus": [e.value - e.shown()[0] for _, e in shown],
                        "color": colour,
                        "thickness": 1.6,
                        "width": 4,
                    },
                    "marker": {
                        "size": 8,
                        "color": colour,
                        "symbol": _SYMBOLS[number % len(_SYMBOLS)],
                    },
                    "hovertext": [f"{self.labels[i]}, {series.name}: {e.text()} (n = {e.n})" for i, e in shown],
                    "hoverinfo": "text",
                }
            )
        axis: dict[str, Any] = {"title": {"text": self.axis}, "rangemode": "tozero", "zeroline": True}
        if self.upper is not None:
            axis["range"] = [min(0.0, *self._lows()) - 0.02 * self.upper, 1.02 * self.upper]
        below = 22 * self._legend_lines()
        layout = {
            "title": {"text": self.title, "x": 0.01, "xanchor": "left", "xref": "container"},
            "height": 95 + below + max(30, 14 * len(self.series) + 12) * len(self.labels),
            "xaxis": axis,
            "yaxis": {
                "tickvals": list(range(len(self.labels))),
                "ticktext": list(self.labels),
                "range": [len(self.labels) - 0.5, -0.5],
                "automargin": True,
                "zeroline": False,
                "showgrid": False,
            },
            "legend": {"orientation": "h", "y": 0, "yref": "container", "yanchor": "bottom"},
            "showlegend": len(self.series) > 1,
            "margin": {"l": 10, "r": 20, "t": 60 if self.rules else 45, "b": 50 + below},
            "shapes": [
                {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": _RULE}
                for _, at in self.rules
            ],
            "annotations": [
                {"x": at, "y": 1, "yref": "paper", "yanchor": "bottom", "text": name, "showarrow": False}
                for name, at in self.rules
            ],
        }
        return {"data": traces, "layout": layout}

    def _legend_lines(self) -> int:
        """Lines that the legend takes where the page is not wide, for its columns are as wide as the longest name."""
        across = max(1, _LEGEND // (8 * max((len(series.name) for series in self.series), default=1) + 45))
        return -(-len(self.series) // across) if len(self.series) > 1 else 0

    def _lows(self) -> list[float]:
        return [e.shown()[0] for series in self.series for e in series.estimates if e is not None] or [0.0]


@dataclass(frozen=True)
class Segment:
    """A piece of a line: `mark` is "" for plain text, "same" for words that both lines share, "mask" for masked."""

    text: str
    mark: str = ""


@dataclass(frozen=True)
class Example:
    """A hidden text and what was read off its vector."""

    truth: tuple[Segment, ...]
    guess: tuple[Segment, ...]
    note: str


@dataclass(frozen=True)
class Examples:
    """Examples, one under the other."""

    caption: str
    items: tuple[Example, ...]


Block = Heading | Text | Facts | Table | Intervals | Curves | Examples | Mark
