"""Guesses ahead: the quick way says what transformers would say with the same rounded weights."""

from __future__ import annotations

import pytest
import torch
from transformers import DynamicCache, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from workbench.lm._guesser import Guesser, LlamaGuesser, open_guesser
from workbench.lm._rounded import can_round, rounded_copy

pytestmark = pytest.mark.skipif(not can_round(), reason="this torch has no kernel for rounded weights")
LLAMA = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 3, "num_attention_heads": 4}


def model(**changes):
    torch.manual_seed(0)
    config = {**LLAMA, "num_key_value_heads": 2, "vocab_size": 320, "tie_word_embeddings": True, **changes}
    return LlamaForCausalLM(LlamaConfig(**config)).eval()


def read(lm, length):
    """A cache that holds a random text."""
    cache = DynamicCache()
    with torch.inference_mode():
        lm.base_model(input_ids=torch.randint(320, (1, length)), cache=cache, use_cache=True)
    return cache


@pytest.mark.parametrize("changes", [{}, {"num_key_value_heads": 4, "tie_word_embeddings": False}, {"head_dim": 64}])
@torch.inference_mode()
def test_both_ways_guess_the_same(changes):
    lm = model(**changes)
    quick, plain = open_guesser(lm), Guesser(rounded_copy(lm))
    assert isinstance(quick, LlamaGuesser)
    for length in (1, 9, 40):
        cache = read(lm, length)
        before = [layer.keys.clone() for layer in cache.layers]
        for last in range(20, 26):
            guessed = plain.guess(cache, last, 7, -1)
            assert quick.guess(cache, last, 7, -1) == guessed and len(guessed) == 7
            ended = quick.guess(cache, last, 7, guessed[3])
            assert ended == plain.guess(cache, last, 7, guessed[3]) and len(ended) <= 4
        assert cache.get_seq_length() == length
        assert all(torch.equal(layer.keys, keys) for layer, keys in zip(cache.layers, before, strict=True))
    assert quick.guess(cache, 5, 0, -1) == quick.guess(cache, 5, 3, 5) == []


def test_other_models_are_guessed_by_transformers_or_not_at_all():
    assert type(open_guesser(model(attention_bias=True))) is Guesser
    assert type(open_guesser(model(hidden_act="gelu"))) is Guesser
    assert open_guesser(GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=30, n_head=2, vocab_size=99))) is None
