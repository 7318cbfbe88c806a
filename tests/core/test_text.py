"""Normal forms, and splits that follow from them."""

from __future__ import annotations

import itertools
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.text import (
    SPLITS,
    contains,
    content_key,
    normalise,
    pieces,
    split_form,
    split_of,
    tokens,
    word_count,
    words,
)

ODD = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "0123456789.,:/-\u2212\u2013$\u20ac%#@&*+=<>!?()[] \u00ad\u200d\u200c\ufe0f\u0301\u0308\u00b4`\u00a8\u00bd"
            "\u00b2"
            "\u2075\u207b\u2044\u01f0\u0149\u6211\u662f\u3002\u304b\u30ab\u309b\u30fc\u3099 \u0e40\u0e2a\u0e37"
            "\u0e49\u0e2d\u0f56\u0f51\u0f0b\u0926\u093f\u0928\U0001f1e9\U0001f44d\U0001f3fb\U0001f3f4\U000e0067\U000e007f"
            "\ufb01\u00df\u0130"
            "\u0131\u03a3\u03c2\u212a\u0345\u1fb3\u02b9\u2019'\"_^~aA"
        ),
    ),
    max_size=14,
)


@given(st.one_of(st.text(), ODD))
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


@given(ODD)
def test_canonically_equivalent_texts_are_one_text(text):
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, text)
        assert normalise(other) == normalise(text)
        assert content_key(other) == content_key(text)


@given(ODD)
def test_a_text_holds_itself_and_is_the_sum_of_its_pieces(text):
    assert contains(text, text)
    assert "".join(pieces(text)) == text
    assert normalise(f" {text}\n") == normalise(text)


DIFFERENT = [
    ("\u0926\u093f\u0928", "\u0926\u093e\u0928"),  # Hindi: day, gift
    ("\u0e40\u0e2a\u0e37\u0e2d", "\u0e40\u0e2a\u0e37\u0e49\u0e2d"),  # Thai: mat or tiger, shirt
    ("\u0ba8\u0bbe\u0baf\u0bcd", "\u0ba8\u0bcb\u0baf\u0bcd"),  # Tamil: dog, illness
    ("\u05e9\u05c1\u05dd", "\u05e9\u05c2\u05dd"),  # Hebrew: the dot of shin or sin
    ("\u0639\u064e\u0644\u0651\u064e\u0645", "\u0639\u064e\u0644\u0650\u0645"),  # Arabic: taught, knew
    ("C++ error", "C# error"),
    ("C error", "C# error"),
    ("-5 degrees", "5 degrees"),
    ("\u22125 degrees", "5 degrees"),
    ("from -5 to 5", "from 5 to 5"),
    ("$5", "\u20ac5"),
    ("$5", "5"),
    ("-$5", "$5"),
    ("5%", "5"),
    ("5\u2030", "5%"),
    ("10\u00b0", "10"),
    ("a<b", "a>b"),
    ("x*y", "x/y"),
    ("x*y", "x y"),
    ("x+y", "x-y"),
    ("x = -y", "x = y"),
    ("x != y", "x = y"),
    ("x -> y", "x > y"),
    ("x == y", "x = y"),
    ("a & b", "a | b"),
    ("2^3", "2 3"),
    ("1.5", "1 5"),
    ("1.5", "1:5"),
    ("1/2", "1 2"),
    ("1,200", "1 200"),
    (".5 mg", "5 mg"),
    ("10\u00b2", "102"),
    ("10\u207b\u2075", "10\u2075"),
    ("5\u00bd", "51/2"),
    ("#cats", "cats"),
    ("a@b", "a b"),
    ("???", "!!!"),
    ("\u3002", "\uff1f"),
    ("\U0001f600", "\U0001f622"),
    ("ok \U0001f44d", "ok \U0001f44e"),
    ("\U0001f44d\U0001f3fb", "\U0001f44d\U0001f3ff"),
    ("\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"),
    (
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ),  # the flags of England and Scotland
    ("\u6c14\u6e29-5\u5ea6", "\u6c14\u6e295\u5ea6"),  # Chinese: the temperature is -5 degrees, 5 degrees
]


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_marks_signs_and_operators_make_texts_different(a, b):
    assert normalise(a) != normalise(b)
    assert content_key(a) != content_key(b)


SAME = [
    ("Hello, World!", "hello world"),
    ("$ 5", "$5"),
    ("5 %", "5%"),
    ("c + +", "C++"),
    ("- 5 degrees", "-5 degrees"),
    ("\u2013 5".replace(" ", ""), "-5"),
    ("\u22125", "-5"),
    ("$-5 ", "$ -5"),
    ("a < b", "a<b"),
    ("e-mail", "e mail"),
    ("(212) 555-0143", "212-555-0143"),
    ("7 - 10 days", "7-10 days"),
    ("well - yes", "well, yes"),
    ("don\u00b4t", "don't"),
    ("caf\u00e9", "cafe\u0301"),
    ("co\u00adoperate", "cooperate"),
    ("\u2764\ufe0f", "\u2764"),
    ("\ufeffhello", "hello"),
    ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u062e\u0648\u0627\u0647\u0645"),
    ("\uff35\uff33\uff04\uff15", "US$5"),
    ("\u00bd", "1/2"),
    ("\u6211 \u7231 \u4f60", "\u6211\u7231\u4f60"),
    ("\u6211\u7231\u4f60\u3002", "\u6211\u7231\u4f60"),
    ("\u6211\u7528 Python", "\u6211\u7528Python"),
    ("\u2026", "..."),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_case_spacing_and_punctuation_do_not_count(a, b):
    assert normalise(a) == normalise(b)
    assert content_key(a) == content_key(b)
    assert split_of(a) == split_of(b)


def test_the_normal_form_is_as_the_page_states_it():
    assert (
        normalise("It was -5\u00b0, or 1,200.5 % of C++ (at 10:30)!")
        == "it was -5 \u00b0 or 1,200.5 % of c + + at 10:30"
    )
    assert normalise("") == normalise(" \u200b ") == ""
    assert tokens("1,200.5 and -3") == ["1", ",200", ".5", "and", "-3"]
    assert tokens("\u6211\u7231C++") == ["\u6211", "\u7231", "c", "+", "+"]
    assert tokens("\u0e40\u0e2a\u0e37\u0e49\u0e2d") == ["\u0e40", "\u0e2a\u0e37\u0e49", "\u0e2d"]
    assert tokens("\u0926\u093f\u0928 \u0926\u093e\u0928") == ["\u0926\u093f\u0928", "\u0926\u093e\u0928"]


def test_a_long_hostile_text_takes_no_time():
    """Blanks, hyphens and marks without end, by which nested patterns would be quadratic."""
    began = time.process_time()
    for text in (
        "- " * 50_000,
        "-" + " " * 100_000 + "$",
        "= " + " " * 100_000 + "-",
        "1," * 50_000,
        "\u6211 " * 50_000,
    ):
        normalise(text)
        pieces(text)
        words(text)
    assert time.process_time() - began < 20


def test_hindi_words_have_a_key_each():
    """Every pair of a consonant and a vowel sign, 30 consonants by 17 signs, is another text."""
    consonants = [chr(code) for code in range(0x915, 0x933)]
    signs = [chr(code) for code in (*range(0x93E, 0x94D), 0x901, 0x902)]
    found = [consonant + sign for consonant, sign in itertools.product(consonants, signs)]
    assert len({content_key(word) for word in found}) == len(found) == 510


@pytest.mark.parametrize(
    ("text", "value", "held"),
    [
        ("\u6211\u53eb\u738b\u4f1f\u3002", "\u738b\u4f1f", True),
        ("\u6211\u53eb\u738b\u4e3d\u3002", "\u738b\u4f1f", False),
        ("-5 degrees", "5 degrees", False),
        ("it costs $ 1200", "$1200", True),
        ("version 1.5", "5", False),
        ("on 03/15/2019.", "03/15/2019", True),
        ("\u0926\u093e\u0928", "\u0926\u093f\u0928", False),
        ("\u0e40\u0e2a\u0e37\u0e49\u0e2d\u0e2a\u0e35\u0e41\u0e14\u0e07", "\u0e40\u0e2a\u0e37\u0e49\u0e2d", True),
        ("\u0e40\u0e2a\u0e37\u0e49\u0e2d\u0e2a\u0e35\u0e41\u0e14\u0e07", "\u0e40\u0e2a\u0e37\u0e2d", False),
    ],
)
def test_a_value_stands_in_a_text_or_not(text, value, held):
    assert contains(text, value) is held


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_case_and_marks_do_not_move_a_text_to_another_split(text):
    assert split_of(f"word {text}") == split_of(f"  WORD {text.upper()} !")


@given(ODD, ODD)
def test_one_normal_form_is_one_split(a, b):
    assert split_of(normalise(a)) == split_of(a)
    assert normalise(a) != normalise(b) or split_of(a) == split_of(b)


@given(st.text(alphabet=st.characters(codec="latin-1", exclude_categories=("Cc", "No", "Cf"))))
def test_the_split_form_is_the_one_that_checkpoints_were_split_by(text):
    """Words by the category \\w alone, wherever that leaves any."""
    former = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()
    accents = {"\u00a8", "\u00af", "\u00b4", "\u00b8"}  # NFKC makes a blank and a mark of them
    if former and not accents & {*text}:
        assert split_form(text) == former


def test_texts_that_differ_in_signs_alone_stand_in_one_split():
    assert split_form("C++ error") == split_form("C# error") == "c error"
    assert split_form("-5 degrees") == split_form("5 degrees")
    assert split_form("???") == "???"


def test_splits_have_their_stated_sizes():
    counts = dict.fromkeys(SPLITS, 0)
    for number in range(20_000):
        counts[split_of(f"sentence number {number}")] += 1
    assert abs(counts["train"] / 20_000 - 0.96) < 0.01
    assert abs(counts["test"] / 20_000 - 0.02) < 0.005


def test_the_hash_is_the_same_on_every_machine():
    assert content_key("Hello, world!") == content_key("hello world") == 0x878633AA32A3B150


def test_words_keep_their_apostrophes():
    assert words("Don\u2019t STOP, 'quoted' _it_'s 42nd!") == ["don't", "stop", "quoted", "it", "s", "42nd"]


def test_words_keep_their_marks():
    assert words("\u0926\u093f\u0928, \u0926\u093e\u0928!") == ["\u0926\u093f\u0928", "\u0926\u093e\u0928"]
    assert words("\u0e40\u0e2a\u0e37\u0e49\u0e2d") == ["\u0e40", "\u0e2a\u0e37\u0e49", "\u0e2d"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("three short words", 3),
        ("\u6211\u7231\u4f60", 3),
        ("\u6211\u7528 Python", 3),
        ("\ub098\ub294 \uc88b\uc544\ud55c\ub2e4", 2),
        ("\u0926\u093f\u0928 \u0926\u093e\u0928", 2),
        ("", 0),
    ],
)
def test_words_are_counted_where_no_blanks_are_set(text, count):
    assert word_count(text) == count
