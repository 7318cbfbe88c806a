"""Tables of the user's own: any delimiter, encoding and form; ids and labels come through, bad rows by one policy."""

from __future__ import annotations

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.core.errors import BadInput
from workbench.data.corpora import read

HEAD = ["key", "content", "topic", "score", "zip"]
ROWS = [[f"k{row}", f'Größe "{row}", naïve; a\nb', row % 2, row / 4, f"0{row}"] for row in range(6)]


def write(path, delimiter=",", encoding="utf-8", head=HEAD, rows=ROWS):
    with open(path, "w", encoding=encoding, newline="") as file:
        table = csv.writer(file, delimiter=delimiter)
        table.writerows([head, *rows] if head else rows)
    return path


def check(found):
    assert found.ids == tuple(row[0] for row in ROWS)
    assert found.texts == tuple(row[1] for row in ROWS)
    assert found.labels == {
        "topic": (0, 1) * 3,
        "score": tuple(row[3] for row in ROWS),
        "zip": tuple(r[4] for r in ROWS),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_encodings(tmp_path, delimiter, encoding):
    found = read(write(tmp_path / "a.csv", delimiter, encoding))
    check(found)
    assert "texts from 'content', ids from 'key', labels: topic, score, zip" in found.found
    assert ("it is not UTF-8, and is read as cp1252" in found.found) == (encoding == "cp1252")


def test_an_encoding_that_is_stated_and_one_that_is_damaged(tmp_path):
    write(tmp_path / "a.csv", encoding="shift_jis", rows=[["1", "漢字かな", 1, 2, 3]])
    assert read(tmp_path / "a.csv", encoding="shift_jis").texts == ("漢字かな",)
    with pytest.raises(BadInput, match="is not known; expected a name such as"):
        read(tmp_path / "a.csv", encoding="klingon")
    with pytest.raises(BadInput, match=r"a\.csv is not utf-8 text"):
        read(tmp_path / "a.csv", encoding="utf-8")
    (tmp_path / "b.csv").write_bytes("id,text\n1,Käse Öl Größe\n".encode() + b"2,\xff\n")
    with pytest.raises(BadInput, match="is damaged UTF-8 text: byte 30 is 0xff"):
        read(tmp_path / "b.csv")


def test_fields_of_any_length_without_header_and_with_one_column(tmp_path):
    long = write(tmp_path / "long.csv", head=["id", "text"], rows=[["a", "word " * 60_000], ["b", "short"]])
    assert [len(text) for text in read(long).texts] == [300_000, 5]
    assert csv.field_size_limit() == 131_072, "the limit of others is theirs"
    bare = read(write(tmp_path / "bare.csv", head=None))
    assert (bare.ids[0], bare.texts[0], list(bare.labels)) == ("k0", ROWS[0][1], ["column_3", "column_4", "column_5"])
    assert "no header" in bare.found
    (tmp_path / "one.csv").write_text("text\nHello, world\nYes, no, maybe\n")
    assert read(tmp_path / "one.csv").texts == ("Hello, world", "Yes, no, maybe")
    (tmp_path / "pandas.csv").write_text(',text,label\n0,"a, b",1\n5,c,\n')
    found = read(tmp_path / "pandas.csv")
    assert (found.ids, found.labels) == (("0", "5"), {"label": (1, None)})


def test_rows_that_are_empty_odd_or_doubled(tmp_path):
    path = write(
        tmp_path / "a.csv", head=["id", "text", "label", "label"], rows=[["a", "x", 1, 2], [], ["", "", "", ""]]
    )
    assert read(path).labels == {"label": (1,), "label (2)": (2,)}
    for text, message in [
        ("id,text\n1,hello, world\n2,b\n", "row 2 has 3 fields; expected 2: is a field with the delimiter ','"),
        ('id,text\n1,"hello\n2,b\n', "the row that begins in line 2.*a quote is never closed"),
        ("id,year\n1,2\n", "has no column of texts.*name one with --text"),
        ("", "holds no text"),
        ("id,text\n", "holds no text"),
    ]:
        (tmp_path / "b.csv").write_text(text)
        with pytest.raises(BadInput, match=message):
            read(tmp_path / "b.csv")


def test_ids_are_taken_where_they_tell_rows_apart(tmp_path):
    path = write(tmp_path / "a.csv", head=["id", "text", "user_id"], rows=[[1, "x", "u"], [1, "y", "v"]])
    found = read(path)
    assert found.ids == ("u", "v") and found.labels == {"id": (1, 1)}
    path = write(tmp_path / "b.csv", head=["id", "text"], rows=[[1, "x"], [1, "y"]])
    found = read(path)
    assert found.ids == ("0", "1") and "ids are row numbers ('id' repeats itself)" in found.found
    with pytest.raises(BadInput, match="row 1 has the id '1' of row 0"):
        read(path, id="id")
    for wrong in ({"id": "no"}, {"column": "no"}, {"labels": ["no"]}):
        with pytest.raises(BadInput, match="has no column 'no'; it has: id, text"):
            read(path, **wrong)
    assert read(path, labels=[""]).labels == {} and read(path, labels=["id"]).labels == {"id": (1, 1)}
    assert read(path, "id").texts == ("1", "1"), "a column that is named is the text, whatever it is called"


def test_json_with_objects_within(tmp_path):
    records = [{"_id": row, "meta": {"lang": "de", "tags": ["a"]}, "body": f"text {row}"} for row in range(3)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    (tmp_path / "a.json").write_text(json.dumps({"data": records}))
    for name in ("a.jsonl", "a.json"):
        found = read(tmp_path / name)
        assert (found.ids, found.texts) == (("0", "1", "2"), ("text 0", "text 1", "text 2"))
        assert found.labels == {"meta.lang": ("de",) * 3, "meta.tags": ('["a"]',) * 3}
    assert read(tmp_path / "a.jsonl", "meta.lang").texts == ("de",) * 3


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "table"])
def test_texts_that_are_missing_or_blank(tmp_path, form):
    columns = {"id": ["a", "b", "c"], "text": ["one", None, " "], "n": [1, 2, 3]}
    source = tmp_path / f"a.{form}"
    rows = list(zip(*columns.values(), strict=True))
    match form:
        case "csv":
            write(source, head=list(columns), rows=[[cell or "" for cell in row] for row in rows])
        case "jsonl":
            source.write_text("\n".join(json.dumps(dict(zip(columns, row, strict=True))) for row in rows))
        case "parquet":
            pq.write_table(pa.table(columns), source)
        case _:
            source = pa.table(columns)
    with pytest.raises(BadInput, match=r"column 'text': row 1 \(id 'b'\) has no text; .*--on-bad-rows skip"):
        read(source)
    found = read(source, on_bad_rows="skip")
    assert (found.ids, found.texts, found.labels) == (("a",), ("one",), {"n": (1,)})
    assert len(found.skipped) == 2 and found.skipped.ids == ("b", "c")


def test_frames_and_folders_of_others(tmp_path):
    columns = {"id": ["a", "b"], "text": ["x", "y"], "n": [1, 2]}
    pandas, datasets = pytest.importorskip("pandas"), pytest.importorskip("datasets")
    datasets.Dataset.from_dict(columns).save_to_disk(tmp_path / "set")
    for source in (pandas.DataFrame(columns), datasets.Dataset.from_dict(columns), tmp_path / "set"):
        found = read(source)
        assert (found.ids, found.texts, found.labels) == (("a", "b"), ("x", "y"), {"n": (1, 2)})


def test_a_text_that_is_none_is_named_and_no_other_column_taken(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "a", "text": "hello there"}\n{"id": "b", "text": 42}\n')
    for policy in ("fail", "skip"):
        with pytest.raises(BadInput, match="column 'text': row 1 has the text 42"):
            read(tmp_path / "a.jsonl", on_bad_rows=policy)
    (tmp_path / "b.jsonl").write_text('{"id": "a", "n": 1}\n{"id": "b", "n": 2}\n')
    with pytest.raises(BadInput, match="no column of texts"):
        read(tmp_path / "b.jsonl")


@pytest.mark.parametrize("column", ["id", "topic"])
def test_half_a_surrogate_pair_is_named_with_its_row(tmp_path, column):
    rows = [{"id": "a", "text": "hello there", "topic": "x"}, {"id": "b", "text": "good bye", "topic": "y"}]
    rows[1][column] = "q\ud83d"
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(BadInput, match=f"column '{column}', row 1.*half a surrogate pair"):
        read(tmp_path / "a.jsonl")


def test_a_value_that_arrow_cannot_decode_is_named(tmp_path):
    raw = pa.array([b"good text", b"bad \xff text"], pa.binary())
    text = pa.StringArray.from_buffers(2, raw.buffers()[1], raw.buffers()[2])
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="column 'text', row 1: the value cannot be read"):
        read(tmp_path / "a.parquet")
