"""Whether a sentence-transformers folder gives vectors of length 1 is measured, whatever its modules are called."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from workbench.embed import load_embedder

WORDS = ("the", "a", "cat", "dog", "sat", "on", "mat", "was", "how", "do", "i", "reset", "my", "password", "x")
TEXTS = ["the cat sat on the mat", "a dog", "how do i reset my password", "x"]


def static_table(dim=6):
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    words = Tokenizer(models.WordLevel({"[UNK]": 0, **{word: 1 + row for row, word in enumerate(WORDS)}}, "[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.random.default_rng(0).standard_normal((len(WORDS) + 1, dim)).astype(np.float32)
    return StaticEmbedding(words, embedding_weights=weights)


def pipelines():
    """Modules behind the table of words, and whether vectors have length 1 by what the modules compute."""
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize

    torch.manual_seed(0)
    turn = Dense(6, 6, bias=False, activation_function=torch.nn.Identity())
    turn.linear.weight.data = torch.linalg.qr(torch.randn(6, 6))[0]
    return {
        "none": ([], False),
        "normalize": ([Normalize()], True),
        "normalize, then dense": ([Normalize(), Dense(6, 4)], False),
        "normalize, then a rotation": ([Normalize(), turn], True),
        "dense, then normalize": ([Dense(6, 4), Normalize()], True),
        "normalize of token states": ([Normalize("token_embeddings")], False),
    }


@pytest.mark.parametrize("opened", ["static", "sentence-transformers"])
@pytest.mark.parametrize("kind", pipelines())
def test_length_is_measured(tmp_path, kind, opened):
    from sentence_transformers import SentenceTransformer

    modules, truth = pipelines()[kind]
    model = SentenceTransformer(modules=[static_table(), *modules], device="cpu")
    norms = np.linalg.norm(model.encode(TEXTS), axis=1)
    assert bool(np.abs(norms - 1).max() < 1e-4) is truth, "the library's own vectors"
    model.save(str(tmp_path / "model"))
    embedder = load_embedder(f"{opened}:{tmp_path / 'model'}", "cpu")
    assert embedder.spec.normalised is truth
    made = embedder.embed_set(["1", "2", "3", "4"], TEXTS)
    assert made.provenance.normalised is truth
    assert embedder.provenance().normalised is None, "of no vectors nothing is known"
