"""The nearest text of a corpus, found block by block."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import MonkeyPatch

from workbench.embed import load_embedder
from workbench.invert import nearest
from workbench.invert.nearest import Nearest


@given(n=st.integers(1, 40), m=st.integers(1, 90), seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_blocks_find_what_one_table_of_all_cosines_shows(n, m, seed):
    random = np.random.default_rng(seed)
    vectors, corpus = (random.standard_normal((rows, 5)).astype(np.float32) for rows in (n, m))
    corpus *= random.uniform(0.1, 10, (m, 1)).astype(np.float32)
    corpus[m // 2] = corpus[0]  # of equals the first is found
    unit = corpus / np.linalg.norm(corpus, axis=1, keepdims=True)
    with MonkeyPatch.context() as patch:
        patch.setattr(nearest, "_BLOCK", 7)
        patch.setattr(nearest, "_CORPUS_BLOCK", 13)
        found = Nearest(load_embedder("toy"), [str(row) for row in range(m)], corpus).find(vectors)
    cosines = vectors @ unit.T
    np.testing.assert_allclose(cosines[np.arange(n), found], cosines.max(1), rtol=1e-5, atol=1e-6)
    assert m < 2 or m // 2 not in found
