"""Parts of a store become one set, however many rows were expected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.data.stores._gathered import Gathered


def part(first, rows, **more):
    ids = np.array([f"row {first + row}" for row in range(rows)], object)
    return EmbeddingSet(ids, np.arange(first, first + rows, dtype=np.float32)[:, None] + np.ones(3, np.float32), **more)


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6), expected=st.integers(0, 60), limit=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_all_rows_come_in_their_order(sizes, expected, limit):
    firsts = np.cumsum([0, *sizes])
    gathered = Gathered(part(0, sizes[0]), expected)
    for first, rows in zip(firsts, sizes, strict=False):
        gathered.add(part(int(first), rows))
    whole = gathered.whole("a store", limit)
    wanted = min(limit or firsts[-1], firsts[-1])
    assert list(whole.ids) == [f"row {row}" for row in range(wanted)]
    np.testing.assert_array_equal(whole.vectors[:, 0], np.arange(wanted) + 1)


def test_texts_and_labels_that_some_parts_lack():
    gathered = Gathered(part(0, 2), 4)
    gathered.add(part(0, 2, texts=np.array(["a", "b"], object), labels={"n": np.array([1, 2])}))
    gathered.add(part(2, 2))
    whole = gathered.whole("a store")
    assert list(whole.texts) == ["a", "b", "", ""]
    assert list(whole.labels["n"]) == [1, 2, None, None]


def test_an_id_that_comes_twice_is_named():
    gathered = Gathered(part(0, 2), 4)
    gathered.add(part(0, 2))
    gathered.add(part(1, 2))
    with pytest.raises(BadInput, match=r"a store: row 2 has the id 'row 1' of row 1.*\?id=COLUMN"):
        gathered.whole("a store")
