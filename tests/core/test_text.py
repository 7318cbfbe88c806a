"""Normal forms, and splits that follow from them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.core.text import SPLITS, content_key, normalise, split_of, words


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_case_and_marks_do_not_move_a_text_to_another_split(text):
    assert split_of(text) == split_of(f"  {text.upper()} !")


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
