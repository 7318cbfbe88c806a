"""What counts as recovered, nearly recovered or made up, by whom, in which groups, and what is shown of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.audit._examples import chosen, record_examples, sentence_examples
from workbench.audit._fuzzy import fewest_edits, similarity
from workbench.audit._groups import group_scores
from workbench.audit._planted import frequent_values, holds, persons, recoveries, share, written
from workbench.core.text import normalise
from workbench.data import personal
from workbench.data.corpora import Corpus
from workbench.data.personal import PersonalCorpus, Span


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("call (212) 555-0143 now", "212-555-0143", True),
        ("Maria Lopez called.", "maria lopez", True),
        ("maria called lopez", "Maria Lopez", False),
        ("write to maria.lopez@example.org", "maria.lopez@example.org", True),
        ("on 03/15/2019", "03/15/2019", True),
        ("number 123456", "2345", False),
        ("annabel", "Anna", False),
        ("it was -5 degrees", "5 degrees", False),
        ("\u6211\u53eb\u738b\u4f1f\uff0c\u4f4f\u5728\u5317\u4eac\u3002", "\u738b\u4f1f", True),  # my name is Wang Wei
        ("\u6211\u53eb\u738b\u4e3d\uff0c\u4f4f\u5728\u5317\u4eac\u3002", "\u738b\u4f1f", False),
        (
            "\u092e\u0947\u0930\u093e \u0928\u093e\u092e \u0930\u0940\u0924\u093e \u0939\u0948",
            "\u0930\u0940\u0924\u093e",
            True,
        ),
        (
            "\u092e\u0947\u0930\u093e \u0928\u093e\u092e \u0930\u0940\u0924\u0941 \u0939\u0948",
            "\u0930\u0940\u0924\u093e",
            False,
        ),
        ("anything", "", False),
    ],
)
def test_a_value_is_found_whole_or_not(text, value, found):
    assert holds(text, value) is found


def test_a_part_counts_as_a_part():
    assert share("lopez was here", "Maria Lopez") == 0.5
    assert share("nothing", "Maria Lopez") == 0.0
    assert share("on 03/15/2018", "03/15/2019") == pytest.approx(2 / 3), "the parts of a date count by themselves"
    assert share("write to a.b@example.com", "a.c@example.org") == pytest.approx(2 / 4), "the @ is no word"
    assert share("\u738b\u4e3d", "\u738b\u4f1f") == 0.5
    assert share("anything", "") == 0.0


@pytest.fixture(scope="module")
def records():
    return personal.load("test", 80)


def test_the_truth_recovers_everything_and_nothing_recovers_nothing(records):
    whole = recoveries(records, records.corpus.texts, "truth", [""] * 80)
    assert {r.kind for r in whole} == set(personal.KINDS)
    assert all(r.exact.value == r.fuzzy.value == r.partial.value == 1.0 for r in whole)
    assert all(r.excess and r.excess.value == 1.0 and r.excess.low > 0 for r in whole if r.exact.n >= 10)
    assert all(r.exact.method == "Clopper-Pearson" for r in whole)
    assert {r.kind: r.invented and r.invented.value for r in whole} == {
        "person": None,
        "place": None,
        **dict.fromkeys(("email", "phone", "date", "account"), 0.0),
    }
    nothing = recoveries(records, [""] * 80, "nothing")
    assert all(r.exact.value == 0.0 and r.exact.high > 0 and r.excess is None for r in nothing)


def test_an_attack_that_is_only_its_prior_has_no_excess(records):
    shuffled = tuple(np.roll(np.array(records.corpus.texts, dtype=object), 1))
    for r in recoveries(records, shuffled, "prior", shuffled):
        assert r.excess is not None
        assert r.excess.low <= 0 <= r.excess.high


@pytest.mark.parametrize(
    ("text", "value", "least", "most"),
    [
        ("write to maria.lopes@example.org now", "maria.lopez@example.org", 0.9, 0.99),
        ("maria lopes called", "Maria Lopez", 0.9, 0.95),
        ("number 91234567890", "12345678", 0.0, 0.75),
        ("nothing of the kind", "212-555-0143", 0.0, 0.4),
        ("", "Maria", 0.0, 0.0),
        ("on 03/15/2018", "03/15/2019", 0.9, 0.9),
        ("\u6211\u53eb\u738b\u5c0f\u4f1f\u3002", "\u738b\u5c0f\u4f1f", 1.0, 1.0),
        ("\u6211\u53eb\u738b\u5c0f\u4e3d\u3002", "\u738b\u5c0f\u4f1f", 0.66, 0.67),
    ],
)
def test_a_value_is_nearly_found(text, value, least, most):
    assert least <= similarity(text, value) <= most


LETTERS = st.text("abc ", max_size=9)


@given(LETTERS, LETTERS)
def test_the_fewest_edits_are_those_of_the_whole_table(text, pattern):
    """Against Sellers' table of distances, which may begin and end anywhere in the text."""
    row = [0] * (len(text) + 1)
    for place, wanted in enumerate(pattern, 1):
        last, row = row, [place]
        for column, found in enumerate(text, 1):
            row.append(min(last[column - 1] + (wanted != found), last[column] + 1, row[-1] + 1))
    assert fewest_edits(text, pattern) == min(row)


@given(st.text(max_size=12), st.text(min_size=1, max_size=6))
def test_what_is_found_whole_is_nearly_found(text, value):
    if normalise(value) and holds(text, value):
        assert similarity(text, value) == 1.0
    assert 0.0 <= similarity(text, value) <= 1.0


def test_what_was_made_up_is_counted():
    told = (
        "write to a.b@example.org or (212) 555-0143 by 03/15/2019, May 2, 2020, {$1200.00}, in 2019, account 71608108"
    )
    assert written(told) == [
        ("email", "a.b@example.org"),
        ("phone", "(212) 555-0143"),
        ("date", "03/15/2019"),
        ("date", "May 2, 2020"),
        ("account", "71608108"),
    ]
    texts = ("Write to a.b@example.org.", "Call (212) 555-0143 today, Ann Lee.", "Ann Lee pays from 71608108.")
    spans = ((Span("email", 9, 24),), (Span("phone", 5, 19), Span("person", 27, 34)))
    spans += ((Span("person", 0, 7), Span("account", 18, 26)),)
    planted = PersonalCorpus(Corpus("personal", ("0", "1", "2"), texts, ("0", "1", "2")), spans)
    guesses = ["to a.b@example.org and c.d@example.org", "call (212) 555-0199, ann lee", "ann lee pays from 71608109"]
    found = {each.kind: each for each in recoveries(planted, guesses, "attack", ["", "", ""])}
    assert (found["email"].exact.value, found["email"].invented.value) == (1.0, 0.5)
    assert (found["phone"].exact.value, found["phone"].fuzzy.value, found["phone"].invented.value) == (0.0, 1.0, 1.0)
    assert found["account"].fuzzy_excess.value == 1.0 and found["person"].invented is None
    people = persons(planted, guesses, "attack", ["", "", ""])
    assert (people.anything.value, people.anything.n) == (1.0, 2), "Ann Lee stands in two records and is one person"
    assert (people.named.value, people.named.n, people.linked.value) == (1.0, 1, 0.0)
    assert people.anything_excess.value == 1.0
    alone = persons(planted, ["", "", "ann lee pays from 71608108"], "attack")
    assert (alone.anything.value, alone.linked.value, alone.linked_excess) == (0.5, 1.0, None)


def test_groups_show_who_fares_worst():
    texts = tuple(f"short text {n}" for n in range(20)) + tuple(
        f"a much longer text of {n} {'word ' * 9}" for n in range(20)
    )
    groups = tuple(f"{'news' if n % 2 else 'mail'}:{n}" for n in range(40))
    hidden = Corpus("both", tuple(map(str, range(40))), texts, groups)
    read = list(texts[:20]) + [""] * 20
    found = {each.group: each for each in group_scores(hidden, read, [""] * 40, {"topic": ["a"] * 35 + ["b"] * 5})}
    assert set(found) == {"1 to 8 words", "15 to 20 words", "news", "mail", "a"}, "five texts are no group"
    short, long = found["1 to 8 words"], found["15 to 20 words"]
    assert (short.excess.value, short.exact.value, short.exact_excess.value) == (1.0, 1.0, 1.0)
    assert long.excess.value == 0.0 and long.excess.low < 0 < long.excess.high, "nothing varies, which proves little"
    assert found["news"].token_f1.value == found["mail"].excess.value == 0.5


def test_groups_count_letters_where_no_blanks_are_set():
    """Twelve Chinese texts of five letters and twelve of ten are two lengths, not one of a word each."""
    texts = tuple(chr(0x4E00 + n) + "\u4e00" * 4 for n in range(12)) + tuple(
        chr(0x5E00 + n) + "\u4e8c" * 9 for n in range(12)
    )
    hidden = Corpus("store", tuple(map(str, range(24))), texts, tuple(map(str, range(24))))
    found = {each.group: each for each in group_scores(hidden, [text[:-1] for text in texts], [""] * 24)}
    assert {group: each.words for group, each in found.items()} == {
        "1 to 8 words or letters": 5.0,
        "9 to 14 words or letters": 10.0,
    }
    assert found["1 to 8 words or letters"].token_f1.value == pytest.approx(8 / 9), "four of five letters"


def test_frequent_values_are_real_values():
    known = personal.load("train", 200)
    guess = frequent_values(known)
    assert set(guess) == set(personal.KINDS)
    assert any(guess["person"] in text for text in known.corpus.texts)


def test_examples_show_no_planted_value(records):
    texts = list(records.corpus.texts)
    for item in record_examples(records, texts, np.ones(80), 80):
        shown = "".join(s.text for s in (*item.truth, *item.guess))
        for text, spans in zip(texts, records.spans, strict=True):
            if "".join(s.text for s in item.truth).startswith(text[: spans[0].start]):
                values = [text[s.start : s.end] for s in spans if s.kind in ("email", "phone", "account")]
                assert not any(value in shown for value in values)
        assert any(s.mark == "mask" and "found" in s.text for s in item.guess)


def test_examples_follow_a_stated_rule():
    order = list(range(100, 0, -1))
    picked = chosen(order, 8, seed=3)
    assert [why for _, why in picked] == ["best"] * 2 + ["median"] * 2 + ["random"] * 4
    assert [row for row, _ in picked[:4]] == [100, 99, 51, 50] and len({row for row, _ in picked}) == 8
    assert picked == chosen(order, 8, seed=3) != chosen(order, 8, seed=4)


@given(st.integers(0, 12), st.integers(0, 12))
def test_no_example_is_shown_twice(size, n):
    picked = chosen(list(range(size)), n)
    assert len({row for row, _ in picked}) == len(picked) == min(size, n)


def test_a_near_miss_is_masked_too():
    text = "Write to mariella.lopez@example.org."
    planted = PersonalCorpus(Corpus("personal", ("0",), (text,), ("0",)), ((Span("email", 9, 35),),))
    (item,) = record_examples(planted, ["write to mariela.lopes@example.org."], np.ones(1), 1)
    assert "".join(segment.text for segment in item.guess) == "write to [part of email]."


def test_plaintext_is_shown_when_asked_for(records):
    texts = list(records.corpus.texts)
    (item, *_) = record_examples(records, texts, np.ones(80), 80, plaintext=True)
    assert "".join(s.text for s in item.truth) in texts
    (masked,) = sentence_examples(["Maria owes 1,200."], ["maria owed 1,300"], np.array([0.5]), 1, masked=True)
    assert "".join(s.text for s in masked.truth) == "xxx xxx 9,999."
    assert [s.text for s in masked.truth if s.mark] == ["xxx"], "1,200 and 1,300 are two numbers"


def test_shared_words_of_other_scripts_are_marked():
    """Hindi: the words, not their consonants; Chinese: the letters."""
    hindi = ["\u0939\u093f\u0902\u0926\u0940 \u0926\u093f\u0928"], ["\u0939\u093f\u0902\u0926\u0940 \u0926\u093e\u0928"]
    (item,) = sentence_examples(*hindi, np.array([0.5]), 1)
    assert [s.text for s in item.truth if s.mark] == ["\u0939\u093f\u0902\u0926\u0940"]
    (item,) = sentence_examples(["\u6211\u7231\u4f60"], ["\u6211\u6068\u4f60"], np.array([0.5]), 1)
    assert [s.text for s in item.truth if s.mark] == ["\u6211", "\u4f60"]


def test_planted_names_of_other_scripts_are_masked():
    text, name = "\u6211\u53eb\u738b\u4f1f\u3002", "\u738b\u4f1f"
    planted = PersonalCorpus(Corpus("personal", ("0",), (text,), ("0",)), ((Span("person", 2, 4),),))
    (item,) = record_examples(planted, [text], np.ones(1), 1)
    shown = "".join(segment.text for segment in (*item.truth, *item.guess))
    assert not {*name} & {*shown} and "[person: found]" in shown


def test_shared_words_are_marked():
    (item,) = sentence_examples(["The cat sat."], ["the dog sat"], np.array([0.5]), 1)
    assert [s.text for s in item.truth if s.mark] == ["The", "sat"]
