"""What is had without the vectors, or from vectors that say nothing: drawn in the same tables as the attack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from workbench.audit._attacking import Attacking, Case
from workbench.audit.plan import RANDOM_TEXTS
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.labels import is_missing
from workbench.core.text import word_count, words
from workbench.data import corpora
from workbench.embed._random import random_encoder
from workbench.invert._score import score
from workbench.results import Inversions, InversionScores

FREQUENT = "most frequent words"
PAYLOAD = "metadata alone"
_PUBLIC = 2000


def frequent_words(attacking: Attacking, case: Case) -> InversionScores:
    """B1: for every sentence the most frequent words of public text, as many as such a sentence has."""
    public = corpora.load(attacking.plan.corpus, "train", _PUBLIC).texts
    counts = Counter(word for text in public for word in words(text))
    usual = int(np.median([word_count(text) for text in case.corpus.texts]))
    guess = " ".join(word for word, _ in counts.most_common(usual))
    return _scored(attacking, case, FREQUENT, [guess] * len(case.corpus))


def metadata_alone(attacking: Attacking, case: Case, store: EmbeddingSet | None) -> list[InversionScores]:
    """B4: of each row of a store its id and labels, read as if they were its text; nothing where there is no store."""
    if store is None:
        return []
    rows = {str(id): row for row, id in enumerate(store.ids)}
    columns = list(store.labels.values())
    said = []
    for id in case.corpus.ids:
        cells = [str(column[rows[id]]) for column in columns if not is_missing(column[rows[id]])]
        said.append(" ".join([id, *cells]))
    return [_scored(attacking, case, PAYLOAD, said)]


def random_vectors(attacking: Attacking, case: Case) -> InversionScores:
    """B5: the attack's own pipeline on the same sentences by an encoder that has learnt nothing."""
    plan, some = attacking.plan, case.head(min(RANDOM_TEXTS, len(case.corpus)))

    encoder = random_encoder(attacking.embedder, plan.seed)
    vectors = encoder.embed_set(some.corpus.ids, some.corpus.texts).without_texts()
    found = attacking.invert(plan.main, plan.attack, vectors, "sentences, random encoder")
    name = f"{plan.attack}, random encoder"
    return score(found, some.corpus.texts, attacking.embedder, some.corpus.groups, "floor", name, plan.seed)


def _scored(attacking: Attacking, case: Case, name: str, texts: Sequence[str]) -> InversionScores:
    n, hidden = len(texts), case.corpus
    guesses = Inversions(
        name, np.array(hidden.ids, object), np.array(texts, object), None, np.zeros(n, np.int64), 0, 0.0
    )
    return score(guesses, hidden.texts, attacking.embedder, hidden.groups, "floor", seed=attacking.plan.seed)
