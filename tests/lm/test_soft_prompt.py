"""Soft prompts: questions in one sequence are answered as each would be alone; closed forms; LoRA, merged or not."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.tiny_lm import write_tiny_lm
from workbench.core.errors import BadInput
from workbench.lm import BagOfWords, fit_bag_of_words
from workbench.lm._packing import SOFT, Part, pack, sees
from workbench.lm._rounded import RoundedLinear, rounded_copy
from workbench.lm._server import Writing
from workbench.lm._torch_server import TorchServer
from workbench.lm.projector import Projector, ProjectorConfig
from workbench.lm.soft_prompt import SoftPromptModel

DIM, WORDS = 16, ["money", "bank", "dog", "house", "red", "text", "words", "share"]


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    meaning = random.standard_normal((len(WORDS), DIM))
    ids = [random.choice(len(WORDS), 3, replace=False) for _ in range(400)]
    vectors = np.stack([meaning[row].sum(0) for row in ids]) + 0.1 * random.standard_normal((400, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), ids, fit_bag_of_words(vectors.astype(np.float32), ids, len(WORDS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_lm(tmp_path_factory.mktemp("lm"))


def make(folder, data, variant="words"):
    vectors, _, bag = data
    torch.manual_seed(0)
    model = SoftPromptModel(folder, WORDS, ProjectorConfig(DIM, 32, len(WORDS), 3, 2, 8, variant))
    targets = np.random.default_rng(1).standard_normal((len(vectors), 2, 32)).astype(np.float32)
    model.projector.start(bag, vectors, targets, 0.2)
    return model


@pytest.fixture(scope="module")
def model(folder, data):
    return make(folder, data)


def test_packed_questions_are_answered_as_each_alone(model, data):
    vectors = [data[0][:1], data[0][1:3], data[0][3:4]]  # one vector, two, one: rows of different lengths
    asks = [["Is it about money?", "Does it mention a red dog?", "Keywords?"], ["Is it?"], ["Write the text."] * 2]
    together = model.choose(vectors, asks)
    for vector, each, found in zip(vectors, asks, together, strict=True):
        alone = np.concatenate([model.choose([vector], [[ask]])[0] for ask in each])
        assert np.allclose(found, alone, atol=1e-5)
        assert np.allclose(np.exp(found).sum(1), 1, atol=1e-5)


def test_nats_are_those_of_the_plain_sequence(model, data):
    vector, ask, answer = data[0][:1], "Write the text.", "the dog ran"
    (sums, count) = model.nats([vector], ask, [answer])[0]
    given, learnt = model.question(ask).given, model.question(ask, answer).learnt
    with torch.no_grad():
        before = model.embeddings(torch.tensor([model._before]))
        soft = model.projector(torch.from_numpy(vector))
        rest = model.embeddings(torch.tensor([[*given, *learnt]]))
        logits = model.lm(inputs_embeds=torch.cat([before, soft, rest], dim=1)).logits[0]
    wanted = torch.tensor(learnt)
    plain = F.cross_entropy(logits[-len(learnt) - 1 : -1], wanted, reduction="sum")
    assert count == len(learnt)
    assert sums == pytest.approx(float(plain), abs=1e-4)


def test_an_answer_is_written_as_the_logits_say(model, data):
    vectors = [row[None] for row in data[0][:3]]
    packed = model.pack(vectors, [[model.question("Keywords?")] for _ in vectors])
    with torch.no_grad():
        first = model.logits(vectors, packed).argmax(-1).tolist()
    written = model.write(vectors, "Keywords?", most_tokens=1)
    assert written == [model.tokenizer.decode([id], skip_special_tokens=True).strip() for id in first]
    assert model.write(vectors, "Keywords?", 4, batch=2) == model.write(vectors, "Keywords?", 4)


def by_generate(model, vectors, ask, most_tokens):
    """What transformers' own greedy `generate` writes to one prompt, with the same rule for the first token."""
    packed = model.pack([vectors], [[model.question(ask)]])
    with torch.no_grad():
        x = model.embed([vectors], packed)
        first = model.lm(inputs_embeds=x).logits[:, -1]
    abstain = [model._tokens(word)[0] for word in ("unclear", "Unclear")]
    barred = abstain if torch.softmax(first, -1)[0, abstain].sum() < 0.5 else []

    def rule(ids, scores):
        scores[:, barred if not ids.shape[1] else []] = -torch.inf
        return scores

    ids = model.lm.generate(
        inputs_embeds=x,
        attention_mask=torch.ones(x.shape[:2], dtype=torch.long),
        max_new_tokens=most_tokens,
        do_sample=False,
        logits_processor=[rule],
        eos_token_id=model._end,
        pad_token_id=model._end,
    )
    kept = ids[0].tolist()
    kept = kept[: kept.index(model._end)] if model._end in kept else kept
    return model.tokenizer.decode(kept, skip_special_tokens=True).strip()


@pytest.mark.parametrize("guesses", [False, True])
def test_what_is_written_is_what_generate_writes(tmp_path, data, guesses):
    config = ProjectorConfig(DIM, 64, len(WORDS), 3, 2, 8)
    torch.manual_seed(0)
    model = SoftPromptModel(write_tiny_lm(tmp_path, hidden=64, layers=3), WORDS, config)
    targets = np.random.default_rng(1).standard_normal((len(data[0]), 2, 64)).astype(np.float32)
    model.projector.start(data[2], data[0], targets, 0.2)
    server = model.server = TorchServer(model.lm, guesses)
    vectors = [row[None] for row in data[0][:20]]
    packed = model.pack(vectors, [[model.question("Keywords?")]] * 20)
    endless = TorchServer(model.lm).tell(model.embed(vectors, packed), packed, Writing(-1, (0,), 24)).written
    model._end = Counter(token for row in endless for token in row[4:]).most_common(1)[0][0]  # some texts end then
    expected = [by_generate(model, each, "Keywords?", 24) for each in vectors]
    alone = [model.tell([each], "Keywords?", [["Is it?", "Is it a dog?"]], 24)[0] for each in vectors]
    assert [said.text for said in alone] == expected
    assert model.write(vectors, "Keywords?", 24, batch=8) == expected
    assert len(set(expected)) > 5
    assert {model._end in row[1:] for row in endless} == {True, False}, "some end, some are cut"
    questions = model.choose(vectors, [["Is it?", "Is it a dog?"]] * 20)
    assert np.allclose([said.chosen for said in alone], questions, atol=1e-5)
    assert (server.guessed > server.right > 0) == guesses
    assert model.write(vectors[:1], "Keywords?", 1) == [by_generate(model, vectors[0], "Keywords?", 1)]


def test_rounded_weights_are_near_the_true_ones():
    torch.manual_seed(0)
    linear = torch.nn.Linear(128, 48)
    x = torch.randn(2, 5, 128)
    with torch.no_grad():
        near, true = RoundedLinear(linear)(x), linear(x)
    assert near.shape == true.shape and near.dtype == true.dtype
    assert float((near - true).norm() / true.norm()) < 0.02
    assert not RoundedLinear.fits(torch.nn.Linear(100, 48)) and not RoundedLinear.fits(torch.nn.Linear(128, 47))
    assert rounded_copy(torch.nn.Linear(100, 47)) is None
    whole = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.LayerNorm(16))
    copied = rounded_copy(whole)
    assert copied is not None and copied[1].weight is whole[1].weight, "what is not rounded is shared"
    assert isinstance(whole[0], torch.nn.Linear)


def test_a_text_may_stand_where_soft_tokens_would(model, data):
    vectors, asks = [row[None] for row in data[0][:2]], [["Is it about money?"]] * 2
    read = model.choose(vectors, asks, ["the bank and money", "the red dog ran"])
    other = model.choose([row[None] for row in data[0][5:7]], asks, ["the bank and money", "the red dog ran"])
    assert np.allclose(read, other), "vectors tell nothing then"
    ids = [*model._before, *model._tokens("the red dog ran"), *model.question("Is it about money?").given]
    with torch.no_grad():
        plain = torch.log_softmax(model.lm(torch.tensor([ids])).logits[0, -1, model._choices], dim=-1)
    assert np.allclose(read[1][0], plain.numpy(), atol=1e-5)


def test_prompts_of_several_sizes_cannot_be_written_at_once(model, data):
    with pytest.raises(BadInput, match="different numbers"):
        model.write([data[0][:1], data[0][:2]], "Keywords?")


def test_merged_lora_is_lora(folder, data, tmp_path):
    vectors, asks = [row[None] for row in data[0][:4]], [["Is it about money?"]] * 4
    trained, plain = make(folder, data), make(folder, data)
    before = trained.choose(vectors, asks)
    parameters = trained.add_lora(4, first_layer=1)
    assert np.allclose(before, trained.choose(vectors, asks), atol=1e-6), "LoRA that was not trained changes nothing"
    torch.manual_seed(1)
    with torch.no_grad():
        for each in parameters:
            each.add_(0.1 * torch.randn_like(each))
    state = trained.lora_state()
    assert state and all(".layers.1." in name for name in state)
    plain.merge_lora(state)
    assert np.abs(np.array(before) - trained.choose(vectors, asks)).max() > 1e-3
    assert np.allclose(trained.choose(vectors, asks), plain.choose(vectors, asks), atol=1e-5)
    other = {name.replace(".layers.1.", ".layers.9."): value for name, value in state.items()}
    with pytest.raises(BadInput, match=r"layers\.9"):
        plain.merge_lora(other)


@pytest.mark.parametrize("variant", ["words", "affine", "linear"])
def test_the_residual_starts_at_nothing_and_scale_does_not_matter(folder, data, variant):
    projector = make(folder, data, variant).projector
    vectors = torch.from_numpy(data[0][:5])
    with torch.no_grad():
        tokens = projector(vectors)
        assert tokens.shape == (5, projector.config.tokens, 32)
        assert torch.allclose(tokens, projector(7 * vectors), atol=1e-5)
        free = tokens[:, projector.config.word_tokens : -1]
        assert torch.allclose(free.square().mean(-1).sqrt(), torch.tensor(0.2), atol=1e-5)
        if variant != "linear":
            projector.residual[2].bias.add_(1.0)
            assert not torch.allclose(tokens, projector(vectors), atol=1e-2)


def test_words_are_read_off_vectors_and_their_embeddings_stand_in_the_prompt(model, data):
    vectors, ids, _ = data
    read = model.projector.read(torch.from_numpy(vectors), 3)
    hits = np.mean([len(set(row.tolist()) & set(truth)) for row, truth in zip(read.words, ids, strict=True)])
    assert hits > 2.7
    with torch.no_grad():
        first = model.projector(torch.from_numpy(vectors[:1]))[0, 0]
        table = model.projector.table
        chance = torch.logit(read.chances[0, 0].clamp(1e-4, 1 - 1e-4))
        sure = ((chance + 1) / 2).clamp(-2, 2) * model.projector.sure
    assert torch.allclose(first, table[read.words[0, 0]] + sure, atol=1e-5)


def test_what_no_text_makes_lies_far_out(model, data):
    random = np.random.default_rng(2)
    noise = random.standard_normal((50, DIM)).astype(np.float32)
    real, far = (model.projector.typicality(torch.from_numpy(each)) for each in (data[0], noise))
    assert abs(float(real.mean())) < 0.1 and float(real.std()) == pytest.approx(1, abs=0.1)
    mean = torch.from_numpy(data[0].mean(0, keepdims=True) / np.linalg.norm(data[0].mean(0)))
    assert np.isfinite(far.numpy()).all() and model.projector.typicality(mean).shape == (1,)


def test_pack_lays_segments_behind_one_prompt():
    packed = pack([([5, SOFT], [Part((1, 2), (3, 4)), Part((6,))]), ([SOFT], [Part((7,), (8,), 2.0)])])
    assert packed.ids[0].tolist() == [5, SOFT, 1, 2, 3, 4, 6]
    assert packed.places[0].tolist() == [0, 1, 2, 3, 4, 5, 2]
    assert packed.told.tolist() == [[0, 3], [0, 4], [0, 6], [1, 1]]
    assert packed.wanted.tolist() == [3, 4, -1, 8]
    assert packed.owner.tolist() == [0, 0, 1, 2]
    assert packed.weights.tolist() == [1, 1, 1, 2]
    seen = sees(packed.segment)[0, 0]
    assert seen[6].tolist() == [True, True, False, False, False, False, True], "a segment does not see its neighbour"
    assert not seen[0, 1], "the prompt is read from left to right"


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"variant": "cubic"}, "cubic"), ({"words": 9}, "9 word tokens of 8"), ({"free": 0}, "0 free")],
)
def test_a_projector_that_cannot_be_is_refused(fields, said):
    sizes = {"dim": DIM, "hidden": 32, "pool": 8, "words": 3, **fields}
    with pytest.raises(Exception, match=said):
        ProjectorConfig(**sizes)


def test_a_projector_of_another_language_model_is_refused(folder):
    with pytest.raises(BadInput, match="32 dimensions"):
        SoftPromptModel(folder, WORDS, ProjectorConfig(DIM, 48, len(WORDS), 3))


def test_dimensions_without_spread_do_not_break_the_start():
    vectors = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    vectors[:, 3] = 0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    bag = BagOfWords(
        np.zeros((4, 2), np.float32), np.zeros(2, np.float32), np.zeros(2, np.float32), np.zeros(5, np.float32)
    )
    projector = Projector(ProjectorConfig(4, 8, 2, 2, 1, 4))
    projector.start(bag, vectors, np.zeros((50, 1, 8), np.float32), 0.1)
    assert torch.isfinite(projector(torch.from_numpy(vectors))).all()
