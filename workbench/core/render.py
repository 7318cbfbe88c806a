"""One rendering path: blocks in; HTML, Markdown, JSON or a terminal's lines out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

from workbench.core import render_curves, render_marks
from workbench.core.blocks import Block, Cell, Example, Examples, Facts, Heading, Intervals, Segment, Table, Text
from workbench.core.codec import encode
from workbench.core.curves import Curves
from workbench.core.estimate import Estimate
from workbench.core.marks import Flow, Heatmap, Highlight, Waterfall
from workbench.core.text import inert

if TYPE_CHECKING:
    from rich.console import RenderableType


def cell_text(cell: Cell, digits: int = 3) -> str:
    """A cell as words: estimates with their interval, floats rounded, a dash for nothing."""
    match cell:
        case None:
            return "-"
        case Estimate():
            return cell.text(digits)
        case float():
            return f"{cell:.{digits}f}"
        case int():
            return f"{cell:,}"
        case _:
            return cell


def to_json(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Blocks as plain JSON, each with its type."""
    return [{"type": type(block).__name__.lower(), **encode(block)} for block in blocks]


def to_markdown(blocks: Iterable[Block]) -> str:
    """Blocks as GitHub-flavoured Markdown; charts become tables."""
    return "\n\n".join(_markdown(_harmless(block)) for block in blocks) + "\n"


def to_html(blocks: Iterable[Block]) -> str:
    """Blocks as HTML elements, all text escaped; a chart is a `<div class="chart">` that holds its figure as JSON."""
    return "\n".join(_html(_harmless(block)) for block in blocks)


def to_terminal(blocks: Iterable[Block]) -> RenderableType:
    """Blocks as one rich renderable."""
    from rich.console import Group

    return Group(*(_terminal(_harmless(block)) for block in blocks))


def plain(text: str) -> str:
    """Text of anywhere as Markdown that shows it: inert, and none of it markup."""
    return _md(inert(text))


def _harmless(value: Any) -> Any:
    """A block whose every text is inert: a store's texts may hold what a terminal obeys."""
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, tuple):
        return tuple(map(_harmless, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _harmless(getattr(value, each.name)) for each in fields(value)})
    return value


def _markdown(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_md(block.text)}"
        case Text():
            return _md(block.text) if block.tone == "plain" else f"> {_md(block.text)}"
        case Facts():
            return "\n".join(
                f"- **{_md(f.value)}** {_md(f.label)}" + (f" ({_md(f.note)})" if f.note else "") for f in block.items
            )
        case Intervals() | Curves():
            return _markdown(_numbers_of(block))
        case Highlight() | Heatmap() | Flow() | Waterfall():
            return _markdown(render_marks.as_table(block))
        case Table():
            lines = [f"**{_md(block.caption)}**", ""] if block.caption else []
            lines += ["| " + " | ".join(map(_md, block.columns)) + " |"]
            numeric = _numeric_columns(block)
            lines += ["|" + "|".join("---:" if right else "---" for right in numeric) + "|"]
            for number, row in enumerate(block.rows):
                cells = [_md(cell_text(cell, block.digits)) for cell in row]
                cells = [f"**{cell}**" if number in block.strong and cell else cell for cell in cells]
                lines.append("| " + " | ".join(cells) + " |")
            return "\n".join(lines)
        case Examples():
            lines = [f"**{_md(block.caption)}**", ""]
            for item in block.items:
                lines += [
                    f"- hidden: {_md_line(item.truth)}",
                    f"  read: {_md_line(item.guess)}",
                    f"  ({_md(item.note)})",
                ]
            return "\n".join(lines)


def _md(text: str) -> str:
    for character in "\\`*_[]<>|#":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", " ")


def _md_line(segments: tuple[Segment, ...]) -> str:
    return "".join(f"**{_md(s.text)}**" if s.mark else _md(s.text) for s in segments)


def _html(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
        case Text():
            return f'<p class="{block.tone}">{escape(block.text)}</p>'
        case Facts():
            items = "".join(
                f'<div class="fact {f.tone}"><b>{escape(f.value)}</b><span>{escape(f.label)}</span>'
                f"<small>{escape(f.note)}</small></div>"
                for f in block.items
            )
            return f'<div class="facts">{items}</div>'
        case Highlight() | Heatmap() | Flow() | Waterfall():
            return render_marks.as_html(block)
        case Curves():
            return render_curves.as_html(block, _unfolded(block))
        case Intervals():
            drawn = block.figure()
            figure = json.dumps(drawn, allow_nan=False).replace("<", "\\u003c")
            height = drawn["layout"]["height"]
            return (
                f'<figure><div class="chart" role="img" style="min-height:{height}px" '
                f'aria-label="{escape(block.title)}"><script type="application/json">{figure}</script></div>'
                f"{_unfolded(block)}</figure>"
            )
        case Table():
            return _html_table(block)
        case Examples():
            items = "".join(_html_example(item) for item in block.items)
            return f'<div class="examples"><h3>{escape(block.caption)}</h3>{items}</div>'


def _numbers_of(chart: Intervals | Curves) -> Table:
    return chart.table() if isinstance(chart, Intervals) else render_curves.as_table(chart)


def _unfolded(chart: Intervals | Curves) -> str:
    return f"<details><summary>as a table</summary>{_html_table(_numbers_of(chart))}</details>"


def _html_table(block: Table) -> str:
    numeric = _numeric_columns(block)
    kinds = [' class="number"' if right else "" for right in numeric]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(kinds, block.columns, strict=True))
    body = ""
    for number, row in enumerate(block.rows):
        cells = "".join(
            f"<td{kind}>{_html_cell(cell, block.digits)}</td>" for kind, cell in zip(kinds, row, strict=True)
        )
        body += f"<tr class='strong'>{cells}</tr>" if number in block.strong else f"<tr>{cells}</tr>"
    caption = f"<caption>{escape(block.caption)}</caption>" if block.caption else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _html_cell(cell: Cell, digits: int) -> str:
    if isinstance(cell, Estimate):
        value, _, interval = cell.text(digits).partition(" ")
        return f'<span title="n = {cell.n}, {escape(cell.method)}">{value} <small>{interval}</small></span>'
    return escape(cell_text(cell, digits))


def _html_example(item: Example) -> str:
    def line(segments: tuple[Segment, ...]) -> str:
        return "".join(
            f'<mark class="{escape(s.mark)}">{escape(s.text)}</mark>' if s.mark else escape(s.text) for s in segments
        )

    return (
        f"<dl><dt>hidden</dt><dd>{line(item.truth)}</dd><dt>read</dt><dd>{line(item.guess)}</dd>"
        f"<dt></dt><dd><small>{escape(item.note)}</small></dd></dl>"
    )


def _numeric_columns(block: Table) -> list[bool]:
    columns = zip(*block.rows, strict=True) if block.rows else [() for _ in block.columns]
    return [
        any(isinstance(cell, int | float | Estimate) for cell in column)
        and not any(isinstance(cell, str) and cell for cell in column)
        for column in columns
    ]


def _terminal(block: Block) -> RenderableType:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table as RichTable
    from rich.text import Text as RichText

    colours = {"plain": "", "good": "green", "bad": "red", "warn": "yellow"}
    match block:
        case Heading():
            return Padding(RichText(block.text, style="bold underline" if block.level == 1 else "bold"), (1, 0, 0, 0))
        case Text():
            return RichText(block.text, style=colours[block.tone])
        case Facts():
            lines = [
                RichText.assemble(
                    (f"{f.value:>12}", f"bold {colours[f.tone]}".strip()), f"  {f.label}", (f"  {f.note}", "dim")
                )
                for f in block.items
            ]
            return RichText("\n").join(lines)
        case Intervals() | Curves():
            return _terminal(_numbers_of(block))
        case Highlight() | Heatmap() | Flow() | Waterfall():
            return render_marks.as_terminal(block)
        case Table():
            table = RichTable(
                title=RichText(block.caption) if block.caption else None, box=box.SIMPLE_HEAD, title_justify="left"
            )
            for name, right in zip(block.columns, _numeric_columns(block), strict=True):
                table.add_column(RichText(name), justify="right" if right else "left")
            for number, row in enumerate(block.rows):
                style = "bold" if number in block.strong else ""
                table.add_row(*(RichText(cell_text(cell, block.digits)) for cell in row), style=style)
            return table
        case Examples():
            marks = {"": "", "same": "green", "mask": "reverse"}
            out = RichText(block.caption + "\n", style="bold")
            for item in block.items:
                for name, segments in (("hidden", item.truth), ("read", item.guess)):
                    out.append(f"  {name:>6}  ", style="not bold dim")
                    for s in segments:
                        out.append(s.text, style=f"not bold {marks.get(s.mark, '')}".strip())
                    out.append("\n")
                out.append(f"          {item.note}\n", style="not bold dim")
            return out
