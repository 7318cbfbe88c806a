"""Marks render everywhere, with every text escaped and no script."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from workbench.core import render
from workbench.core.curves import Curve, Curves
from workbench.core.estimate import Estimate, proportion
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


def test_a_long_name_is_cut_and_shown_whole_where_one_points_at_it():
    name = "a & b " * 30
    for mark in (Heatmap("grid", (name,), ("x",), ((0.5,),)), Flow("flow", (name,), ("x",), ((0, 0, 0.5),))):
        page = render.to_html((mark,))
        shown = re.findall(r">([^<]*\u2026)<", page)
        assert len(shown) == 1
        assert len(shown[0].replace("&amp;", "&")) <= 40
        assert name.replace("&", "&amp;") in page


def test_a_waterfall_ends_at_the_sum():
    fall = Waterfall("sum", (("up", 0.75), ("down", -0.25)), "cosine")
    assert fall.sum == 0.5
    assert "+0.5000" in render.to_html([fall])
    assert "| **cosine** | **0.5000** |" in render.to_markdown([fall])


XS = st.lists(st.floats(-10, 1e6), unique=True, max_size=6).map(sorted)


@given(st.text(max_size=12), XS, st.floats(-2, 2), st.sampled_from(("", "x", "xy")), st.sampled_from(("", "y", "xy")))
def test_curves_of_any_points_render_everywhere(name, xs, value, log, percent):
    """No point, one point, points that no logarithm has: drawn inside of the frame, and told as a table."""
    estimate = Estimate(value, value - 0.5, value + 0.5, 9, "made up")
    curves = (Curve(name, tuple((x, estimate) for x in xs)), Curve("none", ()))
    chart = Curves("caption", name, name, curves, log, "chance", xs[0] if xs else None, percent)
    html = render.to_html([chart])
    assert "<script" not in html and "nan" not in re.sub(r"<t.*?</t.*?>|<desc>.*?</desc>|<span>.*?</span>", "", html)
    numbers = [float(n) for d in re.findall(r' d="M([^"]*)"', html) for n in re.findall(r"-?\d+\.?\d*", d)]
    assert all(-10 <= n <= 720 for n in numbers)
    assert "caption" in render.to_markdown([chart])
    Console(file=open("/dev/null", "w")).print(render.to_terminal([chart]))  # noqa: SIM115


def test_a_roc_curve_has_its_chance_its_bar_and_its_words():
    points = tuple((x, proportion(round(1000 * y), 1000)) for x, y in ((0.001, 0.4), (0.01, 0.5), (1.0, 1.0)))
    html = render.to_html([Curves("ROC", "false", "found", (Curve("<b>", points),), "xy", "chance", 0.01, "xy")])
    assert "<b>" not in html and 'role="img"' in html and "<title>ROC</title>" in html
    assert "<desc>&lt;b&gt;: 0.400" in html and "at 0.1%" in html and "chance" in html
    assert html.count("h6") == 2  # the ends of one bar
    assert "0.500 <small>[0.469, 0.531]</small>" in html.partition("<details>")[2]


@pytest.mark.parametrize(("log", "names"), [("x", ("1", "10", "100")), ("", ("0", "20", "40"))])
def test_an_axis_of_many_points_has_round_numbers(log, names):
    curve = Curve("line", tuple((float(x), proportion(1, 2)) for x in range(1, 101)))
    html = render.to_html([Curves("many", "x", "y", (curve,), log)])
    assert all(f">{name}</text>" in html for name in names)
