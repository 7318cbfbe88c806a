"""What an insider reads: what is in the vectors, not what other columns say anyway, and nothing where nothing is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from workbench.audit._insider import labelled, validation_rows
from workbench.audit._side import side_model, side_table
from workbench.audit.attribute_inference import NEEDS, infer_attributes
from workbench.cli import app
from workbench.core.access import KNOWN_ENCODER, STOLEN_STORE, Access
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import AccessDenied, BadInput, UnknownName
from workbench.core.result import Result

N, D = 400, 16


def made(labels, vectors, **more):
    ids = np.array([f"row{row}" for row in range(len(vectors))], object)
    return EmbeddingSet(ids, vectors, labels=labels, **more)


def spread(codes, strength, seed=0):
    """Vectors of which the first dimensions tell the code."""
    noise = np.random.default_rng(seed).standard_normal((len(codes), D))
    noise[:, : codes.max() + 1] += strength * np.eye(codes.max() + 1)[codes]
    return noise.astype(np.float32)


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(1).integers(0, 2, N)


@pytest.fixture(scope="module")
def planted(codes):
    """`topic` stands in the vectors, `copy` in another column too, `none` nowhere."""
    random = np.random.default_rng(2)
    other = random.integers(0, 3, N)
    labels = {
        "topic": np.array(["sport", "money"], object)[codes],
        "copy": other,
        "hint": np.where(random.random(N) < 0.9, other, 0),
        "none": random.integers(0, 2, N),
    }
    return made(labels, spread(codes, 2.0))


@pytest.fixture(scope="module")
def found(planted):
    """Three attributes with the same side information."""
    return infer_attributes(planted, ["topic", "copy", "none"], side=["hint"], sizes=(10, 100))


def test_what_stands_in_the_vectors_is_read(found):
    topic = found.rows[0]
    assert found.leaks() == ("topic",)
    assert topic.vectors.low > 0.8
    assert topic.balanced.low > 0.8
    assert topic.excess.low > 0.2
    assert topic.curve[0][1].value < topic.curve[1][1].value


def test_what_the_other_columns_say_is_no_leak(found):
    copy = found.rows[1]
    assert copy.side is not None
    assert copy.side.low > 0.75
    assert copy.vectors.value < 0.5
    assert copy.excess.low <= 0 <= copy.excess.high


def test_labels_that_are_nowhere_are_not_read(found):
    none = found.rows[2]
    assert none.advantage.low <= 0 <= none.advantage.high
    assert none.excess.low <= 0 <= none.excess.high


def test_vectors_that_repeat_the_side_information_add_nothing(codes):
    noisy = np.where(np.random.default_rng(3).random(N) < 0.75, codes, 1 - codes)
    row = infer_attributes(made({"label": noisy, "known": codes}, spread(codes, 4.0)), ["label"], sizes=()).rows[0]
    assert row.advantage.low > 0.2
    assert row.excess.value < 0.05
    assert row.gains[1].p > 0.05


def test_advantage_is_what_its_name_says(found):
    for row in found.rows:
        assert row.advantage.value == pytest.approx((row.vectors.value - row.prior.value) / (1 - row.prior.value))


def test_claims_are_adjusted_over_all_of_them(found):
    assert len(found.claims()) == 6
    assert all(p >= gain.p for _, gain, p in found.claims())


def test_a_secret_rotation_hides_nothing_from_an_insider(planted, found):
    turn = np.linalg.qr(np.random.default_rng(4).standard_normal((D, D)))[0].astype(np.float32)
    turned = made(planted.labels, planted.vectors @ turn)
    row = infer_attributes(turned, ["topic"], side=[], sizes=()).rows[0]
    assert row.vectors.value == pytest.approx(found.rows[0].vectors.value, abs=0.06)
    assert (row.side, row.both, len(row.gains)) == (None, None, 1)


def test_a_label_without_error_has_an_exact_interval(codes):
    row = infer_attributes(made({"label": codes}, spread(codes, 40.0)), ["label"], sizes=(30, 10_000)).rows[0]
    assert (row.vectors.value, row.advantage.value, row.advantage.high) == (1.0, 1.0, 1.0)
    assert 0.8 < row.advantage.low < 1
    assert [n for n, _ in row.curve] == [30]


def test_equal_vectors_are_never_on_both_sides():
    """Each vector stands twice, its label by chance: who saw one twin would know the other."""
    random = np.random.default_rng(5)
    vectors, labels = random.standard_normal((N // 2, 300)).astype(np.float32), random.integers(0, 2, N // 2)
    store = made({"label": np.tile(labels, 2)}, np.tile(vectors, (2, 1)))
    row = infer_attributes(store, ["label"], sizes=()).rows[0]
    assert row.advantage.low <= 0.1
    assert row.groups * 2 == row.test


@settings(max_examples=20)
@given(st.integers(3, 40), st.integers(2, 4), st.integers(0, 99))
def test_no_group_is_both_learnt_from_and_hidden(count, k, seed):
    random = np.random.default_rng(seed)
    groups = [str(group) for group in random.integers(0, count, 120)]
    try:
        data = labelled("label", random.integers(0, k, 120), groups)
    except BadInput:
        return
    assert not set(data.groups_of(data.test)) & set(data.groups_of(data.learnt))
    chosen = validation_rows(data)
    assert len({*data.labels[data.learnt][chosen].tolist()}) == k


def test_side_information_sees_columns_together():
    """An exclusive or of two columns: neither tells by itself."""
    random = np.random.default_rng(6)
    a, b = random.integers(0, 2, (2, N))
    table = side_table({"a": a, "b": np.array(["x", "y"], object)[b]}, np.arange(N))
    model = side_model(np.arange(N) % 4 == 0, table, a ^ b)
    assert (model.predict(table) == (a ^ b)).all()


def test_columns_that_name_rows_are_no_side_information():
    names = np.array([f"person {row}" for row in range(N)], object)
    ages = np.array([None, *range(N - 1)], object)
    table = side_table({"name": names, "age": ages, "tier": np.arange(N) % 3}, np.arange(N))
    assert table.shape == (N, 2 + 3)
    assert np.isfinite(table).all()
    assert table[0, 1] == 1


def test_it_is_a_result_without_values(found, tmp_path):
    found.save(tmp_path / "found.json")
    assert Result.load(tmp_path / "found.json") == found
    assert "What an insider" in found._repr_html_()
    assert not {"sport", "money"} & set(json.dumps(found.to_json()).split('"'))


def test_who_has_no_labels_is_refused(planted):
    assert NEEDS is Access.PAIRS
    KNOWN_ENCODER.admit("attribute-inference", NEEDS)
    with pytest.raises(AccessDenied, match="attribute-inference needs PAIRS; threat model 'stolen-store'"):
        infer_attributes(planted, ["topic"], threat=STOLEN_STORE)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (np.linspace(0, 1, 30), "holds the grade"),
        (np.array([None, " "] * 15, object), "all 30 rows are missing"),
        (np.zeros(30, int), "1 distinct values"),
        (np.arange(30), "has 1 rows of '0'"),
        (np.array(["rare", *"ab" * 14, "a"], object), "has 1 rows of 'rare'; expected 5 at least"),
    ],
)
def test_labels_that_cannot_be_learnt_are_named(column, message):
    store = made({"label": column}, np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32))
    with pytest.raises(BadInput, match=message):
        infer_attributes(store, ["label"])


def test_what_is_missing_is_named(planted):
    with pytest.raises(BadInput, match="no label to infer; the store has: topic"):
        infer_attributes(planted, [])
    with pytest.raises(UnknownName, match="Did you mean 'topic'"):
        infer_attributes(planted, ["topics"])
    same = made({"label": np.arange(30) % 2}, np.ones((30, 2), np.float32))
    with pytest.raises(BadInput, match="rows of 1 groups"):
        infer_attributes(same, ["label"])


def test_from_the_command_line(planted, tmp_path):
    planted.save(tmp_path / "store.parquet")
    paths = ["--json", str(tmp_path / "found.json"), "--html", str(tmp_path / "found.html"), "-q"]
    command = ["infer", str(tmp_path / "store.parquet"), "--label", "topic", "--side", "", *paths]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert Result.load(tmp_path / "found.json").leaks() == ("topic",)
    assert "attributes told" in (tmp_path / "found.html").read_text()
