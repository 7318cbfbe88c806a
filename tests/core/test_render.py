"""One rendering path: every block in every form, escaped, with every number that it holds."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from workbench.core import render
from workbench.core.blocks import Example, Examples, Fact, Facts, Heading, Intervals, Segment, Series, Table, Text
from workbench.core.estimate import Estimate

HALF = Estimate(0.5, 0.4, 0.6, 100, "Wilson")
BLOCKS = (
    Heading("A heading"),
    Text("A paragraph.", "warn"),
    Facts((Fact("of words", "51%", "n = 3", "bad"),)),
    Table(("method", "score"), (("ours", HALF), ("theirs", None)), "A table", strong=(0,)),
    Intervals("A chart", "share", ("ours", "theirs"), (Series("F1", (HALF, None)), Series("BLEU", (HALF, HALF))), 1.0),
    Examples(
        "Some", (Example((Segment("hidden ["), Segment("name", "mask")), (Segment("read", "same"),), "cosine .9"),)
    ),
)


def terminal(blocks):
    out = io.StringIO()
    Console(width=100, file=out).print(render.to_terminal(blocks))
    return out.getvalue()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_every_block_in_every_form(block):
    assert render.to_html([block])
    assert render.to_markdown([block]).strip()
    assert json.loads(json.dumps(render.to_json([block])))[0]["type"] == type(block).__name__.lower()


def test_estimates_are_shown_with_their_interval_everywhere():
    table = [BLOCKS[3]]
    assert "0.500 [0.400, 0.600]" in render.to_markdown(table).replace("\\", "")
    assert "0.500 [0.400, 0.600]" in terminal(table)
    assert "n = 100, Wilson" in render.to_html(table)


def test_a_chart_carries_its_numbers_and_its_intervals():
    figure = BLOCKS[4].figure()
    first = figure["data"][0]
    assert first["x"] == [0.5]
    assert first["error_x"]["array"] == [pytest.approx(0.1)]
    assert figure["layout"]["yaxis"]["ticktext"] == ["ours", "theirs"]
    assert len({trace["marker"]["symbol"] for trace in figure["data"]}) == 2, "colour is not the only difference"


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.opened = []

    def handle_starttag(self, tag, attrs):
        self.opened.append(tag)


@given(st.text(max_size=60))
def test_no_text_can_become_markup(text):
    evil = f"<script>alert(1)</script>{text}<img src=x onerror=y>"
    blocks = [
        Heading(evil),
        Text(evil),
        Facts((Fact(evil, evil, evil),)),
        Table((evil,), ((evil,),), evil),
        Examples(evil, (Example((Segment(evil),), (Segment(evil, "mask"),), evil),)),
    ]
    tags = _Tags()
    tags.feed(render.to_html(blocks))
    assert "script" not in tags.opened
    assert "img" not in tags.opened


def test_a_chart_cannot_close_its_own_script():
    chart = Intervals("</script><script>alert(1)</script>", "x", ("</script>",), (Series("a", (HALF,)),))
    html = render.to_html([chart])
    assert html.count("</script>") == 1
