"""Readers of the corpora's own formats, on small files of the same form."""

from __future__ import annotations

import gzip
import json

from workbench.data.corpora import READERS


def read(name, path, **options):
    return list(READERS.load(name)([path], **options))


def test_squad(tmp_path):
    paragraph = {"context": "A passage.", "qas": [{"question": "What?"}]}
    (tmp_path / "a.json").write_text(json.dumps({"data": [{"title": "T", "paragraphs": [paragraph]}]}))
    assert [(p.text, p.group, p.label) for p in read("squad", tmp_path / "a.json")] == [
        ("A passage.", "T", "passage"),
        ("What?", "T", "question"),
    ]


def test_chat(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"c1": {"messages": [[{"text": "hi"}, {"text": "you?"}]]}}))
    assert [p.text for p in read("chat", tmp_path / "a.json")] == ["hi", "you?"]


def test_wordnet(tmp_path):
    (tmp_path / "data.noun").write_text('00001 03 n 01 entity | a thing; "it was full of balls"; "Really?"\n  head\n')
    assert [p.text for p in read("wordnet", tmp_path / "data.noun")] == ["it was full of balls.", "Really?"]


def test_wikitext_is_untokenised(tmp_path):
    text = (
        ' = Title = \n\n The role @-@ playing game , " the best " , cost 1 @,@ 000 ( net ) . It \'s over . \n'
        " <unk> here . \n"
    )
    (tmp_path / "a.gz").write_bytes(gzip.compress(text.encode()))
    passages = read("wikitext", tmp_path / "a.gz")
    assert [p.text for p in passages] == ['The role-playing game, "the best", cost 1,000 (net). It\'s over.']
    assert passages[0].group == "Title"


def test_prose_drops_verse_numbers_and_reads_latin_1(tmp_path):
    (tmp_path / "a.txt").write_bytes("1:1 In the\nbeginning.\n\nCaf\u00e9.".encode("latin-1"))
    assert [p.text for p in read("prose", tmp_path / "a.txt")] == ["In the beginning.", "Caf\u00e9."]


def test_records_and_titles(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"k": {"extract": "Text."}}))
    assert [(p.text, p.group) for p in read("records", tmp_path / "a.json", field="extract")] == [("Text.", "k")]
    (tmp_path / "b.jsonl").write_text(json.dumps({"passage": "Title -- Text."}))
    assert read("jsonl", tmp_path / "b.jsonl", field="passage", after=" -- ")[0].text == "Text."


def test_a_quote_is_no_quote_where_the_table_has_none(tmp_path):
    (tmp_path / "a.tsv").write_text('Say "hi.\tx\ty\nTwo\tx\ty\n')
    options = {"column": 0, "delimiter": "\t", "quoted": False, "header": False}
    assert [p.text for p in read("delimited", tmp_path / "a.tsv", **options)] == ['Say "hi.', "Two"]


def test_ends_of_lines_within_a_row(tmp_path):
    (tmp_path / "a.csv").write_text('review,sentiment\n"Good.<br /><br />Very good.",positive\n')
    (found,) = read("delimited", tmp_path / "a.csv", column="review", label="sentiment", breaks="<br />")
    assert found.text == "Good.\n\nVery good."
    assert found.label == "positive"
