"""The decoder: causal, consistent step by step, conditioned on the vector, loaded as it was saved."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import BadInput
from workbench.embed.minilm import model_folder
from workbench.lm import BagOfWords, ConditionedDecoder, DecoderConfig, TextModel, Vocabulary, generate
from workbench.lm.vocabulary import EOS

V, D = 50, 8


def make(seed=0, **changes):
    torch.manual_seed(seed)
    sizes = {"dim": D, "vocabulary": V, "hidden": 16, "layers": 2, "heads": 4, "inner": 32, "max_tokens": 10}
    decoder = ConditionedDecoder(DecoderConfig(**sizes | changes))
    with torch.no_grad():  # FiLM begins at zero; let it act
        for parameter in decoder.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        decoder.bag_weight.normal_()
    return decoder.eval()


def test_no_piece_sees_a_later_one():
    decoder, vector = make(), torch.randn(1, D)
    ids = torch.randint(3, V, (1, 8))
    changed = ids.clone()
    changed[0, 5] = 3 + (changed[0, 5] - 2) % (V - 3)
    with torch.no_grad():
        a, b = decoder(vector, ids), decoder(vector, changed)
    assert torch.allclose(a[:, :6], b[:, :6], atol=1e-5)
    assert not torch.allclose(a[:, 6], b[:, 6], atol=1e-3)


def test_the_vector_matters_and_its_length_does_not():
    decoder, vector, ids = make(), torch.randn(1, D), torch.randint(3, V, (1, 4))
    with torch.no_grad():
        assert not torch.allclose(decoder(vector, ids), decoder(-vector, ids), atol=1e-2)
        assert torch.allclose(decoder(vector, ids), decoder(7 * vector, ids), atol=1e-4)


def test_steps_with_memory_equal_one_pass():
    decoder, vectors, ids = make(), torch.randn(3, D), torch.randint(3, V, (3, 6))
    ids[:, 3] = ids[:, 1]  # a word written twice is taken away once
    with torch.no_grad():
        whole = decoder(vectors, ids)
        reading, past = decoder.read(vectors), decoder.empty_past(3)
        for t in range(7):
            step = decoder.step(ids[:, :t], reading, past)
            assert torch.allclose(step, whole[:, t], atol=1e-4), t


def log_probability(decoder, vector, ids):
    """Mean log-probability per piece, the end counted, of one text; the definition that the search must agree with."""
    with torch.no_grad():
        logits = decoder(vector[None], torch.tensor([ids])).log_softmax(-1)[0]
    return float(logits[torch.arange(len(ids) + 1), torch.tensor([*ids, EOS])].mean())


def masked(decoder):
    """Scores of the two pieces that are never written do not count in a search; give them no mass at all."""
    with torch.no_grad():
        decoder.bias[:2] = -1e4
    return decoder


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 5))
def test_scores_of_the_search_are_true_and_in_order(seed, n, beams):
    decoder, vectors = masked(make(seed)), torch.randn(n, D)
    found = generate(decoder, vectors, beams)
    assert len(found) == n
    for candidates in found:
        assert 1 <= len(candidates) <= beams
        scores = [candidate.score for candidate in candidates]
        assert scores == sorted(scores, reverse=True)
        assert len({c.ids for c in candidates}) == len(candidates)
        for candidate in candidates:
            assert 1 <= len(candidate.ids) <= 10
            assert not set(candidate.ids) & {0, 1, EOS}


def test_the_best_text_has_the_score_that_it_claims():
    decoder, vectors = masked(make(3)), torch.randn(5, D)
    for vector, candidates in zip(vectors, generate(decoder, vectors, 4), strict=True):
        for candidate in candidates:
            if len(candidate.ids) > 1:  # the first step cannot end, so its mass is shared among the others
                first = decoder.step(
                    torch.empty(1, 0, dtype=torch.long), decoder.read(vector[None]), decoder.empty_past(1)
                )
                end = float(torch.log1p(-first.softmax(-1)[0, EOS]).detach())
                truth = log_probability(decoder, vector, list(candidate.ids))
                assert candidate.score == pytest.approx(truth - end / (len(candidate.ids) + 1), abs=1e-3)


def test_many_beams_find_the_best_of_all_texts():
    decoder = masked(make(5, vocabulary=7, max_tokens=3))
    vector = torch.randn(1, D)
    everything = [[a] for a in range(3, 7)] + [[a, b] for a in range(3, 7) for b in range(3, 7)]
    everything += [[*pair, c] for pair in everything[4:] for c in range(3, 7)]
    best = max(everything, key=lambda ids: log_probability(decoder, vector[0], ids))
    found = [c.ids for c in generate(decoder, vector, 200)[0]]
    assert tuple(best) in found[:2]
    assert len(found) == len(everything)


def test_one_vector_alone_gives_what_it_gives_among_others():
    decoder, vectors = make(1), torch.randn(7, D)
    together = [[c.ids for c in row] for row in generate(decoder, vectors, 3)]
    assert together == [[c.ids for c in generate(decoder, v[None], 3)[0]] for v in vectors]


def test_banned_pieces_do_not_begin_a_text():
    decoder, vectors = make(2), torch.randn(9, D)
    banned = torch.arange(3, V - 1)
    assert {c.ids[0] for row in generate(decoder, vectors, 3, banned=banned) for c in row} == {V - 1}


def test_it_starts_as_the_bert_that_it_is_made_from(minilm):
    texts = ["The cat sat on the mat.", "Where is my money?"]
    vocabulary = Vocabulary.cut(model_folder(), texts, 300)
    decoder = ConditionedDecoder(DecoderConfig(dim=384, vocabulary=len(vocabulary), layers=7))
    bert = minilm.model[0].auto_model
    decoder.start_from(bert, vocabulary)
    place = vocabulary.pieces.index("cat")
    theirs = bert.embeddings.word_embeddings.weight[int(vocabulary.base[place])]
    assert torch.equal(decoder.words.weight[place], theirs)
    assert torch.equal(decoder.blocks[5].up.weight, bert.encoder.layer[5].intermediate.dense.weight)
    assert torch.equal(decoder.blocks[0].qkv.weight[384:768], bert.encoder.layer[0].attention.self.key.weight)


def model(tmp_path, **changes):
    vocabulary = Vocabulary.cut(model_folder(), ["some text of few words"], 100)
    decoder = make(vocabulary=len(vocabulary), **changes)
    v = len(vocabulary)
    bag = BagOfWords(
        np.ones((D, v), np.float32), np.zeros(v, np.float32), np.zeros(v, np.float32), np.ones(D + 1, np.float32)
    )
    whole = TextModel(decoder, bag, vocabulary)
    return whole, whole.save(tmp_path)


def test_saved_and_loaded(tmp_path):
    before, config = model(tmp_path)
    after = TextModel.load(tmp_path, config, "cpu")
    assert after.vocabulary.pieces == before.vocabulary.pieces
    for name, tensor in before.decoder.state_dict().items():
        assert torch.equal(after.decoder.state_dict()[name], tensor.bfloat16().float()), name
    assert torch.equal(after.decoder.bag_weight, torch.from_numpy(before.bag.weight))


def test_one_that_learnt_without_a_bag_of_words_is_opened_without(tmp_path):
    _, config = model(tmp_path, bag_of_words=False)
    after = TextModel.load(tmp_path, config, "cpu").decoder
    assert isinstance(after, ConditionedDecoder)
    assert not after.bag_weight.any()


@pytest.mark.parametrize("name", ["decoder.safetensors", "bag_of_words.safetensors", "vocabulary.json"])
def test_a_damaged_file_is_named(tmp_path, name):
    _, config = model(tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=name.replace(".", r"\.")):
        TextModel.load(tmp_path, config, "cpu")
    (tmp_path / name).unlink()
    with pytest.raises(BadInput, match=name.replace(".", r"\.")):
        TextModel.load(tmp_path, config, "cpu")


def test_weights_of_another_shape_are_refused(tmp_path):
    _, config = model(tmp_path)
    with pytest.raises(BadInput, match="does not fit its card"):
        TextModel.load(tmp_path, {**config, "layers": 3}, "cpu")
