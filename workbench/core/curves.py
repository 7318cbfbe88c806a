"""Curves: lines of estimates over a number, on plain or logarithmic axes."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.estimate import Estimate


@dataclass(frozen=True)
class Curve:
    """One line: a number on the horizontal axis and the estimate that stands over it, in rising order."""

    name: str
    points: tuple[tuple[float, Estimate], ...]


@dataclass(frozen=True)
class Curves:
    """Lines with bands of their 95% intervals.

    `log` names the axes that are logarithmic. With `diagonal` the line y = x is drawn, as chance is in an ROC curve,
    and a logarithmic y axis then begins where the x axis does. At `marked`, intervals are drawn as bars.
    """

    title: str
    x_axis: str
    y_axis: str
    curves: tuple[Curve, ...]
    log: str = ""
    """`x`, `xy` or nothing."""
    diagonal: str = ""
    """What the line y = x is called; empty: none is drawn."""
    marked: float | None = None
    percent: str = ""
    """The axes (`x`, `y`, `xy`) whose numbers are shares and are written in percent."""

    def xs(self) -> tuple[float, ...]:
        """Every number that some line has a point over, in order."""
        return tuple(sorted({x for curve in self.curves for x, _ in curve.points}))

    def label(self, x: float) -> str:
        """A number of the horizontal axis in words."""
        return axis_number(x, "x" in self.percent)


def axis_number(value: float, percent: bool) -> str:
    """A number of an axis in words."""
    if percent:
        return f"{100 * value:.4g}%"
    return f"{value:,.0f}" if abs(value) >= 1000 and value == round(value) else f"{value:.3g}"
