"""Which embedder made these vectors? Told on other domains, and "none of them" where none did."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.audit.fingerprint import Reference, fingerprint, form_of
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput
from workbench.core.result import Result
from workbench.core.vectors import unit
from workbench.data import corpora
from workbench.defend import open_defence
from workbench.embed import load_embedder
from workbench.jobs.fingerprint_store import fingerprint_store, reference

NAMES = ("minilm", "potion")


@pytest.fixture(scope="module")
def references():
    return [reference(name, 60, "cpu") for name in NAMES]


@pytest.fixture(scope="module")
def stores():
    texts = corpora.load("sotu", "test", 100).texts  # a domain that no reference has
    return {name: load_embedder(name, "cpu").embed(texts) for name in NAMES}


@pytest.mark.parametrize("form", ["float32", "int8", "binary", "cut"])
@pytest.mark.parametrize("name", NAMES)
def test_the_embedder_is_named_in_every_form(references, stores, name, form):
    vectors = stores[name]
    if form == "cut":
        vectors = unit(vectors[:, :128])
    elif form != "float32":
        vectors = open_defence(form).apply(vectors, np.random.default_rng(0))
    found = fingerprint(vectors, references)
    assert found.verdict == name
    assert found.suspects[0].probability > 0.8  # 60 texts a domain; before any look "none of them" has 0.7
    assert found.suspects[0].form == ("first 128" if form == "cut" else "")
    assert found.stored == (form if form != "cut" else "float32")
    assert found.none + sum(each.probability for each in found.suspects) == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
def test_none_of_them_where_none_made_them(references, stores, name):
    random = np.random.default_rng(1)
    vectors = stores[name]
    d = vectors.shape[1]
    turned = vectors @ np.linalg.qr(random.standard_normal((d, d)))[0].astype(np.float32)
    shuffled = vectors[:, random.permutation(d)]
    noise = unit(random.standard_normal(vectors.shape).astype(np.float32))
    for strange in (turned, shuffled, noise):
        assert fingerprint(strange, references).verdict == "none of them"


def test_an_embedder_that_is_not_thought_of_is_none_of_them(references, stores):
    assert fingerprint(stores["potion"], references[:1]).verdict == "none of them"


@pytest.mark.parametrize("kind", ["pca", "projection", "gaussian 0", "gaussian 1", "gaussian 1.5"])
def test_clouds_near_the_mean_are_none_of_them(references, stores, kind):
    random = np.random.default_rng(2)
    if kind == "pca":
        centred = stores["minilm"] - stores["minilm"].mean(0)
        vectors = centred @ np.linalg.svd(centred, full_matrices=False)[2][:64].T
    elif kind == "projection":
        vectors = stores["minilm"] @ random.standard_normal((384, 128)).astype(np.float32)
    else:
        decay = float(kind.split()[1])
        vectors = random.standard_normal((60, 256)) * np.arange(1, 257) ** (-decay / 2)
    found = fingerprint(unit(vectors.astype(np.float32)), references)
    assert found.verdict == "none of them"
    assert all(each.why for each in found.suspects), "each suspect is ruled out for a reason"


@pytest.mark.parametrize("form", ["int8", "uint8", "ubinary", "binary"])
def test_dumps_of_sentence_transformers(references, stores, form):
    from sentence_transformers.util import quantize_embeddings

    codes = quantize_embeddings(stores["potion"], form).astype(np.float32)
    found = fingerprint(codes, references)
    assert found.verdict == "potion"
    assert found.stored == ("packed bits" if "binary" in form else "codes by dimension")


def test_short_templated_chat_is_known(references):
    texts = [f"{hi} {name}, {what}?" for hi in ("Hi", "Hello") for name in ("Anna", "Ben", "Omar", "Lena", "Kofi")
             for what in ("are you free", "is it ready", "did you call", "where is it", "can you help")]  # fmt: skip
    for name in NAMES:
        assert fingerprint(load_embedder(name, "cpu").embed(texts), references).verdict == name


def test_the_scale_of_vectors_tells_nothing(references, stores):
    one, three = (fingerprint(scale * stores["minilm"], references) for scale in (1.0, 3.0))
    assert [each.embedder for each in one.suspects] == [each.embedder for each in three.suspects]
    assert (one.normalised, three.normalised) == (True, False)


def test_forms_are_read_off_the_numbers():
    vectors = unit(np.random.default_rng(0).standard_normal((20, 64)).astype(np.float32))
    random = np.random.default_rng(0)
    assert form_of(vectors) == "float32"
    assert form_of(vectors.astype(np.float16).astype(np.float32)) == "float16"
    assert [form_of(open_defence(name).apply(vectors, random)) for name in ("int8", "binary")] == ["int8", "binary"]


def test_it_is_a_result_and_reads_no_provenance(references, stores, tmp_path):
    ids = np.array([str(row) for row in range(100)], object)
    found = fingerprint_store(EmbeddingSet(ids, stores["minilm"]), NAMES, 360, device="cpu")
    assert found.verdict == "minilm"
    found.save(tmp_path / "found.json")
    assert Result.load(tmp_path / "found.json") == found
    assert "minilm" in found._repr_html_()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"texts": 100}, "texts is 100"),
        ({"among": ()}, "no embedder to think of"),
        ({"among": ("toy",)}, "have 384 dimensions; no embedder among 1 has as many"),
        ({"among": ("nonesuch",)}, "nonesuch"),
    ],
)
def test_what_cannot_be_told_is_said(stores, change, message):
    store = EmbeddingSet(np.array([str(row) for row in range(100)], object), stores["minilm"])
    with pytest.raises((BadInput, LookupError), match=message):
        fingerprint_store(store, **{"among": NAMES, "texts": 360, "device": "cpu", **change})


def test_one_domain_is_too_few(stores):
    one = Reference("minilm", stores["minilm"], np.array(["a"] * 100, object))
    with pytest.raises(BadInput, match="at least 2 domains"):
        fingerprint(stores["minilm"], [one])
