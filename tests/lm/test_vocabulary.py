"""The vocabulary writes what it read, up to what the embedder cannot see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import BadInput
from workbench.core.text import normalise
from workbench.data import corpora
from workbench.embed.minilm import model_folder
from workbench.lm import Vocabulary
from workbench.lm.vocabulary import tidy


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.cut(model_folder(), corpora.load("cfpb", "train", 2000).texts, 3000)


def test_real_sentences_come_back(vocabulary):
    texts = [text for text in corpora.load("cfpb", "test", 300).texts if text.isascii()]
    back = [vocabulary.decode(ids) for ids in vocabulary.encode(texts)]
    same = sum(normalise(a) == normalise(b) for a, b in zip(back, texts, strict=True))
    assert same / len(texts) > 0.97


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789 ", min_size=1))
def test_any_ascii_word_can_be_written(vocabulary, text):
    words = [word for word in text.split() if len(word) < 60]
    back = vocabulary.decode(vocabulary.encode([" ".join(words)])[0])
    assert normalise(back) == " ".join(words)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ("i don ' t know , tom .", "i don't know, tom."),
        ("on 03 / 15 / 2019 at 10 : 30", "on 03/15/2019 at 10:30"),
        ("march 4 , 2019", "march 4, 2019"),
        ("$ 1 , 000 . 50 ( net )", "$1,000.50 (net)"),
        ("write to maria . lopez @ example . org now .", "write to maria.lopez@example.org now."),
        ("call ( 212 ) 555 - 0143", "call (212) 555-0143"),
        ("a well - known man ' s hat", "a well-known man's hat"),
        ('he said " no " twice', 'he said "no" twice'),
    ],
)
def test_spaces_are_put_where_people_put_them(pieces, text):
    assert tidy(pieces) == text


def test_it_is_saved_and_loaded(vocabulary, tmp_path):
    vocabulary.save(tmp_path / "v.json")
    again = Vocabulary.load(tmp_path / "v.json")
    assert again.pieces == vocabulary.pieces
    assert again.encode(["the bank called"]) == vocabulary.encode(["the bank called"])
    (tmp_path / "v.json").write_text("{}")
    with pytest.raises(BadInput, match=r"v\.json is not a vocabulary"):
        Vocabulary.load(tmp_path / "v.json")


def test_the_end_ends(vocabulary):
    bank = vocabulary.encode(["bank"])[0]
    assert vocabulary.decode([*bank, 2, *bank]) == "bank"
    assert vocabulary.decode([]) == ""
