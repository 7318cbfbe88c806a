"""A hostile store: whatever it holds, pages, Markdown and terminal show it as text, and only so much of it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from workbench.audit._examples import sentence_examples
from workbench.audit.payload import payload
from workbench.core import render
from workbench.core.blocks import Examples
from workbench.core.embedding_set import EmbeddingSet
from workbench.report import Report
from workbench.results import Inversions

EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\x1b[2J\x1b]0;owned\x07 red \x1b[31m",
    "a\x00b\x08c\x7f\x9b31m",
    "[bold red]markup[/] [link=http://evil]x[/link]",
    "| a | b |\n---\n# heading ![x](http://evil/x.png)",
    "\u202egnp.exe\u2066 \u200b",
    "x" * 1_000_000,
]


@pytest.fixture(scope="module")
def store():
    vectors = np.random.default_rng(0).standard_normal((len(EVIL), 8)).astype(np.float32)
    ids = np.array([f"{n} {text[:50]}" for n, text in enumerate(EVIL)], dtype=object)
    texts = np.array(EVIL, dtype=object)
    return EmbeddingSet(ids, vectors, texts, {"note <b>x</b>": texts, "kind": np.array(["a", "b"] * 4, dtype=object)})


@pytest.fixture(scope="module")
def results(store):
    n = len(store)
    found = Inversions("search", store.ids, store.texts, np.ones(n), np.zeros(n, np.int64), 0, 0.1)
    return found, payload(store)


def terminal(result):
    out = io.StringIO()
    Console(file=out, width=120, force_terminal=False).print(result)
    return out.getvalue()


def test_a_page_holds_no_markup_of_the_store(results):
    page = Report("<b>title</b>", results).to_html()
    for text in ("<script>alert", "<img src=x", "<b>x</b>", "<b>title</b>"):
        assert text not in page


def test_the_terminal_is_sent_no_escapes(results):
    for result in results:
        shown = terminal(result)
        assert not [c for c in shown if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160]


def test_markdown_loads_no_picture(results):
    text = Report("title", results).to_markdown()
    assert "![x](http" not in text
    assert "<script>" not in text


def test_masked_examples_show_no_letter_of_a_store():
    texts = ["<b>Maria</b> owes \x1b[31m1,200", "account 12345678 of Ann"]
    block = Examples("Examples", tuple(sentence_examples(texts, texts[::-1], np.ones(2), 2, masked=True)))
    shown = render.to_html([block])
    assert not any(word in shown for word in ("Maria", "owes", "200", "account", "12345678", "Ann"))
    assert "xxx" in shown and "999" in shown


def test_examples_are_text_too():
    block = Examples("Examples", tuple(sentence_examples(EVIL, EVIL[::-1], np.ones(len(EVIL)), len(EVIL))))
    page = render.to_html([block])
    assert "<script>" not in page
    assert "<img" not in page
