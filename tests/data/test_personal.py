"""Planted personal data: the spans are true, the splits share nothing, the addresses are nobody's."""

from __future__ import annotations

import re

import numpy as np
import pytest

from workbench.core.errors import BadInput
from workbench.data import personal


@pytest.fixture(scope="module")
def records():
    return {split: personal.load(split, 300) for split in ("train", "validation", "test")}


def test_every_span_is_what_it_says(records):
    forms = {
        "email": r"[\w.]+@example\.(com|org|net)",
        "phone": r"\(?\d{3}\)?[ -]555-01\d\d",
        "date": r"\d\d/\d\d/\d{4}|[A-Z][a-z]+ \d{1,2}, \d{4}",
        "account": r"\d{4}|\d{8}",
        "person": r"[A-Z][\w'-]+( [A-Z][\w'-]+)?",
        "place": r"[A-Z].+",
    }
    for corpus in records.values():
        for text, spans in zip(corpus.corpus.texts, corpus.spans, strict=True):
            assert spans
            for span in spans:
                assert re.fullmatch(forms[span.kind], text[span.start : span.end]), (span, text)


def test_nothing_is_left_struck_out(records):
    assert not any("XX" in text or "{p" in text for corpus in records.values() for text in corpus.corpus.texts)


def test_splits_share_no_text_and_no_frame(records):
    groups = {split: set(corpus.corpus.groups) for split, corpus in records.items()}
    texts = {split: set(corpus.corpus.texts) for split, corpus in records.items()}
    for a, b in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert not groups[a] & groups[b]
        assert not texts[a] & texts[b]


def test_all_kinds_are_planted_where_they_are_learnt_and_tested(records):
    for split in ("train", "test"):
        kinds = {span.kind for spans in records[split].spans for span in spans}
        assert kinds == set(personal.KINDS)


def test_the_same_seed_gives_the_same_persons(records):
    assert personal.load("test", 300).corpus.texts == records["test"].corpus.texts
    assert personal.load("test", 300, seed=1).corpus.texts != records["test"].corpus.texts
    assert len(set(records["test"].corpus.ids)) == 300


def test_picking_keeps_spans_with_their_texts(records):
    picked = records["test"].where(np.array([3, 1]))
    assert picked.corpus.texts[0] == records["test"].corpus.texts[3]
    assert picked.spans[0] == records["test"].spans[3]


def test_impossible_requests_are_refused():
    with pytest.raises(BadInput):
        personal.load("test", 0)
    with pytest.raises(BadInput):
        personal.load("dev", 5)
