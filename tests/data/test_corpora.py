"""Corpora: clean, split without leaks, and the user's own files as they are."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import BadInput, MissingExtra, UnknownName
from workbench.core.text import normalise, split_of
from workbench.data import corpora
from workbench.data._clean import is_sentence, sentences
from workbench.data.readers._passage import Passage


def test_no_normalised_text_stands_in_two_splits():
    splits = {split: corpora.load("cfpb", split) for split in ("train", "validation", "test")}
    forms = {split: {normalise(text) for text in corpus.texts} for split, corpus in splits.items()}
    assert not forms["train"] & forms["validation"]
    assert not forms["train"] & forms["test"]
    assert not forms["validation"] & forms["test"]
    assert all(len(forms[split]) == len(corpus) for split, corpus in splits.items()), "no duplicates"
    assert all(split_of(text) == split for split, corpus in splits.items() for text in corpus.texts[:200])


def test_the_first_texts_are_a_fixed_sample():
    few, more = corpora.load("cfpb", "test", 5), corpora.load("cfpb", "test", 50)
    assert few.texts == more.texts[:5] == more.head(5).texts


def test_cleaning_keeps_sentences():
    passage = Passage(
        "One two three four. Too short. XXXX told me to wait. \u4f60\u597d\u4f60\u597d one two three.", "g"
    )
    assert [p.text for p in sentences([passage])] == ["One two three four."]
    assert is_sentence("Is this a sentence?")
    assert not is_sentence("no mark at the end here")
    assert not is_sentence("1 2 3 4 5 6 7.")


def test_unknown_corpora_and_splits_are_refused():
    with pytest.raises(UnknownName, match="Did you mean 'tatoeba'"):
        corpora.load("tatoebas")
    with pytest.raises(BadInput, match="split is 'dev'"):
        corpora.load("cfpb", "dev")


LINES = ["Hello there.", "\U0001f600 emoji", 'a,b "quoted"', "word " * 50]


def write(path, lines):
    match path.suffix:
        case ".txt":
            path.write_text("\n".join(lines) + "\n\n", encoding="utf-8-sig")
        case ".jsonl":
            path.write_text("\n".join(json.dumps({"text": line}) for line in lines))
        case ".csv":
            pa_table = pa.table({"id": list(range(len(lines))), "text": lines})
            pa.csv.write_csv(pa_table, path)
        case ".parquet":
            pq.write_table(pa.table({"text": lines}), path)
    return path


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv", ".parquet"])
def test_the_users_texts_are_taken_as_they_are(tmp_path, suffix):
    import pyarrow.csv  # noqa: F401

    corpus = corpora.read(write(tmp_path / f"lines{suffix}", LINES))
    assert [text.strip() for text in corpus.texts] == [line.strip() for line in LINES]
    assert corpus.ids == ("0", "1", "2", "3")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "holds no text"),
        ("a.txt", b"\xff\xfe\x00ba", "is not utf-16 text"),
        ("a.csv", b"id,year\n1,2\n", "has no column of texts; it has: id, year"),
        ("a.csv", b"id,text\n1\n", "has no column of texts; it has: id, text"),
        ("a.jsonl", b'{"text": "ok"}\nnot json\n', "line 2 is not JSON"),
        ("a.jsonl", b'{"text": 3}\n', "has no column of texts; it has: text"),
        ("a.jsonl", b"[1]\n", "line 1 is a list; expected an object"),
        ("a.parquet", b"PAR1 cut", "is not a whole Parquet file"),
        ("a.docx", b"x", "ends in '.docx'"),
    ],
)
def test_bad_files_are_refused_by_name_and_row(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=message):
        corpora.read(tmp_path / name)


def test_a_missing_file_and_a_missing_extra(tmp_path):
    with pytest.raises(BadInput, match="is not there"):
        corpora.read(tmp_path / "none.txt")
    try:
        import datasets  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match=r"pip install 'embedding-workbench\[hub\]'"):
            corpora.read("hf:rajpurkar/squad")


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), min_size=1), min_size=1, max_size=8))
def test_jsonl_gives_back_any_text(tmp_path_factory, lines):
    path = write(tmp_path_factory.mktemp("jsonl") / "a.jsonl", lines)
    assert list(corpora.read(path).texts) == lines


def test_a_hugging_face_dataset_is_read_by_name_and_split(tmp_path):
    """A folder is a dataset too, so the real loading code runs without a hub."""
    pytest.importorskip("datasets")
    write(tmp_path / "train.jsonl", LINES)
    write(tmp_path / "test.jsonl", LINES[:2])
    assert list(corpora.read(f"hf:{tmp_path}").texts) == LINES
    assert list(corpora.read(f"hf:{tmp_path}:test").texts) == LINES[:2]
    with pytest.raises(BadInput, match="has no column 'body'"):
        corpora.read(f"hf:{tmp_path}", column="body")
    with pytest.raises(BadInput, match="cannot read hf:"):
        corpora.read(f"hf:{tmp_path}:nosuch")
