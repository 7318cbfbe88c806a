"""Drafts: shown to a decoder that corrects, ignored where there is none, the same in a batch and alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.core.errors import BadInput
from workbench.jobs._early_metrics import loss_of
from workbench.lm import Draft, generate, make_decoder
from workbench.lm._pointer import Pointer

V, D = 40, 8
SIZES = {"dim": D, "vocabulary": V, "hidden": 16, "layers": 2, "heads": 4, "inner": 32, "max_tokens": 10}


LLAMA = {
    "model_type": "llama",
    "vocab_size": 1,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 32,
}


def make(architecture, corrects=True, seed=0):
    torch.manual_seed(seed)
    sizes = {"dim": D, "vocabulary": V, "max_tokens": 10, "trunk": LLAMA} if architecture == "causal" else SIZES
    parts = {"draft_rank": 4 * corrects} if architecture == "film" else {}
    decoder = make_decoder(architecture, **sizes, corrects=corrects, **parts)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        if architecture != "t5":
            decoder.bag_weight.normal_()
    return decoder.eval()


@pytest.fixture(params=["film", "causal", "t5"])
def decoder(request):
    return make(request.param)


def drafts(*rows, seed=1):
    vectors = np.random.default_rng(seed).standard_normal((len(rows), D))
    return Draft.of([list(row) for row in rows], vectors, "cpu")


def test_what_a_draft_says_matters(decoder):
    vectors, ids = torch.randn(1, D), torch.randint(3, V, (1, 4))
    with torch.no_grad():
        plain = decoder(vectors, ids)
        one, other = decoder(vectors, ids, drafts([5, 6, 7])), decoder(vectors, ids, drafts([5, 9, 7]))
        elsewhere = decoder(vectors, ids, drafts([5, 6, 7], seed=2))
    for a, b in ((plain, one), (one, other), (one, elsewhere)):
        assert not torch.allclose(a, b, atol=1e-3)


def test_padding_of_a_draft_changes_nothing(decoder):
    vectors, ids = torch.randn(3, D), torch.randint(3, V, (3, 4))
    rows = ([5, 6, 7, 8, 9], [4], [10, 11])
    together = drafts(*rows)
    with torch.no_grad():
        whole = decoder(vectors, ids, together)
        for i, row in enumerate(rows):
            alone = Draft.of([row], together.vectors[i : i + 1].numpy(), "cpu")
            assert torch.allclose(decoder(vectors[i : i + 1], ids[i : i + 1], alone), whole[i : i + 1], atol=1e-4)


def test_no_piece_sees_a_later_one(decoder):
    vectors, ids, draft = torch.randn(1, D), torch.randint(3, V, (1, 8)), drafts([5, 6])
    changed = ids.clone()
    changed[0, 5] = 3 + (changed[0, 5] - 2) % (V - 3)
    with torch.no_grad():
        a, b = decoder(vectors, ids, draft), decoder(vectors, changed, draft)
    assert torch.allclose(a[:, :6], b[:, :6], atol=1e-5)
    assert not torch.allclose(a[:, 6], b[:, 6], atol=1e-3)


def test_one_draft_alone_is_rewritten_as_among_others(decoder):
    vectors, draft = torch.randn(4, D), drafts([5, 6, 7], [8], [9, 10, 11, 12], [5])
    together = generate(decoder, vectors, 3, draft=draft)
    for i, found in enumerate(together):
        alone = generate(decoder, vectors[i : i + 1], 3, draft=draft.take(slice(i, i + 1)))[0]
        assert [c.ids for c in found] == [c.ids for c in alone]
        assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
        assert all(1 <= len(c.ids) <= 10 and not set(c.ids) & {0, 1, 2} for c in found)


def test_steps_with_memory_equal_one_pass():
    decoder = make("film")
    vectors, ids, draft = torch.randn(3, D), torch.randint(3, V, (3, 6)), drafts([5, 6, 7, 8], [4], [9, 9])
    with torch.no_grad():
        whole = decoder(vectors, ids, draft)
        reading = decoder.read(vectors, draft)
        past = decoder.empty_past(3, reading.prefix.shape[1])
        for t in range(7):
            assert torch.allclose(decoder.step(ids[:, :t], reading, past), whole[:, t], atol=1e-4), t


def test_learning_to_correct_leaves_the_plain_mode_alone():
    """A decoder that was trained without drafts is the same decoder when it is given the parts that read them."""
    plain, able = make("film", corrects=False), make("film", seed=5)
    able.load_state_dict(plain.state_dict(), strict=False)
    able.bag_weight.copy_(plain.bag_weight)
    vectors, ids = torch.randn(2, D), torch.randint(3, V, (2, 5))
    with torch.no_grad():
        assert torch.equal(able(vectors, ids), plain(vectors, ids))


def test_a_pointer_says_nothing_until_it_is_trained():
    pointer, draft, logits = Pointer(16), drafts([5, 6, 7], [8]), torch.randn(2, 4, V)
    with torch.no_grad():
        found = pointer(
            logits.clone(), torch.randn(2, 4, 16), pointer.read(draft.ids, torch.randn(2, 3, 16), draft.valid)
        )
    assert torch.equal(found, logits)


def test_a_pointer_raises_the_pieces_of_the_draft_and_no_others():
    torch.manual_seed(0)
    pointer = Pointer(16)
    torch.nn.init.normal_(pointer.ask.weight)
    draft = drafts([5, 6, 6], [8])
    logits, states = torch.zeros(2, 4, V), torch.randn(2, 4, 16)
    with torch.no_grad():
        found = pointer(logits, states, pointer.read(draft.ids, torch.randn(2, 3, 16), draft.valid))
    for row, pieces in enumerate(({5, 6}, {8})):
        assert {int(piece) for piece in found[row].abs().sum(0).nonzero()} == pieces


def test_training_on_copies_teaches_to_copy():
    """What attention alone did not learn in a thousand steps on a GPU: a draft that is the text is written as it is."""
    torch.manual_seed(0)
    decoder = make_decoder("film", **SIZES, corrects=True, draft_rank=4)
    optimiser, vectors = torch.optim.Adam(decoder.parameters(), lr=1e-2), np.zeros((64, D), np.float32)
    random = np.random.default_rng(0)
    for _ in range(80):
        ids = random.integers(3, V, (64, 6))
        loss = loss_of(decoder, vectors, ids, Draft.of(ids.tolist(), vectors, "cpu"), "cpu")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.5 * np.log(V - 3)


def test_learning_drafts_alone_leaves_the_plain_mode_as_it_is():
    decoder = make("film").train()
    decoder.learn_drafts_alone()
    vectors, ids, draft = np.ones((4, D), np.float32), np.full((4, 5), 7), drafts(*[[7, 8, 9]] * 4)
    before = decoder(torch.from_numpy(vectors), torch.from_numpy(ids)).detach()
    optimiser = torch.optim.Adam(decoder.parameters(), lr=1e-2)
    losses = []
    for _ in range(20):
        losses.append(loss_of(decoder, vectors, ids, draft, "cpu"))
        optimiser.zero_grad()
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < losses[0]
    assert torch.equal(decoder(torch.from_numpy(vectors), torch.from_numpy(ids)), before)


@pytest.mark.parametrize("architecture", ["film", "causal", "t5"])
def test_a_decoder_that_never_saw_drafts_says_so(architecture):
    with pytest.raises(BadInput, match="was not trained on drafts"):
        generate(make(architecture, corrects=False), torch.randn(1, D), 2, draft=drafts([5]))


def test_an_unknown_architecture_is_named():
    with pytest.raises(LookupError, match="no architecture is called 'rnn'"):
        make_decoder("rnn", dim=3, vocabulary=9)
