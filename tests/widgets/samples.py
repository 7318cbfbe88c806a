"""One small sample of every widget, with a text that would run if it were ever taken as markup."""

from __future__ import annotations

import time

import numpy as np

from tests.widgets.evil import EVIL
from tests.widgets.more_samples import MORE
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.estimate import proportion
from workbench.results import Inversions
from workbench.results import PairAttribution as Pair
from workbench.results.inversions import Round
from workbench.widgets import AuditGrid, EmbeddingMap, GridCell, InversionPlayer, PairAttribution, Progress

TOPICS = ("weather", "banking", "football", "cooking", "travel", "medicine", "music", "law", "chess")


def embedding_set(n: int = 400, d: int = 16, seed: int = 0) -> EmbeddingSet:
    """Texts of nine topics whose vectors stand in nine heaps; the first text is markup."""
    random = np.random.default_rng(seed)
    topic = random.integers(0, len(TOPICS), n)
    heaps = random.standard_normal((len(TOPICS), d)) * 1.6
    vectors = heaps[topic] + 0.9 * random.standard_normal((n, d))
    texts = [f"The {TOPICS[k]} report of day {i} came late." for i, k in enumerate(topic)]
    texts[0] = f"{EVIL} \U0001f600 weather"
    return EmbeddingSet(
        ids=np.array([f"t{i}" for i in range(n)], object),
        vectors=vectors.astype(np.float32),
        texts=np.array(texts, object),
        labels={"topic": np.array([TOPICS[k] for k in topic]), "length": random.gamma(3, 20, n)},
    )


def explain(one: EmbeddingSet):
    """Speaks word by word."""
    assert len(one) == 1
    assert one.texts is None
    said = f"A report {EVIL}".split()
    for place in range(len(said)):
        yield Progress(place, len(said), "reading")
        yield " ".join(said[: place + 1])
        time.sleep(0.002)


def invert(one: EmbeddingSet) -> Inversions:
    """Guesses the same text for every vector."""
    texts, cosines = np.array(["The weather report came late."], object), np.array([0.87], np.float32)
    return Inversions("search", one.ids, texts, cosines, np.array([1]), 10, 0.1)


def embedding_map(n: int = 400) -> EmbeddingMap:
    """With both callables."""
    return EmbeddingMap(embedding_set(n), explain=explain, invert=invert, title=f"{n:,} sentences")


TRUTHS = ("My name is Alice Marlowe and I live in Portland, on 12 Oak Street.", f"The bank closed my account. {EVIL}")
PATH = (
    ("hypothesis", ("My name is a woman and she lives in Seattle.", "The account was closed by a bank."), (0.71, 0.74)),
    ("correction 1", ("My name is Alice and I live in Portland on Oak.", "The bank closed an account."), (0.86, 0.9)),
    ("correction 2", ("My name is Alice Marlow and I live in Portland, on 12 Oak.", f"The bank {EVIL}"), (0.94, 0.95)),
    ("search", ("My name is Alice Marlowe and I live in Portland on 12 Street Oak.", f"My bank {EVIL}"), (0.989, 0.96)),
)


def inversions() -> Inversions:
    """Two vectors in four rounds."""
    rounds = tuple(
        Round(stage, np.array(texts, object), np.array(cosines, np.float32), 100 * (k + 1), 0.5)
        for k, (stage, texts, cosines) in enumerate(PATH)
    )
    ids = np.array(["record 1", "record 2"], object)
    return Inversions("search", ids, rounds[-1].texts, rounds[-1].cosines, np.array([3, 3]), 1000, 2.0, rounds)


def inversion_player() -> InversionPlayer:
    """With truths and personal data."""
    spans = [[("person", 11, 24), ("city", 39, 47), ("street", 52, 65)], []]
    return InversionPlayer(inversions(), list(TRUTHS), spans)


def pair(error: float = 1e-4) -> Pair:
    """A cosine of two sentences about a closed account, with a matrix that sums to it."""
    texts = ("The bank closed my account without any notice.", "Without warning, they shut down my bank account.")
    tokens = ("The bank closed my account without any notice .", "Without warning , they shut down my bank account .")
    (a, spans_a), (b, spans_b) = (_found(words.split(), text) for words, text in zip(tokens, texts, strict=True))
    matrix = np.random.default_rng(0).standard_normal((len(a) + 1, len(b) + 1)) * 0.004
    for left, right, value in (
        ("bank", "bank", 0.11),
        ("account", "account", 0.12),
        ("closed", "shut", 0.08),
        ("closed", "down", 0.03),
        ("notice", "warning", 0.07),
        ("without", "Without", 0.05),
        ("my", "my", 0.02),
        ("any", "they", -0.03),
    ):
        matrix[a.index(left), b.index(right)] += value
    matrix[-1, -1] = 0.12
    score = float(matrix.sum() + error)
    numbers = (score, error, "gauss-legendre", 14, 0, "pad", 0.4)
    return Pair("integrated-jacobian", "minilm", *texts, a, b, spans_a, spans_b, matrix, *numbers)


def rescore(a: str, b: str) -> float:
    """A cosine that falls with every letter that is gone."""
    return 0.6 - 0.004 * (94 - len(a) - len(b))


def pair_attribution() -> PairAttribution:
    """With true scores."""
    return PairAttribution(pair(), rescore)


def audit_grid() -> AuditGrid:
    """All three states, and a pair that no cell was given for."""
    threats = ("stolen store", "store and pairs", "query access", "weights")
    attacks = ("nearest", "bag-of-words", "few-shot", "correction", "fingerprint")
    cells = []
    for i, threat in enumerate(threats):
        for j, attack in enumerate(attacks):
            if (i, j) == (1, 3):
                continue
            state = "not applicable" if i + 1 < j < 4 else "run" if (i + j) % 4 else "not run"
            found = proportion(min(400, 7 + 37 * i * j + 60 * i), 400) if state == "run" else None
            detail = f"{attack} with what {threat} grants: 400 planted records.\n{EVIL}" if found else ""
            cells.append(GridCell(threat, attack, state, found, detail))
    return AuditGrid(cells, "the share of personal data recovered")


ALL = {
    "audit_grid": audit_grid,
    "embedding_map": embedding_map,
    "inversion_player": inversion_player,
    "pair_attribution": pair_attribution,
    **MORE,
}


def _found(words: list[str], text: str) -> tuple[tuple[str, ...], np.ndarray]:
    spans, at = [], 0
    for word in words:
        start = text.index(word, at)
        at = start + len(word)
        spans.append((start, at))
    return tuple(words), np.array(spans)
