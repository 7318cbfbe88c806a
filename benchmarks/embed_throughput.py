"""Embedding throughput beside sentence-transformers' own `encode`, on the same texts in one process.

Prints one JSON row: texts a second of both, their ratio, and the largest difference of any vector.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.embed.minilm import model_folder


def seconds(call: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Wall time of a call, and what it gave."""
    began = time.perf_counter()
    vectors = call()
    return time.perf_counter() - began, vectors


def main() -> None:
    """Run both in turn, three times, and keep the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default="cfpb")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    texts = list(corpora.load(options.corpus, "train", options.texts).texts)
    peer = SentenceTransformer(str(model_folder()), device="cpu")
    ours, theirs = [], []
    for _ in range(3):
        embedder = load_embedder("minilm", "cpu")  # afresh, so that its memo is empty
        time_ours, vectors = seconds(lambda embedder=embedder: embedder.embed(texts))
        time_theirs, expected = seconds(lambda: peer.encode(texts, show_progress_bar=False))
        ours.append(time_ours)
        theirs.append(time_theirs)
    row = {
        "benchmark": "embed_throughput",
        "texts": len(texts),
        "threads": options.threads,
        "workbench_texts_per_second": round(len(texts) / min(ours), 1),
        "sentence_transformers_texts_per_second": round(len(texts) / min(theirs), 1),
        "ratio": round(min(theirs) / min(ours), 2),
        "largest_difference": float(np.abs(vectors - expected).max()),
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
