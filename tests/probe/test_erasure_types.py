"""LEACE's theorem holds for vectors of every type: no covariance with the classes, nothing for a linear probe."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from workbench.core.errors import BadInput
from workbench.probe import Eraser

RNG = np.random.default_rng(0)
CLASSES = RNG.integers(0, 2, 600)
FLOATS = RNG.normal(size=(600, 12)) + 1.5 * CLASSES[:, None] * np.eye(12)[0]
CODES = np.clip(np.rint(FLOATS * 25), -128, 127)
TYPES = {
    "int8": CODES.astype(np.int8),
    "uint8": (CODES + 128).astype(np.uint8),
    "int64": CODES.astype(np.int64),
    "float16": FLOATS.astype(np.float16),
    "float32": FLOATS.astype(np.float32),
    "float64": FLOATS,
    "bool": FLOATS > 0,
    "object": CODES.astype(int).astype(object),
    "big endian": FLOATS.astype(">f4"),
    "torch int8": torch.tensor(CODES.astype(np.int8)),
    "torch bfloat16": torch.tensor(FLOATS, requires_grad=True).bfloat16(),
    "pandas": pd.DataFrame(CODES.astype(np.int8)),
    "list": CODES.astype(int).tolist(),
}


@pytest.mark.parametrize("kind", TYPES)
def test_the_theorem_holds_for_every_type(kind):
    vectors = TYPES[kind]
    erased = Eraser.fit(vectors, CLASSES).erase(vectors)
    assert erased.dtype == (np.float64 if kind == "float64" else np.float32)
    spread = erased.std(0, dtype=np.float64)
    table = (erased - erased.mean(0, dtype=np.float64)) / np.where(spread > 0, spread, 1)
    assert np.abs(table.T @ (CLASSES - CLASSES.mean())).max() / 600 < 1e-5
    right = LogisticRegression().fit(table, CLASSES).score(table, CLASSES)
    assert right <= max(CLASSES.mean(), 1 - CLASSES.mean()) + 0.01


@pytest.mark.parametrize("vectors", [FLOATS + 0j, FLOATS.astype(str), np.array([["a", 1.0]] * 600, object)])
def test_what_is_no_real_number_is_refused(vectors):
    with pytest.raises(BadInput, match="vectors"):
        Eraser.fit(vectors, CLASSES)
