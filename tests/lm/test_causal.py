"""The causal decoder: step by step as in one pass, and started from a real language model."""

from __future__ import annotations

import pytest
import torch

from workbench import assets
from workbench.embed.minilm import model_folder
from workbench.lm import CausalDecoder, CausalDecoderConfig, Draft, Vocabulary

V, D = 40, 8


@pytest.fixture(scope="module")
def language_model():
    tokenizer, model, _ = assets.open_language_model("smollm2", head=False)
    return tokenizer, model


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.cut(model_folder(), ["the cat sat on the mat, reading"], 300)


@pytest.fixture(scope="module")
def decoder(language_model, vocabulary):
    torch.manual_seed(0)
    trunk = language_model[1].config.to_dict() | {"num_hidden_layers": 2, "vocab_size": 1}
    trunk.pop("pad_token_id")
    made = CausalDecoder(CausalDecoderConfig(dim=D, vocabulary=len(vocabulary), trunk=trunk, corrects=True))
    made.start_from(*language_model, vocabulary)
    with torch.no_grad():
        made.film.weight.normal_(std=0.01)
        made.bag_weight.normal_()
    return made.eval()


@pytest.mark.parametrize("drafted", [False, True])
def test_steps_with_memory_equal_one_pass(decoder, drafted):
    vectors, ids = torch.randn(3, D), torch.randint(3, V, (3, 6))
    ids[:, 3] = ids[:, 1]
    draft = Draft.of([[5, 6], [7, 8, 9], [4]], torch.randn(3, D).numpy(), "cpu") if drafted else None
    with torch.no_grad():
        whole = decoder(vectors, ids, draft)
        reading = decoder.read(vectors, draft)
        past = decoder.empty_past(3, reading.prefix.shape[1])
        for t in range(7):
            step = decoder.step(ids[:, :t], reading, past)
            assert torch.allclose(step, whole[:, t], atol=2e-3), t


def test_it_starts_with_the_layers_and_words_of_the_language_model(decoder, language_model, vocabulary):
    tokenizer, model = language_model
    theirs, ours = model.layers[1].mlp.up_proj.weight, decoder.trunk.layers[1].mlp.up_proj.weight
    assert torch.equal(ours, theirs)
    assert torch.equal(decoder.trunk.norm.weight, model.norm.weight)
    table = model.get_input_embeddings().weight
    for piece, text in (("cat", " cat"), ("##s", "s")):
        row = table[tokenizer(text).input_ids].mean(0)
        assert torch.allclose(decoder.words.weight[vocabulary.pieces.index(piece)], row)
    size = decoder.first(torch.nn.functional.normalize(torch.randn(500, D), dim=1) * D**0.5).std()
    assert 0.5 < size / decoder.words.weight.std() < 2
