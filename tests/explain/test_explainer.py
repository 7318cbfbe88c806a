"""The explainer's contract, on a tiny language model and toy vectors: evidence beside answers, bad input named."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from tests.tiny_lm import write_tiny_lm
from workbench.core.card import Card
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.core.files import sha256_of
from workbench.explain import Bundle, Claims, Explainer, open_explainer
from workbench.explain._explainer import SHARED
from workbench.explain._words import cut
from workbench.lm import fit_bag_of_words
from workbench.lm.projector import ProjectorConfig
from workbench.lm.soft_prompt import SoftPromptModel
from workbench.results.explanations import UNCLEAR

WORDS = ["money", "bank", "dog", "house", "red"]
TEXTS = [f"{a} {b}" for a in WORDS for b in WORDS if a != b]


@pytest.fixture(scope="module")
def bundle(toy, tmp_path_factory):
    vectors = toy.embed(TEXTS)
    ids = [[WORDS.index(word) for word in text.split()] for text in TEXTS]
    folder = write_tiny_lm(tmp_path_factory.mktemp("lm"))
    torch.manual_seed(0)
    d = toy.spec.dim
    model = SoftPromptModel(folder, WORDS, ProjectorConfig(d, 32, len(WORDS), 2, 1, 8))
    targets = np.random.default_rng(0).standard_normal((len(TEXTS), 1, 32)).astype(np.float32)
    model.projector.start(fit_bag_of_words(vectors, ids, len(WORDS)), vectors, targets, 0.2)
    coef = np.random.default_rng(1).standard_normal((2, d))
    claims = Claims(("money", "dog"), ("Is it about money?", "Is it about a dog?"), coef, np.zeros(2))
    return Bundle(model, claims, (1.5, 0.25), vectors[:6])


@pytest.fixture(scope="module")
def explainer(toy, bundle):
    return Explainer(toy, bundle, "tiny")


@pytest.fixture(scope="module")
def stolen(toy):
    return toy.embed_set(["a", "b", "c"], TEXTS[:3]).without_texts()


def test_a_description_comes_with_its_evidence(toy, explainer, stolen):
    found = explainer.describe(stolen, texts=TEXTS[:3])
    assert [row.id for row in found.rows] == ["a", "b", "c"]
    for row, vector, text in zip(found.rows, stolen.vectors, TEXTS, strict=False):
        again = toy.embed([row.description])[0]
        assert row.cosine == pytest.approx(again @ vector / np.linalg.norm(again) / np.linalg.norm(vector), abs=1e-5)
        assert row.text == text
        assert row.blind and row.blind_cosine is not None
        assert [claim.name for claim in row.claims] == ["money", "dog"]
        assert all(0 <= claim.probability <= 1 for claim in row.claims)
    probes = explainer.bundle.claims.probe(stolen.vectors)
    assert [claim.probe for claim in found.rows[1].claims] == pytest.approx(probes[1].tolist())
    assert explainer.describe(stolen, claims=False).rows[0].claims == ()


def test_a_vector_alone_is_explained_as_among_others(explainer, stolen):
    together, alone = explainer.describe(stolen), explainer.describe(stolen.select(slice(1, 2)))
    assert alone.rows[0].description == together.rows[1].description
    assert alone.rows[0].keywords == together.rows[1].keywords


def test_a_yes_or_no_question_has_a_calibrated_probability_beside_the_blind_one(explainer, stolen):
    found = explainer.ask(stolen, "Is it about money?").rows
    logs = np.concatenate(
        explainer.bundle.model.choose([v[None] for v in stolen.vectors], [["Is it about money?"]] * 3)
    )
    wanted = 1 / (1 + np.exp(-(1.5 * (logs[:, 0] - logs[:, 1]) + 0.25)))
    assert [row.probability for row in found] == pytest.approx(wanted.tolist(), abs=1e-5)
    assert len({row.blind_probability for row in found}) == 1
    assert {row.answer for row in found} <= {"yes", "no", UNCLEAR}


def test_any_other_question_is_answered_in_words(explainer, stolen):
    row = explainer.ask(stolen, "What is it about?", claims=False).rows[0]
    assert row.probability is None and row.blind_probability is None
    assert explainer.answer(stolen.vectors[0], "What is it about?").answer == row.answer


def test_a_document_is_asked_once(explainer, stolen):
    (row,) = explainer.ask_document(stolen, "Does it mention money?").rows
    assert row.probability is not None and row.question == "Does it mention money?"
    with pytest.raises(BadInput, match="at most 16"):
        many = EmbeddingSet(np.arange(17).astype(str).astype(object), np.tile(stolen.vectors[:1], (17, 1)))
        explainer.ask_document(many, "Is it?")


def test_a_question_asked_beside_the_claims_is_answered_as_alone(explainer, stolen):
    for question in ("Is it about a dog?", "Keywords?"):
        rows = explainer.ask(stolen, question).rows
        for row, vector in zip(rows, stolen.vectors, strict=True):
            alone = explainer.answer(vector, question)
            assert (row.answer, row.blind_probability) == (alone.answer, alone.blind_probability)
            assert (row.probability is None) == (alone.probability is None)
            assert row.probability is None or row.probability == pytest.approx(alone.probability, abs=1e-5)
    plain = explainer.describe(stolen).rows
    assert [row.description for row in plain] == [row.description for row in rows]
    for row, other in zip(plain, rows, strict=True):
        assert [c.probability for c in row.claims] == pytest.approx([c.probability for c in other.claims], abs=1e-5)


def test_who_serves_is_one_of_two(toy):
    with pytest.raises(BadInput, match="'gpu'; expected one of torch, llamacpp"):
        open_explainer(toy, serve="gpu")


def test_the_way_between_two_vectors_begins_and_ends_at_them(explainer, stolen):
    a, b = stolen.vectors[:2]
    found = explainer.interpolate(a, b, 3)
    assert [row.id for row in found.rows] == ["0.00", "0.50", "1.00"]
    ends = explainer.describe(stolen.select(slice(0, 2)))
    assert found.rows[0].description == ends.rows[0].description
    assert found.rows[2].description == ends.rows[1].description
    assert len(explainer.interpolate(a, a, 2).rows) == 2
    with pytest.raises(BadInput, match="opposite"):
        explainer.interpolate(a, -a, 3)
    with pytest.raises(BadInput, match="steps is 1"):
        explainer.interpolate(a, b, 1)


def test_two_vectors_are_compared(explainer, stolen):
    found = explainer.compare(*stolen.vectors[:2])
    assert [row.id for row in found.rows] == ["a", "b", "a and b"]
    assert found.rows[2].question == SHARED


def test_a_direction_is_named_by_the_words_that_grow_along_it(toy, explainer):
    money = toy.embed(["money"])[0] - toy.embed(["dog"])[0]
    (row,) = explainer.name(money, direction=True).rows
    assert row.keywords[0][0] == "money"
    assert [word for word, _ in row.keywords].index("dog") == len(row.keywords) - 1
    assert explainer.name(toy.embed(["dog"])[0]).rows[0].id == "centroid"


def test_a_chat_keeps_its_turns(explainer, stolen):
    chat = explainer.chat(stolen.vectors[0])
    chat.say("Is it about a dog?")
    assert chat.say("What is it?").question == "What is it?"
    assert [turn.question for turn in chat.turns] == ["Is it about a dog?", "What is it?"]


def test_bad_input_is_named(toy, explainer, stolen):
    with pytest.raises(BadInput, match="never holds the truth"):
        explainer.describe(toy.embed_set(["a"], ["money"]))
    with pytest.raises(BadInput, match=r"expected \(n, "):
        explainer.answer(np.ones(3, np.float32), "Is it?")
    with pytest.raises(BadInput, match="NaN"):
        explainer.answer(np.full(toy.spec.dim, np.nan, np.float32), "Is it?")
    with pytest.raises(BadInput, match="zero"):
        explainer.answer(np.zeros(toy.spec.dim, np.float32), "Is it?")
    with pytest.raises(BadInput, match="empty"):
        explainer.ask(stolen, "  ")


def test_an_abstention_is_one_word():
    assert cut("unclear.") == cut("Unclear\nor not") == cut("") == UNCLEAR
    assert cut("the dog\nran") == "the dog"


def save(bundle, toy, folder):
    folder.mkdir()
    config = json.loads(json.dumps(bundle.save(folder, {})))
    digests = {path.name: sha256_of(path) for path in folder.iterdir()}
    spec = toy.spec
    card = Card("tiny", "explainer", "", spec.name, spec.revision, "", config, (), {}, sha256=digests)
    card.save(folder)
    return card


def test_what_was_saved_is_what_is_opened(toy, bundle, explainer, stolen, tmp_path):
    save(bundle, toy, tmp_path / "tiny")
    opened = open_explainer(toy, str(tmp_path / "tiny"), "cpu")
    for here, there in zip(explainer.describe(stolen).rows, opened.describe(stolen).rows, strict=True):
        assert [word for word, _ in here.keywords] == [word for word, _ in there.keywords]
        assert [c.probability for c in here.claims] == pytest.approx([c.probability for c in there.claims], abs=0.02)


def test_what_does_not_fit_is_refused(toy, bundle, minilm, tmp_path):
    folder = tmp_path / "tiny"
    card = save(bundle, toy, folder)
    with pytest.raises(BadInput, match="train an explainer"):
        open_explainer(minilm, str(folder), "cpu")
    with pytest.raises(BadInput, match="not a whole explainer"):
        Bundle.load(folder, {**card.config, "calibration": [1.0]}, "cpu")
    with pytest.raises(BadInput, match="weights other"):
        Bundle.load(folder, {**card.config, "model_revision": "other"}, "cpu")
    path = folder / "projector.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadInput, match="damaged"):
        open_explainer(toy, str(folder), "cpu")
