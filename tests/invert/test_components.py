"""Independent components are matched without a pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.invert.test_align import rotation, sources
from workbench.invert._align import rotation_of
from workbench.invert._components import _assigned, independent_components, matched_components


@given(st.integers(4, 30), st.integers(0, 999))
def test_tables_that_differ_in_order_alone_give_the_order(k, seed):
    random = np.random.default_rng(seed)
    tables = random.standard_normal((2, k, k))
    tables /= np.linalg.norm(tables)
    order = random.permutation(k)
    features = random.standard_normal(k)
    unlike = (features[:, None] - features[order][None]) ** 2
    found, agreement = _assigned(tables, tables[:, order][:, :, order], (unlike - unlike.mean()) / unlike.std() / k)
    assert (order[found] == np.arange(k)).all()
    assert agreement == pytest.approx(1.0)


def test_a_turned_cloud_of_other_texts_has_the_same_components():
    turn, values = rotation(24), sources(6000, 1)
    one = independent_components(values[:3000], 24, 0)
    other = independent_components(values[3000:] @ turn, 24, 1)
    found = rotation_of(matched_components(one, other))
    assert np.trace(found.T @ turn) / 24 > 0.9


def test_nothing_alike_weighs_nothing():
    """The sum of runs forgets a run whose tables disagree."""
    one = independent_components(sources(1000, 1), 6, 0)
    against = one._replace(together=-one.together, spreads=one.spreads[::-1])
    assert np.abs(matched_components(one, against)).max() < 0.3 * np.abs(matched_components(one, one)).max()


def test_equal_vectors_and_few_are_no_error():
    flat = independent_components(np.tile(np.linspace(0, 1, 8), (50, 1)) + 1e-9 * sources(50, 0, 8), 3, 0)
    assert np.isfinite(matched_components(flat, flat)).all()
