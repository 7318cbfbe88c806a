"""Planted personal data: the spans are true, the splits share nothing, the addresses are nobody's."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime

import numpy as np
import pytest
from faker import Faker

from workbench.audit._planted import frequent_values
from workbench.core.errors import BadInput
from workbench.core.text import normalise
from workbench.data import personal
from workbench.data._task_items import split_in_turn
from workbench.data.personal import draw_value
from workbench.data.rules.planted import _frames, label_planted


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


def words_of_names(corpus):
    return {
        word.casefold()
        for text, spans in zip(corpus.corpus.texts, corpus.spans, strict=True)
        for span in spans
        if span.kind == "person"
        for word in text[span.start : span.end].split()
    }


def values(corpus):
    return [
        (span.kind, text[span.start : span.end].casefold())
        for text, spans in zip(corpus.corpus.texts, corpus.spans, strict=True)
        for span in spans
    ]


@pytest.fixture(scope="module")
def many():
    """Large samples of all splits under several seeds; the training split has had the time to see every value."""
    sizes = {"train": 2000, "validation": 200, "test": 600}
    return {split: [personal.load(split, n, seed) for seed in (0, 1, 2)] for split, n in sizes.items()}


@pytest.mark.parametrize(("one", "other"), [("train", "test"), ("train", "validation"), ("validation", "test")])
def test_splits_share_no_value_and_no_word_of_a_name_under_any_seed(many, one, other):
    found = {split: {each for corpus in many[split] for each in values(corpus)} for split in (one, other)}
    assert not found[one] & found[other]
    assert not {value for _, value in found[one]} & {value for _, value in found[other]}
    names = {split: set.union(*map(words_of_names, many[split])) for split in (one, other)}
    assert not names[one] & names[other]


def test_no_value_of_one_split_stands_in_a_planted_value_of_another(many):
    """Neither as a word of a town, nor as the end of a telephone number, nor as a year."""
    known = {f" {normalise(value)} " for corpus in many["train"] for _, value in values(corpus)}
    text = "|".join(known)
    hidden = {normalise(value) for corpus in many["test"] for _, value in values(corpus)}
    assert not [value for value in hidden if f" {value} " in text]


def test_days_are_split_in_all_their_forms(many):
    def days(split):
        return {
            datetime.strptime(value, "%m/%d/%Y" if "/" in value else "%B %d, %Y").date()
            for corpus in many[split]
            for kind, value in values(corpus)
            if kind == "date"
        }

    assert not days("train") & days("test")


def test_values_are_many_and_the_frequent_ones_are_frequent(many):
    """As many as there can be, drawn as before: the most common last name leads, towns and days are even."""
    counts = {}
    for split in ("train", "test"):
        for corpus in many[split]:
            for kind, value in values(corpus):
                counts.setdefault((split, kind), Counter())[value] += 1
    least = {"person": 350, "email": 200, "phone": 150, "date": 450, "place": 100, "account": 120}
    for kind, fewest in least.items():
        assert len(counts["test", kind]) > fewest, (kind, len(counts["test", kind]))
        assert len(counts["train", kind]) > len(counts["test", kind])
    assert counts["test", "place"].most_common(1)[0][1] < 0.05 * counts["test", "place"].total()
    assert set(frequent_values(many["train"][0])) == set(personal.KINDS)


@pytest.mark.parametrize("kind", ["person", "email", "phone", "date", "place", "account", "account-end"])
def test_a_value_drawn_for_a_split_is_never_drawn_for_another(kind):
    drawn = {}
    for number, split in enumerate(("train", "validation", "test")):
        fake = Faker("en_US")
        fake.seed_instance(number)
        drawn[split] = {draw_value(kind, fake, split) for _ in range(600)}
    assert not drawn["train"] & drawn["test"]
    assert not drawn["train"] & drawn["validation"]
    assert not drawn["validation"] & drawn["test"]


@pytest.mark.parametrize("kind", ["person", "place", "date", "email", "phone"])
def test_probing_tasks_share_no_made_up_value_between_splits(kind):
    splits = split_in_turn(_frames()["bodies"][kind])
    found = {}
    for item in label_planted([], kind, 1500):
        if item.label == "present":
            before, _, after = item.group.partition("{}")
            line = item.text[re.search(re.escape(before) if before else "", item.text, re.I).end() :]
            value = line.removesuffix(after)
            for opening in sorted(_frames()["openings"], key=len, reverse=True):
                value = value.removeprefix(f"{opening} ") if not before and opening else value
            found.setdefault(splits[item.group], set()).add(value.casefold())
    assert all(len(each) > 10 for each in found.values())
    assert not found["train"] & found["test"]
    assert not found["train"] & found["validation"]


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
