"""Rules label what they say they label."""

from __future__ import annotations

from collections import Counter

import pytest

from workbench.core.errors import BadInput, UnknownName
from workbench.core.text import normalise
from workbench.data import corpora
from workbench.data.corpora import Corpus
from workbench.data.rules.bigram_shift import label_bigram_shift
from workbench.data.rules.label import _first_words
from workbench.data.rules.language import label_language
from workbench.data.rules.length import label_length
from workbench.data.rules.origin import label_origin
from workbench.data.rules.parsed import label_parsed
from workbench.data.rules.pattern import label_pattern
from workbench.data.rules.planted import _frames, label_planted
from workbench.data.rules.question import label_question
from workbench.data.rules.word_content import label_word_content
from workbench.data.tasks import task_card

TEXTS = (
    "Who said so?",
    "I think I can't.",
    "He met Mary at 9.",
    "What a day! she said.",
    "\U0001f600",
    "",
    "yes",
    "She began to eat the eat twice.",
)


@pytest.fixture
def source(monkeypatch):
    groups = tuple(f"own:d{row}" for row in range(len(TEXTS)))
    corpus = Corpus("own", groups, TEXTS, groups)
    monkeypatch.setattr(corpora, "load", lambda name, *_: corpus)
    return ["own"]


def labels(items):
    return {item.text: item.label for item in items}


def test_patterns(source):
    def found(name):
        options = task_card(name).options
        return {text for text, label in labels(label_pattern(source, **options)).items() if label == options["present"]}

    assert found("capital") == {"He met Mary at 9."}
    assert found("digit") == {"He met Mary at 9."}
    assert found("negation") == {"I think I can't."}
    with pytest.raises(BadInput, match="regular expression"):
        list(label_pattern(source, "(", "a", "b"))


def test_lengths_are_counted_in_words(source):
    found = labels(label_length(source, [[1, 1], [3, 5]]))
    assert found["yes"] == "1-1" and found["Who said so?"] == "3-5" and "" not in found
    with pytest.raises(BadInput, match="bins"):
        list(label_length(source, [[3, 1]]))


def test_words_must_be_the_only_one(source):
    found = labels(label_word_content(source, ["began", "met", "said", "day", "i"]))
    assert found["He met Mary at 9."] == "met" and found["She began to eat the eat twice."] == "began"
    assert "What a day! she said." not in found  # two of them


def test_questions_lose_their_mark(source):
    found = labels(label_question(source))
    assert found["Who said so"] == "question" and found["I think I can't"] == "statement"
    assert not any("day" in text for text in found)  # a mark within


def test_shifted_words_are_neighbours_and_ends_stay():
    corpus = corpora.load("conservative").head(400)
    written = {" ".join(sorted(text.split())): text for text in corpus.texts}
    items = list(label_bigram_shift(["conservative"], 400))
    counts = Counter(item.label for item in items)
    assert 0.35 < counts["shifted"] / len(items) < 0.65
    for item in items:
        words, before = item.text.split(), written[" ".join(sorted(item.text.split()))].split()
        moved = [row for row, (a, b) in enumerate(zip(words, before, strict=True)) if a != b]
        assert moved == ([] if item.label == "as written" else [moved[0], moved[0] + 1])
        assert words[0] == before[0] and words[-1] == before[-1]


def test_translations_share_their_group():
    items = [item for item, _ in zip(label_language(["tatoeba"]), range(2000), strict=False)]
    by_group: dict[str, set[str]] = {}
    for item in items:
        by_group.setdefault(item.group, set()).add(item.label)
    assert all(found >= {"English"} and len(found) > 1 for found in by_group.values())


def test_long_texts_end_with_a_whole_sentence():
    assert _first_words("One two three. Four five six. Seven.", 6) == "One two three. Four five six."
    assert _first_words("a b c d e f", 3) == "a b c"
    assert _first_words("", 3) == ""


@pytest.mark.parametrize("kind", ["person", "email", "phone", "date", "place"])
def test_planted_lines_hold_a_value_or_a_filler(kind):
    frames = _frames()
    assert len(set(frames["bodies"][kind])) == 48 and all(body.count("{}") == 1 for body in frames["bodies"][kind])
    for item in label_planted([], kind, 300):
        plain = any(normalise(filler) in normalise(item.text) for filler in frames["fillers"][kind])
        assert plain == (item.label == "absent"), item
    with pytest.raises(UnknownName, match="person"):
        next(iter(label_planted([], "persn")))


def test_writers_are_told_by_document():
    found = {item.group: item.label for item in label_origin(["gutenberg"], {"Austen": "austen-*"})}
    assert set(found) == {"gutenberg:austen-emma", "gutenberg:austen-persuasion", "gutenberg:austen-sense"}


def test_silver_labels_on_the_whole():
    tense = list(label_parsed(["conservative"], "tense"))
    assert (
        sum(" was " in item.text for item in tense if item.label == "past")
        > 20 * sum(" was " in item.text and " is " not in item.text for item in tense if item.label == "present") / 10
    )
    with pytest.raises(UnknownName, match="tense"):
        next(label_parsed(["conservative"], "tens"))
