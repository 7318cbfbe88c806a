"""Shared fixtures: shapes are checked in every test, nothing is written outside a temporary folder."""

from __future__ import annotations

import os

import hypothesis
import numpy as np
import pytest

hypothesis.settings.register_profile("workbench", deadline=None, max_examples=40, derandomize=True)
hypothesis.settings.load_profile("workbench")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from workbench.core.embedding_set import EmbeddingSet  # noqa: E402  # after the environment is set
from workbench.embed import load_embedder  # noqa: E402


@pytest.fixture(scope="session")
def toy():
    return load_embedder("toy")


@pytest.fixture(scope="session")
def minilm():
    return load_embedder("minilm", "cpu")


@pytest.fixture
def small_set():
    vectors = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    return EmbeddingSet(
        ids=np.array([f"t{i}" for i in range(5)], dtype=object),
        vectors=vectors,
        texts=np.array(["one", "two", "three", "four", "five"], dtype=object),
        labels={"odd": np.array([1, 0, 1, 0, 1])},
    )
