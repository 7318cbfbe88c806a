"""Attributions sum to the cosine; ours equals the full Jacobian, captum, and the closed form where there is one."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.attribute import ATTRIBUTORS, _jacobian, open_attributor
from workbench.attribute._adaptive import adaptive
from workbench.attribute._attributor import Options
from workbench.attribute._contributions import Contributions, pieces_of
from workbench.attribute._jacobian import directed_contributions, piece_contributions, token_contributions
from workbench.attribute._path import Path
from workbench.attribute._quadrature import Forecast, rule
from workbench.core.access import KNOWN_ENCODER
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import AccessDenied, BadInput
from workbench.core.result import Result
from workbench.embed import load_embedder
from workbench.embed._torch import plain_attention

A, B = "The bank closed my account.", "My account was shut by the bank"
ODD = ["x", "🙂 fine", "naïve café, 東京", "...", "a" * 60]


@pytest.fixture(scope="module")
def potion():
    return load_embedder("potion", "cpu")


@pytest.fixture(scope="module")
def default(minilm):
    return open_attributor(minilm)


def cosine(embedder, a, b):
    one, two = embedder.embed([a, b]).astype(np.float64)
    return float(one @ two / (np.linalg.norm(one) * np.linalg.norm(two)))


@pytest.mark.parametrize("layer", [0, 3, 6])
def test_the_bordered_matrix_sums_to_the_cosine(minilm, layer):
    attributor = open_attributor(minilm, options=Options(layer=layer))
    for a, b in ((A, B), *zip(ODD[:4], [B, *ODD], strict=False)):
        found = attributor.pair(a, b)
        assert found.score == pytest.approx(cosine(minilm, a, b), abs=1e-5)
        assert abs(found.matrix.sum() - found.score) <= 1e-5
        assert abs(found.matrix.sum() - found.score) <= found.completeness_error <= 2e-2
        assert found.nodes <= 16


def test_a_narrower_tolerance_is_kept_with_more_nodes(minilm, default):
    narrow = open_attributor(minilm, options=Options(tolerance=1e-3)).contributions(A)
    assert narrow.error <= 5e-4
    assert default.contributions(A).error <= 5e-3
    assert default.contributions(A).nodes < narrow.nodes


def test_equals_the_full_jacobian(minilm):
    """One backward pass for each dimension, in plain torch."""
    path, nodes = Path(minilm, "red dogs"), 2
    taken = rule("gauss-legendre", nodes)
    with plain_attention():
        rows = []
        for place, weight in zip(taken.nodes, taken.weights, strict=True):
            states = path.at(torch.tensor([place])).requires_grad_()
            found = path.vectors(states)[0]
            jacobian = torch.stack([torch.autograd.grad(each, states, retain_graph=True)[0][0] for each in found])
            rows.append(weight * torch.einsum("dth,th->td", jacobian, path.step))
    np.testing.assert_allclose(token_contributions(path, taken), sum(rows).numpy(), atol=1e-6)


def test_forward_and_backward_differentiation_agree(minilm, monkeypatch):
    path, taken = Path(minilm, B, layer=2), rule("midpoint", 2)
    pieces = [[0, 1], [2], [3, 4, 5]]
    forward, missed = piece_contributions(path, taken, pieces, share_out=True)
    monkeypatch.setattr(_jacobian, "_forward", _jacobian._backward)
    backward, again = piece_contributions(path, taken, pieces, share_out=True)
    np.testing.assert_allclose(forward, backward, atol=1e-6)
    assert missed == pytest.approx(again, abs=1e-6)


def test_a_piece_is_the_sum_of_its_tokens(minilm):
    path, taken = Path(minilm, A), rule("midpoint", 2)
    tokens = token_contributions(path, taken)
    pieces, _ = piece_contributions(path, taken, [[1, 2, 3], [4], [5, 6]])
    np.testing.assert_allclose(pieces, [tokens[1:4].sum(0), tokens[4], tokens[5:7].sum(0)], atol=1e-6)
    words = open_attributor(minilm, options=Options(nodes=2)).contributions(A, "word")
    merged = open_attributor(minilm, options=Options(nodes=2)).contributions(A).merged("word")
    assert words.names == merged.names
    np.testing.assert_allclose(words.matrix, merged.matrix, atol=1e-6)


def test_one_direction_needs_no_matrix(minilm):
    path, taken = Path(minilm, A), rule("midpoint", 2)
    aims = minilm.embed([B, "a cat"]).astype(np.float64)
    np.testing.assert_allclose(
        directed_contributions(path, taken, aims), token_contributions(path, taken) @ aims.T, atol=1e-6
    )


def test_what_a_rule_misses_is_known_and_shared_out(minilm, default):
    """Complete to rounding, and near the matrix of 48 nodes: what is shared out is no more than what was missed."""
    found, fine = default.pair(A, B), open_attributor(minilm, options=Options(nodes=48)).pair(A, B)
    assert abs(found.matrix.sum() - found.score) < 1e-5
    assert 1e-5 < found.completeness_error < 2e-2  # what the rule itself missed
    assert fine.completeness_error < 1e-3
    assert np.abs(found.matrix - fine.matrix).max() < 5e-3
    assert np.linalg.norm(default.contributions(A).missed) <= 2e-2


def test_a_paragraph_is_attributed_by_phrases_in_bounded_memory():
    """Two texts of 250 tokens in a process of its own: the peak above the loaded model, and the sum."""
    import subprocess
    import sys

    script = (
        "import resource, torch; torch.set_num_threads(1)\n"
        "from workbench.embed import load_embedder; from workbench.attribute import open_attributor\n"
        "from workbench.attribute._attributor import Options\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "words = 'the old river bank flooded and closed my account while dogs slept near a quiet road'.split()\n"
        "texts = [' '.join(words[(i * k) % len(words)] for i in range(248)) + '.' for k in (1, 3)]\n"
        "m = load_embedder('minilm', 'cpu'); m.embed(['x']); before = peak()\n"
        "r = open_attributor(m, options=Options(nodes=1)).pair(*texts, level='auto')\n"
        "print(peak() - before, r.level, len(r.tokens_a), m.lengths(texts).min(), abs(r.matrix.sum() - r.score))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=500)
    extra, level, pieces, tokens, _ = done.stdout.split()
    assert float(extra) < 2048
    assert level == "phrase"
    assert int(pieces) == 6
    assert int(tokens) >= 250


@pytest.mark.parametrize(("words", "longest"), [(1, 4), (60, 4), (100, 18), (120, 32), (400, 48)])
def test_phrases_grow_with_the_text(potion, words, longest):
    text = " ".join(f"word{number}" for number in range(words))
    found = open_attributor(potion, "closed-form").contributions(text, "phrase")
    assert " ".join(found.names) == text
    lengths = [len(name.split()) for name in found.names]
    assert max(lengths) <= longest
    assert len(lengths) == -(-words // longest)


@pytest.mark.parametrize("level", ["word", "phrase", "sentence"])
def test_a_token_of_many_words_is_shown_as_wide_as_it_is(minilm, level):
    """MiniLM knows no Thai: a run of it is one unknown token, which no single letter is credited with."""
    text = "\u0e09\u0e31\u0e19\u0e0a\u0e2d\u0e1a\u0e2d\u0e48\u0e32\u0e19 books"
    found = open_attributor(minilm, "token-dot").contributions(text, level)
    spans = [(a, b) for a, b in found.spans.tolist() if b > a]
    assert "".join(text[a:b] for a, b in spans).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(("words", "level"), [(20, "token"), (58, "token"), (80, "phrase")])
def test_auto_takes_phrases_where_a_text_is_long(minilm, words, level):
    assert open_attributor(minilm).level_for(["river " * words, "bank"], "auto") == level


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b", "\x07", "\ufeff", "\u00ad\u2063"])
def test_a_text_without_tokens_is_refused_in_words(minilm, potion, toy, text):
    for embedder in (minilm, potion, toy):
        for name in ATTRIBUTORS.names():
            try:
                attributor = open_attributor(embedder, name)
            except BadInput:
                continue
            if embedder is toy and text.strip():
                continue  # an odd character is a word to the toy
            for asked in (
                lambda attributor=attributor: attributor.pair(text, B),
                lambda attributor=attributor: attributor.pair(B, text),
                lambda attributor=attributor: attributor.contrast(B, B, text),
                lambda attributor=attributor: attributor.toward(text, np.ones(attributor.embedder.spec.dim)),
                lambda attributor=attributor: attributor.hits(text, attributor.embedder.embed_set(["a"], [B])),
            ):
                with pytest.raises(BadInput, match="reads no token of the text"):
                    asked()


def test_half_a_surrogate_pair_is_refused_in_words(minilm, potion):
    for embedder in (minilm, potion):
        with pytest.raises(BadInput, match="half of a surrogate pair"):
            open_attributor(embedder).pair("\ud800", B)


def test_what_was_not_read_is_shown_as_not_read(minilm):
    """MiniLM reads 254 tokens between [CLS] and [SEP]; `word` is one token."""
    text = "word " * 254 + "secret ending"
    found = open_attributor(minilm, "token-dot").pair(text, B, "sentence")
    assert (found.tokens_cut_a, found.tokens_cut_b) == (2, 0)
    assert text[: found.read_a] == ("word " * 254).strip()
    assert found.tokens_a[0] == ("word " * 254).strip(), "the piece ends where the model stops reading"
    assert "256 tokens, of which minilm read the first 254" in found.notes[0]
    from workbench.core import render

    page = render.to_html(found.blocks())
    assert "first, not read" in page
    assert "secret ending" in page
    assert Result.from_json(json.loads(json.dumps(found.to_json()))).tokens_cut_a == 2
    assert open_attributor(minilm, "token-dot").pair(A, B).notes == ()


def test_a_cosine_of_unknown_tokens_says_nothing(minilm, potion):
    for embedder in (minilm, potion):
        found = open_attributor(embedder, "token-dot").pair("\U0001f642", "\U0001f643")
        assert found.score == pytest.approx(1.0, abs=1e-5)
        assert len(found.notes) == 2
        assert all("does not know" in note for note in found.notes)
    partly = open_attributor(minilm, "token-dot").pair("fine \U0001f642", B)
    assert "does not know 1 of the 2 tokens" in partly.notes[0]


def test_row_sums_equal_captums_integrated_gradients(minilm):
    aim = minilm.embed([B])[0].astype(np.float64)
    one_sided = open_attributor(minilm, "integrated-gradients", Options(nodes=24)).toward(A, aim)
    path = Path(minilm, A)
    ours = token_contributions(path, rule("gauss-legendre", 24)) @ aim
    np.testing.assert_allclose(one_sided.values, ours[np.abs(ours) > 0], atol=1e-4)
    with pytest.raises(BadInput, match="one-sided"):
        open_attributor(minilm, "integrated-gradients").pair(A, B)


def test_a_static_embedder_tends_to_its_closed_form(potion):
    exact = open_attributor(potion, "closed-form").pair(A, B)
    assert exact.completeness_error < 1e-6
    near = open_attributor(potion, options=Options(tolerance=1e-7)).pair(A, B)
    np.testing.assert_allclose(near.matrix, exact.matrix, atol=1e-6)
    with pytest.raises(BadInput, match="not a static embedder"):
        open_attributor(load_embedder("toy"), "closed-form")


def test_token_dot_is_exact_where_tokens_are_averaged_last(minilm):
    assert open_attributor(minilm, "token-dot").pair(A, B).completeness_error < 1e-5


def test_products_of_occlusions_are_exact_pair_occlusions(toy):
    """cos(a, b) - cos(a without i, b) - cos(a, b without j) + cos without both, of unit vectors."""
    found = open_attributor(toy, "occlusion").pair("red dogs run", "dogs bark")
    g = {text: vector / np.linalg.norm(vector) for text in ("red dogs run", "red run", "dogs bark", "bark")
         for vector in [toy.embed([text])[0].astype(np.float64)]}  # fmt: skip
    both = (g["red dogs run"] - g["red run"]) @ (g["dogs bark"] - g["bark"])
    assert found.matrix[1, 0] == pytest.approx(both, abs=1e-9)
    assert found.tokens_a == ("red", "dogs", "run")


def test_a_black_box_has_occlusion_alone(toy):
    for name in ATTRIBUTORS.names():
        if name not in ("occlusion", "closed-form"):
            with pytest.raises(BadInput, match="occlusion"):
                open_attributor(toy, name)
    with pytest.raises(AccessDenied, match="WEIGHTS"):
        open_attributor(toy, threat=KNOWN_ENCODER)
    open_attributor(toy, "occlusion", threat=KNOWN_ENCODER)


def test_a_contrast_is_the_difference_of_two_cosines(minilm, default):
    c = "The river bank flooded."
    found = default.contrast(A, B, c)
    assert found.score == pytest.approx(cosine(minilm, A, B) - cosine(minilm, A, c), abs=1e-5)
    assert found.values.sum() + found.border == pytest.approx(found.score, abs=2e-2)


def test_one_dimension_is_a_direction(minilm, default):
    axis = np.zeros(384)
    axis[7] = 1.0
    vector = minilm.embed([A])[0]
    assert default.toward(A, axis).score == pytest.approx(vector[7] / np.linalg.norm(vector), abs=1e-5)
    with pytest.raises(BadInput, match=r"\(3,\); expected \(384,\)"):
        default.toward(A, np.ones(3))
    with pytest.raises(BadInput, match="finite"):
        default.toward(A, np.full(384, np.nan))


def test_a_text_is_attributed_once(minilm, default):
    assert default.contributions(A) is default.contributions(A)
    assert default.contributions(A) is not default.contributions(A, "word")


def test_hits_are_the_nearest_with_their_scores(minilm, default):
    texts = ["a lost card", "blue skies", "my card is gone", "cats"]
    store = minilm.embed_set(list("abcd"), texts)
    found = default.hits("I lost my card", store, top=2)
    assert set(found.ids) == {"a", "c"}
    assert [item.score for item in found.items] == sorted((item.score for item in found.items), reverse=True)
    assert found.items[0].tokens == ("I", "lost", "my", "card")
    with pytest.raises(BadInput, match="dimension"):
        default.hits("x", EmbeddingSet(np.array(["a"], dtype=object), np.ones((1, 3), np.float32)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"reference": "zero"}, "zero reference is no input"),
        ({"reference": ""}, "zero reference is no input"),
        ({"layer": 7}, "layer is 7; minilm has 0 to 6"),
    ],
)
def test_what_cannot_be_is_refused_in_words(minilm, options, said):
    with pytest.raises(BadInput, match=said):
        open_attributor(minilm, options=Options(**options)).pair(A, B)


def test_options_are_checked():
    with pytest.raises(BadInput, match="tolerance is 2"):
        Options(tolerance=2.0)
    with pytest.raises(BadInput, match="nodes is -1"):
        Options(nodes=-1)


def test_references_differ(minilm):
    """The user's own text as reference: the text itself leaves nothing to attribute."""
    mask = open_attributor(minilm, options=Options(reference="mask")).pair(A, B)
    pad = open_attributor(minilm).pair(A, B)
    assert np.abs(mask.matrix - pad.matrix).max() > 1e-3
    itself = Path(minilm, A, reference=A)
    assert float(itself.step.abs().max()) == 0.0
    other = open_attributor(minilm, options=Options(reference="My bank is fine.")).contributions(A)
    assert other.error <= 5e-3


def test_half_precision_is_refused(minilm):
    low = load_embedder("minilm", "cpu")
    low.model.to(torch.bfloat16)
    with pytest.raises(BadInput, match=r"bfloat16.*float32"):
        Path(low, A)


def test_the_forecast_is_what_comes_out(minilm):
    path = Path(minilm, A)
    forecast = Forecast(path)
    taken = forecast.choose(5e-3)
    assert taken is not None
    missing = token_contributions(path, taken).sum(0) - (path.ends[1] - path.ends[0]).numpy()
    assert np.linalg.norm(missing) == pytest.approx(forecast.error(taken), abs=2e-3)
    assert len(taken.nodes) <= 16


def test_adaptive_panels_keep_the_tolerance_and_agree(minilm):
    """On a path where plain rules do well, panels come to the same contributions; with no room they stop."""
    path = Path(minilm, B, layer=1)
    taken = adaptive(path, 1e-3)
    assert taken.weights.sum() == pytest.approx(1.0)
    found = token_contributions(path, taken)
    assert np.linalg.norm(found.sum(0) - (path.ends[1] - path.ends[0]).numpy()) <= 1.1e-3
    np.testing.assert_allclose(found, token_contributions(path, rule("midpoint", 40)), atol=2e-3)
    assert len(adaptive(path, 1e-12, most=40).nodes) == 40


def test_results_come_back_from_json(default):
    found = default.pair(A, B, "word", contrast="a cat")
    again = Result.from_json(json.loads(json.dumps(found.to_json())))
    np.testing.assert_array_equal(again.matrix, found.matrix)
    assert again.tokens_a == found.tokens_a
    assert again.contrast.about == found.contrast.about


WORDS = st.text(alphabet="ab é.,!?'🙂\n", max_size=40)


@given(WORDS, st.integers(0, 2**31))
def test_merging_keeps_the_sum(text, seed):
    """Any cutting into tokens: what is merged is neither lost nor counted twice."""
    random = np.random.default_rng(seed)
    spans, start = [(0, 0)], 0
    while start < len(text):
        end = min(len(text), start + int(random.integers(1, 4)))
        spans.append((start, end))
        start = end
    matrix = random.standard_normal((len(spans), 3))
    whole = Contributions(text, tuple(text[a:b] for a, b in spans), np.array(spans), matrix, matrix.sum(0), np.zeros(3))
    for level in ("token", "word", "sentence"):
        merged = whole.merged(level)
        np.testing.assert_allclose(merged.matrix.sum(0), matrix.sum(0), atol=1e-9)
        assert len(merged.names) == len(merged.matrix) == len(merged.spans)


def test_words_and_sentences():
    text = "Don't e-mail jo@x.org. Pi is 3.14! Why?"
    assert [text[a:b] for a, b in pieces_of(text, "word")] == [
        "Don't", "e-mail", "jo@x.org", ".", "Pi", "is", "3.14", "!", "Why", "?",
    ]  # fmt: skip
    assert [text[a:b] for a, b in pieces_of(text, "sentence")] == ["Don't e-mail jo@x.org.", "Pi is 3.14!", "Why?"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["bge-small", "mpnet", "llm:smollm2?method=echo", "llm:smollm2?method=prompt-eol&layer=8"]
)
def test_other_poolings_and_language_models_sum_too(name):
    """CLS pooling, another tokenizer, and a causal model: as they are."""
    embedder = load_embedder(name, "cpu")
    found = open_attributor(embedder).pair(A, B, "word")
    assert found.score == pytest.approx(cosine(embedder, A, B), abs=1e-4)
    assert found.completeness_error <= 1e-2


@pytest.mark.parametrize(
    ("text", "level", "found"),
    [
        (
            "\u0939\u093f\u0902\u0926\u0940 \u0926\u093f\u0928!",
            "word",
            ["\u0939\u093f\u0902\u0926\u0940", "\u0926\u093f\u0928", "!"],
        ),
        ("\u6211\u7231Python", "word", ["\u6211", "\u7231", "Python"]),
        ("\u0e40\u0e2a\u0e37\u0e49\u0e2d", "word", ["\u0e40", "\u0e2a\u0e37\u0e49", "\u0e2d"]),
        ("don't snake_case a.b@c.org, ok", "word", ["don't", "snake_case", "a.b@c.org", ",", "ok"]),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467 hi", "word", ["\U0001f468\u200d\U0001f469\u200d\U0001f467", "hi"]),
        ("\u4f60\u597d\u3002\u518d\u89c1\u3002", "sentence", ["\u4f60\u597d\u3002", "\u518d\u89c1\u3002"]),
        ("One. Two 2.5? Three", "sentence", ["One.", "Two 2.5?", "Three"]),
    ],
)
def test_words_and_sentences_of_every_script(text, level, found):
    assert [text[start:end] for start, end in pieces_of(text, level)] == found
