"""What a store says without inversion: ids, labels, personal data, duplicates and links, and no value of any row."""

from __future__ import annotations

import hashlib
import json
import sys
import unicodedata
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from workbench.audit._columns import is_free_text, read_column
from workbench.audit._identifiers import hashed_from, identify
from workbench.audit._linkage import duplicates, link, nearest
from workbench.audit._patterns import mask, personal_data
from workbench.audit.payload import NEEDS, payload
from workbench.cli import app
from workbench.core.access import STOLEN_STORE, Access
from workbench.core.embedding_set import EmbeddingSet, Provenance
from workbench.core.errors import BadInput
from workbench.core.result import Result
from workbench.core.text import normalise, split_form
from workbench.core.vectors import unit
from workbench.data.personal import draw_value
from workbench.defend import open_defence

N = 300
START = datetime(2024, 3, 4, 9, tzinfo=UTC)  # a Monday


def objects(values):
    column = np.empty(len(values), object)
    column[:] = values
    return column


def cloud(n, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((n, 64)).astype(np.float32))


def uuid7(moment, tail):
    return str(uuid.UUID(int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | tail))


@pytest.fixture(scope="module")
def store():
    labels = {
        "note": objects([f"The man of row {row} said {row} words." if row % 2 else None for row in range(N)]),
        "path": np.array([f"/home/user{row % 5}/mail/{row}.eml" for row in range(N)]),
        "tenant": np.array(["abc"[row % 3] for row in range(N)]),
        "tier": np.array(["rare" if not row else "usual" for row in range(N)]),
        "made": objects([START + timedelta(days=7 * (row // 100), minutes=row % 100) for row in range(N)]),
    }
    ids = objects([uuid7(START + timedelta(hours=row), row) for row in range(N)])
    return EmbeddingSet(ids, cloud(N), objects([f"This is the hidden text {row}" for row in range(N)]), labels)


@pytest.fixture(scope="module")
def found(store):
    return payload(store)


def test_columns_are_what_their_values_are(found):
    kinds = {column.name: column.kind for column in found.columns}
    said = dict(zip(("note", "path", "tenant", "tier"), ("free text", "path", "category", "category"), strict=True))
    assert kinds == {"id": "UUID v7", "made": "timestamp", "text": "free text", **said}
    assert found.texts
    assert found.free_text.value == 0.5
    assert found.singled_out is not None
    assert round(found.singled_out.value * N) == 1


def test_moments_are_read_from_ids_and_labels(found):
    by_name = {each.column: each for each in found.times}
    assert (by_name["id"].first, by_name["made"].first) == ("2024-03-04 09:00", "2024-03-04 09:00")
    assert by_name["made"].in_busiest is not None
    assert by_name["made"].in_busiest.value == 1
    assert by_name["made"].weekend.value == 0
    assert by_name["id"].weekend.value == pytest.approx(2 / 7, abs=0.06)


def test_labels_that_are_called_id_or_text_are_columns_of_their_own():
    """`?text=note` leaves a column `text` among the labels: 80 hits of 40 rows were counted for one name."""
    texts, labels, keys = (objects([f"{who}{row}@example.com" for row in range(40)]) for who in ("jo", "al", "bo"))
    found = payload(EmbeddingSet(np.arange(40), cloud(40), texts, {"text": labels, "id": keys}))
    assert [(each.column, each.rows.value, each.distinct) for each in found.personal] == [
        ("id (label)", 1.0, 40),
        ("text", 1.0, 40),
        ("text (label)", 1.0, 40),
    ]


@pytest.mark.parametrize(("planted", "kind"), [("email", "e-mail"), ("phone", "phone")])
def test_planted_addresses_and_numbers_are_found_and_nothing_else(planted, kind):
    fake = Faker("en_US")
    fake.seed_instance(0)
    for _ in range(200):
        value = draw_value(planted, fake)
        rest = " and ".join(draw_value(other, fake) for other in ("person", "date", "place", "account"))
        found = list(personal_data(f"{rest}, so write to {value}."))
        assert [each for each in found if each[0] != "date"] == [(kind, value)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("pay to GB82 WEST 1234 5698 7654 32 PLEASE", "IBAN"),
        ("DE89370400440532013000", "IBAN"),
        ("card 4111 1111 1111 1111.", "card number"),
        ("from 192.168.0.12 on", "IP address"),
        ("from 2001:db8::8a2e:370:7334", "IP address"),
        ("see https://bob:secret@host.example/x", "URL with user"),
        ("https://host.example/?a=1&user=bob", "URL with user"),
        ("call +49 30 901820 now", "phone"),
        ("C:\\Users\\bob\\a.txt", "user in a path"),
        ("key AKIAIOSFODNN7EXAMPLE", "access key"),
        ("number 219-09-9999", "social security number"),
    ],
)
def test_kinds_of_personal_data(text, kind):
    assert [each for each, _ in personal_data(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "GB82 WEST 1234 5698 7654 33",
        "card 4111 1111 1111 1112",
        "at 12:30:45 and 3.14159265358979",
        "999.300.1.2",
        "a@b",
        "the years 1914 1918",
    ],
)
def test_what_has_no_check_digits_or_another_meaning_is_passed_over(text):
    assert not list(personal_data(text))


@given(st.text(max_size=60))
def test_masks_hold_no_letter_or_digit_of_the_value(value):
    shape = mask(value)
    assert not {letter for letter in shape if unicodedata.category(letter)[0] in "LMNC"} - {"x", "9"}
    assert len(shape) <= 40
    list(personal_data(value))
    is_free_text(value)


def test_masks_show_no_letter_mark_or_number_of_any_script():
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category in ("Lo", "Cn", "Co") and code % 23:  # most of them by far, and all written alike
            continue
        shape = mask(chr(code))
        if category[0] in "LMN":
            assert shape == ("9" if category[0] == "N" else "x"), hex(code)
        rest = shape.replace("x", "").replace("9", "")
        shown = {unicodedata.category(each)[0] for each in rest + unicodedata.normalize("NFKD", rest)}
        assert not shown & {"L", "N", "C"}, hex(code)


@pytest.mark.parametrize(
    "value", ["दिन", "เสื้อ", "مُحَمَّد", "١٢٣", "Ⅷ²", "日本語", "👍🏽👍", "e\u0301\u0301", "\ue000\ue001", "⠓⠑⠇"]
)
def test_a_mask_tells_neither_script_nor_length(value):
    assert set(mask(value)) <= {"x", "9"}
    assert len(mask(value)) <= 3


def test_no_value_of_a_row_is_in_the_result(store, found, tmp_path):
    found.save(tmp_path / "found.json")
    assert Result.load(tmp_path / "found.json") == found
    held = json.dumps(found.to_json()) + found._repr_html_()
    values = [*store.ids, *store.labels["path"], *store.texts, *filter(None, store.labels["note"])]
    assert not [value for value in values if str(value) in held]


def foreign(folder, vector="vector"):
    """A Parquet file that is none of ours, with personal data in every column but `vector` and `text`."""
    rows = 20
    columns = {
        "id": [str(row) for row in range(rows)],
        vector: cloud(rows).tolist(),
        "text": ["nothing to see here"] * rows,
        "note": [f"call 030/12345{row:02d} now" for row in range(rows)],
        "image": cloud(rows, 1)[:, :4].tolist(),
        "blob": [b"\xff\xfe\x00"] * rows,
        "birth_date": [date(1980, 1, 1 + row) for row in range(rows)],
        "phone": [2125550143.0 + row if row else None for row in range(rows)],
        "meta": ['{"user": {"mail": "sean.o\\u2019connor@example.com", "home": "030\\/1234567"}}'] * rows,
        "nested": [{"host": {"ip": "10.1.2.3"}}] * rows,
        "several": [["x", "DE89370400440532013000"]] * rows,
        "count": [2125550143 + row for row in range(rows)],
        "when": [date(2024, 1, 1 + row) for row in range(rows)],
    }
    path = folder / "foreign.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("vector", ["vector", "embedding"])
def test_all_columns_are_read_and_those_that_are_not_are_named(tmp_path, vector):
    """The command reads what stands beside the text, flattens what is nested, and names the rest everywhere."""
    done = CliRunner().invoke(
        app,
        [
            "payload",
            str(foreign(tmp_path, vector)),
            "--json",
            str(tmp_path / "p.json"),
            "--html",
            str(tmp_path / "p.html"),
        ],
    )
    assert done.exit_code == 0, done.output
    found = Result.load(tmp_path / "p.json")
    kinds = {(each.column, each.kind): round(each.rows.value * each.rows.n) for each in found.personal}
    assert kinds == {
        ("birth_date", "date of birth"): 20,
        ("meta", "e-mail"): 20,
        ("meta", "phone"): 20,
        ("nested", "IP address"): 20,
        ("note", "phone"): 20,
        ("phone", "phone"): 19,
        ("several", "IBAN"): 20,
    }
    assert found.any_personal.value == 1
    assert [each.partition(" ")[0] for each in found.unread] == ["image", "blob"]
    for shown in (done.output, (tmp_path / "p.html").read_text()):
        assert "Not read: image" in shown
        assert "blob" in shown


def test_a_date_is_a_kind_of_its_own_and_no_personal_data():
    texts = objects(["on 2012-05-03 it rained", "she was born on 2012-05-03", "nothing"])
    found = payload(EmbeddingSet(objects(["a", "b", "c"]), cloud(3), texts))
    assert {(each.kind, round(3 * each.rows.value)) for each in found.personal} == {("date", 1), ("date of birth", 1)}
    assert round(3 * found.any_personal.value) == 1


def test_a_pulled_file_still_says_what_was_not_read(tmp_path):
    done = CliRunner().invoke(
        app, ["pull", str(foreign(tmp_path, "embedding")), "--out", str(tmp_path / "out.parquet")]
    )
    assert done.exit_code == 0, done.output
    held = EmbeddingSet.load(tmp_path / "out.parquet")
    assert [each.partition(" ")[0] for each in held.provenance.unread] == ["image", "blob"]
    assert payload(held).unread == held.provenance.unread


def test_ids_tell_their_order_and_gaps():
    def said(values):
        told = identify(values)
        return None if told is None else (told.kind, told.note)

    assert said([f"doc-{number}" for number in range(20)]) == ("sequential", "in order of their making, no gap")
    gaps = [number for number in range(40) if number % 3]
    assert said([*map(str, reversed(gaps))]) == ("sequential", "shuffled, 12 numbers of the range are missing")
    assert said([str(number * 1000) for number in range(20)]) is None
    assert said(["🙂", "a", ""]) is None
    assert identify([str(uuid.uuid4()) for _ in range(9)]).kind == "UUID v4"
    assert identify([uuid.uuid4().hex for _ in range(9)]).kind == "hash"
    made = uuid.UUID("a6e4a7a0-1b3e-11ee-be56-0242ac120002")
    told = identify([str(made)])
    assert told.kind == "UUID v1"
    assert (told.moments[0].year, "network card" in told.note) == (2023, True)
    assert identify([f"{int(START.timestamp()):08x}" + "0" * 16]).moments == (START,)
    assert identify(["01HR3ZD5G0" + "0" * 16]).moments[0].year == 2024


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda text: hashlib.sha256(text.encode()).hexdigest(), "sha256 of the text"),
        (lambda text: "doc:" + hashlib.md5(text.strip().encode()).hexdigest()[:16], "md5 of the stripped text"),
        (lambda text: str(uuid.uuid5(uuid.NAMESPACE_DNS, text)), "UUID v5 (DNS) of the text"),
        (lambda text: hashlib.blake2b(normalise(text).encode(), digest_size=8).hexdigest(), "blake2b of the normal"),
        (lambda text: hashlib.blake2b(split_form(text).encode(), digest_size=8).hexdigest(), "blake2b of the split"),
        (lambda text: hashlib.sha256(b"salt" + text.encode()).hexdigest(), ""),
    ],
)
def test_ids_that_are_hashes_of_their_texts(make, said):
    texts = [f" Text # {number}. " for number in range(9)]
    told = hashed_from([make(text) for text in texts], texts)
    assert told.startswith(said)
    assert bool(told) == bool(said)


@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.floats(), st.booleans(), st.integers()), min_size=1))
def test_any_column_has_a_profile(values):
    read = read_column("odd", objects(values))
    assert len(read.values) == len(values)
    assert 0 <= read.column.filled <= 1


def test_tags_epochs_and_days():
    assert read_column("t", objects([["a", "b"], ["b"], []])).column.note == "2 different tags"
    assert read_column("t", np.array([1_700_000_000_000 + row for row in range(9)])).column.kind == "timestamp"
    assert read_column("t", np.array(["2024-01-06", "2024-01-07"])).moments[0].weekday() == 5


def test_equal_and_near_vectors_are_counted():
    vectors = np.concatenate([cloud(50), cloud(50)[:10], cloud(50)[:5] + 1e-3])
    found = duplicates(vectors, 0.98)
    assert (round(found.exact.value * 65), found.largest, round(found.nearly.value * 65)) == (20, 2, 25)
    assert duplicates(cloud(1), 0.98).nearly.value == 0


def test_nearest_is_what_all_distances_say():
    queries, targets = cloud(30, 1), cloud(40, 2)
    distances = np.linalg.norm(queries[:, None] - targets[None], axis=2)
    found = nearest(queries, targets)
    ordered = np.sort(distances, axis=1)
    assert (found.place == distances.argmin(1)).all()
    np.testing.assert_allclose(found.far, ordered[:, :3], atol=1e-5)
    assert (nearest(queries, queries[:1]).far[:, 1:] == 2).all()


@pytest.mark.parametrize("defence", ["noise:0.5", "noise:1", "int8", "binary"])
def test_rows_are_found_again_in_a_dump_that_was_disturbed(defence):
    """600 rows of 1,000 are in the other dump, under other ids; links are right, and absent rows are rarely linked."""
    vectors = cloud(1000)
    disturbed = open_defence(defence).apply(vectors[:600], np.random.default_rng(0))
    other = EmbeddingSet(objects([f"x{row}" for row in range(1000)]), np.concatenate([disturbed, cloud(400, 5)]))
    ids = objects([f"x{row}" if row < 300 else f"y{row}" for row in range(1000)])
    found = link(EmbeddingSet(ids, vectors), other)
    assert found.by_id.value == 0.3
    assert found.right is not None
    assert found.right.value == 1
    assert found.by_vector is not None
    assert 0.59 < found.by_vector.value < 0.6 + 3 * 0.01 * 0.4 + 0.01
    assert found.false_link is not None
    assert found.false_link.low <= 0.01 <= found.false_link.high


def test_strangers_are_linked_as_rarely_as_is_said():
    found = link(EmbeddingSet(objects(range(1000)), cloud(1000)), EmbeddingSet(objects(range(1000)), cloud(1000, 7)))
    assert found.by_vector is not None
    assert found.by_vector.low <= 0.01
    assert found.false_links is None or found.false_links > 0.2
    assert found.by_id.value == 1


def test_dumps_that_cannot_be_compared_are_compared_by_id():
    one, two = EmbeddingSet(objects(range(9)), cloud(9)), EmbeddingSet(objects(range(9)), cloud(9)[:, :8])
    assert (link(one, two).by_vector, link(one, one).by_vector) == (None, None)
    assert "8 dimensions, not 64" in link(one, two).note
    assert payload(one, two)._repr_html_()


def test_one_row_is_enough():
    found = payload(EmbeddingSet(objects(["a"]), np.ones((1, 1), np.float32)))
    assert (found.n, found.singled_out, found.times) == (1, None, ())


def test_it_needs_the_store_alone(store):
    assert NEEDS is Access.SAMPLES
    STOLEN_STORE.admit("payload", NEEDS)
    with pytest.raises(BadInput, match="near is 2"):
        payload(store, near=2.0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("\u6211\u4eec\u4eca\u5929\u53bb\u5317\u4eac", True),  # Chinese
        (
            "\u1781\u17d2\u1789\u17bb\u17c6\u179f\u17d2\u179a\u179b\u17b6\u1789\u17cb\u17a2",
            True,
        ),  # Khmer
        ("\u0e82\u0ec9\u0ead\u0e8d\u0eae\u0eb1\u0e81\u0ec0\u0e88\u0ebb\u0ec9\u0eb2", True),  # Lao
        ("\u092e\u0948\u0902 \u0918\u0930 \u091c\u093e \u0930\u0939\u093e \u0939\u0942\u0901", True),  # Hindi
        ("\u5317\u4eac", False),
        ("New York", False),
    ],
)
def test_free_text_is_known_in_every_script(value, text):
    assert is_free_text(value) is text


def test_a_lossy_copy_is_said_to_be_one(store):
    lossy = replace(store, provenance=Provenance(notes=("vectors are quantised to 1 bit a number (RaBitQ)",)))
    found = payload(lossy)
    assert found.lost == lossy.provenance.notes
    assert "quantised to 1 bit" in found._repr_html_()
    assert payload(store).lost == ()
