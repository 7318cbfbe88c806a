"""Marks render everywhere, with every text escaped and no script."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from workbench.core import render
from workbench.core.marks import Flow, Heatmap, Highlight, Waterfall, Weighted

NAMES = st.lists(st.text(max_size=12), min_size=1, max_size=5)
NUMBERS = st.floats(-2, 2)


@given(NAMES, NAMES, NUMBERS)
def test_any_text_and_number_renders_everywhere(rows, columns, value):
    values = tuple(tuple(value for _ in columns) for _ in rows)
    blocks = [
        Highlight("caption", (("label", tuple(Weighted(name, value) for name in rows)),)),
        Heatmap("caption", tuple(rows), tuple(columns), values, ruled=1),
        Flow("caption", tuple(rows), tuple(columns), ((0, 0, value),)),
        Waterfall("caption", tuple((name, value) for name in rows), "total"),
    ]
    html = render.to_html(blocks)
    assert html.count("caption") >= 4
    assert "<script" not in html
    assert render.to_markdown(blocks)
    for width in (20, 80):
        Console(file=open("/dev/null", "w"), width=width).print(render.to_terminal(blocks))  # noqa: SIM115


def test_texts_are_escaped():
    html = render.to_html(
        [Heatmap("<i>", ("<b>",), ("<u>",), ((1.0,),)), Flow("<i>", ("<b>",), ("<u>",), ((0, 0, 1.0),))]
    )
    for raw in ("<i>", "<b>", "<u>"):
        assert raw not in html


def test_a_grid_breaks_to_the_width_of_the_terminal():
    heat = Heatmap("grid", ("row",), tuple(f"c{i}" for i in range(12)), ((0.5,) * 12,))
    console = Console(record=True, width=50)
    console.print(render.to_terminal([heat]))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 50
    assert all(any(f"c{i}" in line for line in lines) for i in range(12))


def test_a_waterfall_ends_at_the_sum():
    fall = Waterfall("sum", (("up", 0.75), ("down", -0.25)), "cosine")
    assert fall.sum == 0.5
    assert "+0.5000" in render.to_html([fall])
    assert "| **cosine** | **0.5000** |" in render.to_markdown([fall])
