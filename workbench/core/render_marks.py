"""How marks look: HTML and SVG without any script, tables for Markdown, colours in a terminal."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench.core.blocks import Table
from workbench.core.marks import Flow, Heatmap, Highlight, Mark, Waterfall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.style import Style

_MORE, _LESS = (0, 114, 178), (213, 94, 0)
"""Okabe and Ito's blue for what raises, vermillion for what lowers."""
_STRONGEST = 12
_LABEL, _WORD = 40, 24
"""Characters of a name next to a grid, and at the end of a line; the whole name is shown where one points at it."""
_CELL = 6
"""Columns of a terminal that a cell of a grid takes."""


def as_table(mark: Mark) -> Table:
    """The same numbers in rows."""
    match mark:
        case Highlight():
            rows = tuple((label, piece.text, float(piece.weight)) for label, pieces in mark.lines for piece in pieces)
            return Table(("text", "piece", "weight"), rows, mark.caption)
        case Heatmap():
            rows = tuple((name, *map(float, values)) for name, values in zip(mark.rows, mark.values, strict=True))
            return Table(("", *mark.columns), rows, mark.caption)
        case Flow():
            links = sorted(mark.links, key=lambda link: -abs(link[2]))[:_STRONGEST]
            rows = tuple((mark.left[i], mark.right[j], float(weight)) for i, j, weight in links)
            return Table(("from", "to", "weight"), rows, f"{mark.caption}: the strongest")
        case Waterfall():
            rows = (*((name, float(value)) for name, value in mark.steps), (mark.total, float(mark.sum)))
            return Table(("part", "value"), rows, mark.caption, strong=(len(mark.steps),), digits=4)


def as_html(mark: Mark) -> str:
    """An element that needs no script."""
    match mark:
        case Highlight():
            return _highlight(mark)
        case Heatmap():
            return _heatmap(mark)
        case Flow():
            return _flow(mark)
        case Waterfall():
            return _waterfall(mark)


def as_terminal(mark: Mark) -> RenderableType:
    """Coloured text, or a coloured grid that is broken into as many parts as the terminal is narrow."""
    match mark:
        case Highlight():
            return _coloured_lines(mark)
        case Heatmap():
            return _Grid(mark)
        case _:
            from workbench.core.render import to_terminal

            return to_terminal([as_table(mark)])


def _colour(weight: float, scale: float) -> str:
    share = min(abs(weight) / scale, 1.0) if scale else 0.0
    red, green, blue = _MORE if weight >= 0 else _LESS
    return f"rgba({red},{green},{blue},{0.85 * share:.2f})"


def _shade(weight: float, scale: float) -> Style:
    """A background between white and the full colour, with ink that can be read on it."""
    from rich.color import Color
    from rich.style import Style

    share = min(abs(weight) / scale, 1.0) if scale else 0.0
    mixed = [round(255 + share * (part - 255)) for part in (_MORE if weight >= 0 else _LESS)]
    return Style(color="white" if share > 0.6 else "black", bgcolor=Color.from_rgb(*mixed))


def _highlight(mark: Highlight) -> str:
    scale, lines = mark.scale, ""
    for label, pieces in mark.lines:
        words = "".join(
            (" " if piece.space and number else "")
            + f'<span style="background:{_colour(piece.weight, scale)}" title="{piece.weight:+.4f}">'
            f"{escape(piece.text)}</span>"
            for number, piece in enumerate(pieces)
        )
        lines += f"<dt>{escape(label)}</dt><dd>{words}</dd>"
    return f'<div class="highlight"><h3>{escape(mark.caption)}</h3><dl>{lines}</dl></div>'


def _heatmap(mark: Heatmap) -> str:
    scale = mark.scale
    wide, high = len(mark.columns) - mark.ruled, len(mark.rows) - mark.ruled
    head = "".join(
        f'<th class="{"ruled" if j == wide else ""}" title="{escape(name)}"><span>{_cut(name, _LABEL)}</span></th>'
        for j, name in enumerate(mark.columns)
    )
    body = ""
    for i, (name, values) in enumerate(zip(mark.rows, mark.values, strict=True)):
        cells = "".join(
            f'<td class="{"ruled" if j == wide else ""}" style="background:{_colour(value, scale)}" '
            f'title="{escape(name)} and {escape(mark.columns[j])}: {value:+.4f}">{_hundredths(value)}</td>'
            for j, value in enumerate(values)
        )
        label = f'<th title="{escape(name)}">{_cut(name, _LABEL)}</th>'
        body += f'<tr class="{"ruled" if i == high else ""}">{label}{cells}</tr>'
    return (
        f'<figure class="heatmap"><figcaption>{escape(mark.caption)}, in hundredths</figcaption>'
        f'<div class="wide"><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div></figure>'
    )


def _cut(name: str, most: int) -> str:
    """The beginning of a long name, for HTML."""
    return escape(name if len(name) <= most else name[: most - 1].rstrip() + "\u2026")


def _hundredths(value: float) -> str:
    shown = f"{100 * value:.1f}"
    return "" if shown in ("0.0", "-0.0") else shown


def _flow(mark: Flow) -> str:
    top, bottom = _places(mark.left), _places(mark.right)
    width = max(top[-1], bottom[-1], 60.0)
    strongest = max((abs(weight) for *_, weight in mark.links), default=0.0)
    lines = ""
    for i, j, weight in sorted(mark.links, key=lambda link: abs(link[2])):
        x, y = (sum(pair) / 2 - 6 for pair in (top[i : i + 2], bottom[j : j + 2]))
        share = abs(weight) / strongest if strongest else 0.0
        lines += (
            f'<path d="M{x:.1f} 26C{x:.1f} 80 {y:.1f} 80 {y:.1f} 134" stroke="{_colour(weight, strongest)}" '
            f'stroke-width="{0.5 + 6.5 * share:.1f}" fill="none"><title>{escape(mark.left[i])} and '
            f"{escape(mark.right[j])}: {weight:+.4f}</title></path>"
        )
    words = "".join(
        f'<text x="{(a + b) / 2 - 6:.1f}" y="{y}" text-anchor="middle">{_cut(name, _WORD)}'
        f"<title>{escape(name)}</title></text>"
        for names, places, y in ((mark.left, top, 18), (mark.right, bottom, 150))
        for name, (a, b) in zip(names, pairwise(places), strict=True)
    )
    return (
        f'<figure class="flow"><figcaption>{escape(mark.caption)}</figcaption><div class="wide">'
        f'<svg viewBox="0 0 {width:.0f} 160" width="{width:.0f}" height="160" role="img" '
        f'aria-label="{escape(mark.caption)}">{lines}{words}</svg></div></figure>'
    )


def _places(names: tuple[str, ...]) -> list[float]:
    """Left ends of words in a row, and the right end of the last."""
    out = [0.0]
    for name in names:
        out.append(out[-1] + 8.4 * min(max(len(name), 1), _WORD) + 14)
    return out


def _waterfall(mark: Waterfall) -> str:
    ends = [0.0]
    for _, value in mark.steps:
        ends.append(ends[-1] + value)
    low, high = min(0.0, *ends), max(0.0, *ends)
    span = (high - low) or 1.0
    bars = ""
    bounds = [*pairwise(ends), (0.0, mark.sum)]
    names = [*mark.steps, (mark.total, mark.sum)]
    for number, ((name, value), (a, b)) in enumerate(zip(names, bounds, strict=True)):
        left, width = (min(a, b) - low) / span, abs(b - a) / span
        colour = _colour(value, abs(value) or 1.0) if number < len(mark.steps) else "var(--ink, #333)"
        bars += (
            f'<div class="step{"" if number < len(mark.steps) else " total"}"><span>{escape(name)}</span><i>'
            f'<b style="left:{100 * left:.2f}%;width:max({100 * width:.2f}%, 2px);background:{colour}"></b></i>'
            f"<em>{value:+.4f}</em></div>"
        )
    return f'<figure class="waterfall"><figcaption>{escape(mark.caption)}</figcaption>{bars}</figure>'


def _coloured_lines(mark: Highlight) -> RenderableType:
    from rich.text import Text

    out, scale = Text(mark.caption + "\n", style="bold"), mark.scale
    widest = max((len(label) for label, _ in mark.lines), default=0)
    for label, pieces in mark.lines:
        out.append(f"  {label:>{widest}}  ", style="not bold dim")
        for number, piece in enumerate(pieces):
            if piece.space and number:
                out.append(" ")
            out.append(piece.text, style=_shade(piece.weight, scale))
        out.append("\n")
    return out


class _Grid:
    """A heatmap in hundredths; asks the console for its width when it is drawn."""

    def __init__(self, mark: Heatmap) -> None:
        self._mark = mark

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich.table import Table as RichTable
        from rich.text import Text

        mark, scale = self._mark, self._mark.scale
        first = min(max((len(name) for name in mark.rows), default=0), 16)
        fit = max(1, (options.max_width - first - 2) // (_CELL + 1))
        yield Text(f"{mark.caption} (in hundredths)", style="bold")
        for start in range(0, len(mark.columns), fit):
            table = RichTable(box=None, padding=(0, 1, 0, 0), pad_edge=False)
            table.add_column("", no_wrap=True, max_width=first)
            for name in mark.columns[start : start + fit]:
                table.add_column(Text(name), justify="right", no_wrap=True, min_width=_CELL, max_width=_CELL)
            for name, values in zip(mark.rows, mark.values, strict=True):
                cells = [Text(f"{100 * v:>{_CELL}.1f}", style=_shade(v, scale)) for v in values[start : start + fit]]
                table.add_row(Text(name), *cells)
            yield table
