"""How curves look: SVG without any script, in the colours of the page that it stands on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from workbench.core.blocks import PALETTE, Table
from workbench.core.curves import Curve, Curves, axis_number

_DASHES = ("", "7 4", "2 3", "9 3 2 3")
_WIDTH, _HEIGHT = 720, 370
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 18, 14, 52
_TICKS = 6
_APART = 34
"""Least distance of two numbers under the horizontal axis."""
_CHANCE = 'fill="none" stroke="currentColor" stroke-opacity=".6" stroke-width="1.4" stroke-dasharray="5 5"/>'

_AT_REST = 'd="M0 6H26"'


def as_table(chart: Curves) -> Table:
    """The same numbers: a row a place on the horizontal axis, a column a line."""
    held = [dict(curve.points) for curve in chart.curves]
    rows = tuple((chart.label(x), *(points.get(x) for points in held)) for x in chart.xs())
    return Table((chart.x_axis, *(curve.name for curve in chart.curves)), rows, f"{chart.title} ({chart.y_axis})")


def as_html(chart: Curves, below: str = "") -> str:
    """A figure: the drawing with its title and description, a legend of dashes and marks, and what stands `below`."""
    axes = _Axes.of(chart)
    lines = "".join(_line(axes, number, curve, chart) for number, curve in enumerate(chart.curves))
    named = [_key(number, curve.name) for number, curve in enumerate(chart.curves)]
    if chart.diagonal:
        rest = _swatch(f"<path {_AT_REST} {_CHANCE}")
        named.append(f"<span>{rest}{escape(chart.diagonal)}</span>")
    told = "; ".join(f"{curve.name}: {_told(curve, chart)}" for curve in chart.curves if curve.points)
    return (
        f'<figure class="curves"><figcaption>{escape(chart.title)}</figcaption><div class="wide">'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" font-size="13" role="img" '
        f'aria-label="{escape(chart.title)}"><title>{escape(chart.title)}</title>'
        f"<desc>{escape(told)}</desc>{axes.frame(chart)}{lines}</svg></div>"
        f'<div class="keys">{"".join(named)}</div>{below}</figure>'
    )


@dataclass(frozen=True)
class _Axis:
    """A range of numbers and where they lie between two ends of the drawing."""

    low: float
    high: float
    log: bool
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Place of a number; what lies beyond an end is drawn at it."""
        value = min(max(value, self.low), self.high)
        low, high = self._scaled(self.low), self._scaled(self.high)
        return self.begin + (self._scaled(value) - low) / ((high - low) or 1.0) * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """Powers of ten and their 2 and 5 where there is room, or some round steps."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            steps = (1, 2, 5) if len(decades) <= 4 else (1,)
            found = [step * 10.0**power for power in decades for step in steps]
            return [tick for tick in found if self.low * 0.999 <= tick <= self.high * 1.001]
        raw = (self.high - self.low) / _TICKS
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * round_ for round_ in (1, 2, 5, 10) if power * round_ >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [step * n for n in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.log else value


@dataclass(frozen=True)
class _Axes:
    x: _Axis
    y: _Axis

    @classmethod
    def of(cls, chart: Curves) -> _Axes:
        """Ranges that hold every point, and every interval on a plain axis."""
        points = [point for curve in chart.curves for point in curve.points]
        xs = [x for x, _ in points if x > 0 or "x" not in chart.log] or [0.1, 1.0]
        left, right = min(xs), max(xs)
        if left == right:
            left, right = (left / 2, right * 2) if "x" in chart.log else (left - 0.5, right + 0.5)
        shown = [end for _, e in points for end in e.shown()] or [0.0, 1.0]
        top = max(1.0, *shown) if "y" in chart.percent else max(shown)
        if "y" in chart.log:
            above = [value for value in shown if value > 0]
            bottom = left if chart.diagonal else 10.0 ** math.floor(math.log10(min(above, default=0.1)))
        else:
            bottom = min(0.0, *shown)
        if top <= bottom:
            top = bottom * 10 if "y" in chart.log else bottom + 1
        return cls(
            _Axis(left, right, "x" in chart.log, _LEFT + 10.0, _WIDTH - _RIGHT - 10.0),
            _Axis(bottom, top, "y" in chart.log, float(_HEIGHT - _BOTTOM), float(_TOP)),
        )

    def frame(self, chart: Curves) -> str:
        """Grid, numbers, names of the axes, the diagonal and the marked place."""
        out = '<g stroke="var(--line, #ddd)" fill="none">'
        rows = [(self.y.at(tick), axis_number(tick, "y" in chart.percent)) for tick in self.y.ticks()]
        columns = [(self.x.at(tick), chart.label(tick)) for tick in self._columns(chart)]
        out += "".join(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>' for y, _ in rows)
        out += "".join(f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>' for x, _ in columns) + "</g>"
        out += '<g fill="var(--soft, currentColor)">'
        out += "".join(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>' for y, name in rows)
        out += "".join(
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{name}</text>' for x, name in columns
        )
        middle = (_TOP + _HEIGHT - _BOTTOM) / 2
        out += (
            f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">'
            f'{escape(chart.x_axis)}</text><text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">'
            f"{escape(chart.y_axis)}</text></g>"
        )
        if chart.diagonal:
            low, high = max(self.x.low, self.y.low), min(self.x.high, self.y.high)
            steps = [low + (high - low) * step / 100 for step in range(101)]
            places = " ".join(f"{self.x.at(value):.1f} {self.y.at(value):.1f}" for value in steps)
            out += f'<path d="M{places}" {_CHANCE}'
        return out

    def _columns(self, chart: Curves) -> list[float]:
        """Few points are named themselves."""
        named = chart.xs()
        places = [self.x.at(x) for x in named]
        apart = min((b - a for a, b in pairwise(places)), default=math.inf)
        return list(named) if apart > _APART else self.x.ticks()


def _line(axes: _Axes, number: int, curve: Curve, chart: Curves) -> str:
    """Band, line, marks, and a bar for the interval of the marked point."""
    colour = PALETTE[number % len(PALETTE)]
    places = [(axes.x.at(x), axes.y.at(e.value), *map(axes.y.at, e.shown())) for x, e in curve.points]
    if not places:
        return ""
    edge = [f"{x:.1f} {high:.1f}" for x, _, _, high in places] + [f"{x:.1f} {low:.1f}" for x, _, low, _ in places[::-1]]
    middle = " ".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in places)
    out = f'<g stroke="{colour}" fill="{colour}"><path d="M{" ".join(edge)}Z" stroke="none" fill-opacity=".1"/>'
    out += f'<path d="M{middle}" fill="none" stroke-width="2" stroke-dasharray="{_DASHES[number % len(_DASHES)]}"/>'
    shift = 5.0 * (number - (len(chart.curves) - 1) / 2)
    for (x, y, low, high), (at, estimate) in zip(places, curve.points, strict=True):
        if at == chart.marked:
            out += f'<path d="M{x + shift:.1f} {low:.1f}V{high:.1f}" stroke-width="1.6"/>'
            out += "".join(f'<path d="M{x + shift - 3:.1f} {end:.1f}h6" stroke-width="1.6"/>' for end in (low, high))
        said = f"{curve.name}, {chart.label(at)}: {estimate.text()} (n = {estimate.n})"
        here = x + shift if at == chart.marked else x
        out += f'<g transform="translate({here:.1f} {y:.1f})">{_mark(number)}<title>{escape(said)}</title></g>'
    return out + "</g>"


def _mark(number: int) -> str:
    """A circle, square, diamond or triangle around the origin."""
    return (
        '<circle r="4"/>',
        '<path d="M-3.6 -3.6h7.2v7.2h-7.2Z"/>',
        '<path d="M0 -5L5 0L0 5L-5 0Z"/>',
        '<path d="M0 -4.8L4.6 3.6H-4.6Z"/>',
    )[number % 4]


def _key(number: int, name: str) -> str:
    colour = PALETTE[number % len(PALETTE)]
    drawn = (
        f'<g stroke="{colour}" fill="{colour}"><path {_AT_REST} stroke-width="2" '
        f'stroke-dasharray="{_DASHES[number % len(_DASHES)]}"/><g transform="translate(13 6)">{_mark(number)}</g></g>'
    )
    return f"<span>{_swatch(drawn)}{escape(name)}</span>"


def _swatch(inside: str) -> str:
    return f'<svg viewBox="0 0 26 12" width="26" height="12" aria-hidden="true">{inside}</svg> '


def _told(curve: Curve, chart: Curves) -> str:
    """First and last point, for who does not see the drawing."""
    ends = dict.fromkeys((curve.points[0], curve.points[-1]))
    return ", ".join(f"{e.text()} at {chart.label(x)}" for x, e in ends)
