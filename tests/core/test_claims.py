"""Sign flips hold their level and find what is there; Holm is never kinder than the raw p-values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.claims import holm, sign_flip
from workbench.core.errors import BadInput


def test_p_values_of_nothing_are_uniform():
    rng = np.random.default_rng(0)
    found = np.array([sign_flip(rng.standard_normal(40), seed=seed) for seed in range(200)])
    assert 0.01 <= (found < 0.05).mean() <= 0.10
    assert 0.4 < found.mean() < 0.6


def test_a_clear_gain_is_found_and_a_loss_is_not():
    gains = np.full(30, 0.5)
    assert sign_flip(gains) == pytest.approx(1e-4)
    assert sign_flip(-gains) == 1.0
    assert sign_flip(np.zeros(30)) == 1.0


def test_items_of_one_group_count_once():
    gains = np.tile([1.0, 1.0, 1.0, -1.0], 50)
    assert sign_flip(gains) < 0.001
    assert sign_flip(gains, np.tile(["a", "b", "c", "d"], 50)) > 0.2


@pytest.mark.parametrize("bad", [[], [float("nan")]])
def test_bad_gains(bad):
    with pytest.raises(BadInput, match="finite gain"):
        sign_flip(np.array(bad))


@given(st.lists(st.floats(0, 1), max_size=30))
def test_holm_is_between_raw_and_bonferroni_and_keeps_order(values):
    adjusted = holm(values)
    for raw, one in zip(values, adjusted, strict=True):
        assert raw <= one <= min(1.0, raw * len(values)) + 1e-12
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    with pytest.raises(BadInput, match="p-values"):
        holm([1.5])
