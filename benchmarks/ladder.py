"""Every attacker that turns vectors into text, on the same held-out sentences, beside the floors.

    python benchmarks/ladder.py --out out/ladder.jsonl            # all; what is in the file already is not run again
    python benchmarks/ladder.py --only zero-shot --n 60

Each row names the access that the attacker needs, the victim's embedder, quality with intervals, what was asked of the
embedder (for a vector, and once for all of them), and CPU-seconds an item on one thread. The cosine is that of the
victim's own vectors of what was read and of the truth, whoever may ask for it. An attacker that maps vectors reads
those of --far, an embedder that it never asks; all others read MiniLM's.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.core.access import granting
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.memory import keep_freed_memory
from workbench.data import corpora
from workbench.data.corpora import Corpus
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.invert import INVERTERS, open_inverter
from workbench.invert._inverter import Attacker, shuffled
from workbench.invert._pool import Limits
from workbench.invert._score import score
from workbench.results.scores import METRICS

MAX_TOKENS = 34
PUBLIC = 20_000
"""Public texts that an attacker embeds once for all vectors."""


@dataclass(frozen=True)
class Entry:
    """One row: an inverter, how it is set, and what it asks once for all vectors."""

    title: str
    inverter: str
    options: dict[str, Any]
    once: int = 0
    pairs: int = 0
    store: int = 0
    blind: bool = False


ENTRIES = (
    Entry("nearest public text", "nearest", {}, once=PUBLIC),
    Entry("bag of words", "bag-of-words", {}),
    Entry("language prior: hypothesis on shuffled vectors", "hypothesis", {"beams": 8}, blind=True),
    Entry("hypothesis, greedy", "hypothesis", {"beams": 1}),
    Entry("hypothesis, 8 beams", "hypothesis", {"beams": 8}),
    Entry("correction, beam 4", "correction", {"beams": 4}),
    Entry("search, default", "search", {}),
    Entry("white-box, after correction", "white-box", {"through": "correction"}),
    Entry("zero-shot, hypotheses only", "zero-shot", {"preset": "fast"}, once=PUBLIC),
    Entry("zero-shot, 100 queries", "zero-shot", {"beams": 16, "limits": Limits(queries=100)}, once=PUBLIC),
    *(Entry(f"few-shot, {k:,} pairs", "few-shot", {"beams": 8}, pairs=k) for k in (10, 100, 1000, 3000)),
    *(
        Entry(f"few-shot, {k:,} pairs, 10,000 vectors", "few-shot", {"beams": 8}, pairs=k, store=10_000)
        for k in (10, 100, 1000)
    ),
    Entry("few-shot, 1,000 pairs, through search", "few-shot", {"through": "search"}, pairs=1000),
    Entry("unpaired, 20,000 vectors", "unpaired", {}, store=20_000),
)


def held_out(n: int) -> Corpus:
    """The first `n` test sentences of at most MAX_TOKENS tokens of MiniLM."""
    corpus = corpora.load("conservative", "test").head(4 * n)
    return corpus.where(load_embedder("minilm", "cpu").lengths(corpus.texts) <= MAX_TOKENS).head(n)


def run(entry: Entry, hidden: Corpus, far: str) -> dict[str, Any]:
    """Invert and score, as a row."""
    needs = INVERTERS.load(entry.inverter).needs
    victim = load_embedder(far if entry.pairs or entry.store else "minilm", "cpu")
    stolen = victim.embed_set(hidden.ids, hidden.texts).without_texts()
    attacker = Attacker(victim, granting(needs), corpus_texts=PUBLIC, samples=PUBLIC, device="cpu", **entry.options)
    attacker = replace(attacker, **_held(entry, attacker, stolen))
    attack = open_inverter(entry.inverter, attacker)
    attack.embedder.forget()
    began = time.process_time()
    found = attack.invert(shuffled(stolen) if entry.blind else stolen)
    spent = time.process_time() - began
    scores = score(found, hidden.texts, victim, hidden.groups)
    return {
        "attacker": entry.title,
        "needs": needs.name,
        "victim": victim.spec.name,
        "n": len(hidden),
        **{
            metric: [round(number, 4) for number in (value.value, value.low, value.high)]
            for metric in METRICS
            for value in [getattr(scores, metric)]
        },
        "queries_a_vector": round(found.queries / len(hidden), 1),
        "queries_once": entry.once,
        "pairs": entry.pairs,
        "cpu_seconds_an_item": round(spent / len(hidden), 3),
    }


def _held(entry: Entry, attacker: Attacker, stolen: EmbeddingSet) -> dict[str, Any]:
    """What the attacker holds besides: pairs, or more of the store; public texts that it does not use otherwise."""
    count = entry.pairs + entry.store
    if not count:
        return {}
    public = corpora.load(attacker.corpus, "train", PUBLIC + 20_000)
    texts, ids = public.texts[PUBLIC : PUBLIC + count], public.ids[PUBLIC : PUBLIC + count]
    vectors = cached_vectors(attacker.embedder, texts, what="the victim's vectors")
    k = entry.pairs
    held: dict[str, Any] = {"pairs": _set(ids[:k], vectors[:k], texts[:k])} if k else {}
    if entry.store:
        more = np.concatenate([stolen.vectors, vectors[k:]])
        held["store"] = _set([*(f"stolen {id}" for id in stolen.ids), *ids[k:]], more, None)
    return held


def _set(ids: Any, vectors: Any, texts: Any) -> EmbeddingSet:
    return EmbeddingSet(
        np.array(list(ids), dtype=object), vectors, None if texts is None else np.array(texts, dtype=object)
    )


def main() -> None:
    """The rows that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=300, help="held-out sentences")
    parser.add_argument("--only", default="", help="rows whose title holds this")
    parser.add_argument("--far", default="bge-small", help="the embedder that is never asked")
    parser.add_argument("--out", type=Path, default=Path("out/ladder.jsonl"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    lines = options.out.read_text(encoding="utf-8").splitlines() if options.out.is_file() else []
    done = {(row["attacker"], row["n"]) for row in map(json.loads, lines)}
    hidden = held_out(options.n)
    for entry in ENTRIES:
        if options.only in entry.title and (entry.title, len(hidden)) not in done:
            row = json.dumps(run(entry, hidden, options.far))
            print(row, flush=True)
            with open(options.out, "a", encoding="utf-8") as file:
                file.write(row + "\n")


if __name__ == "__main__":
    main()
