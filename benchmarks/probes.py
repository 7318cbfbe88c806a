"""Fifty yes-or-no probes at once, next to two loops of scikit-learn's LogisticRegression.

The fair loop standardises the vectors once, with one StandardScaler that all probes share; the other loop fits a
pipeline of StandardScaler and LogisticRegression for each probe, as a loop over pipelines does.

    python benchmarks/probes.py
    python benchmarks/probes.py --embedder potion --probes 100

Each probe asks whether a sentence holds one word; the words are the most frequent ones. Both sides get the same
vectors, standardise them, and have the same penalty and tolerance. One thread, one JSON row: CPU seconds are medians of
`--rounds` rounds in which the three take turns, and the ratios are medians of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.probe import BatchedLogistic


def main() -> None:
    """Both sides on the same sentences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--probes", type=int, default=50)
    parser.add_argument("--train", type=int, default=4000, help="sentences to fit on")
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--C", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts = [
        *corpora.load("conservative", "train", options.train).texts,
        *corpora.load("conservative", "test", options.test).texts,
    ]
    holds = CountVectorizer(binary=True, max_features=options.probes).fit_transform(texts).toarray().astype(bool)
    vectors = cached_vectors(load_embedder(options.embedder, "cpu"), texts)
    train, test = np.split(vectors, [options.train])
    wanted, truth = np.split(holds, [options.train])

    def shared(columns: np.ndarray) -> list[Pipeline]:
        scaler = StandardScaler().fit(train)
        standardised = scaler.transform(train)
        probes = [LogisticRegression(C=options.C, max_iter=1000).fit(standardised, column) for column in columns.T]
        return [make_pipeline(scaler, probe) for probe in probes]

    def alone(columns: np.ndarray) -> list[Pipeline]:
        return [
            make_pipeline(StandardScaler(), LogisticRegression(C=options.C, max_iter=1000)).fit(train, column)
            for column in columns.T
        ]

    BatchedLogistic(device="cpu").fit(train, wanted[:, :2])  # both sides load their libraries
    alone(wanted[:, :1])
    seconds = []
    for _ in range(options.rounds):
        marks = [time.process_time()]
        batched = BatchedLogistic(C=options.C, device="cpu").fit(train, wanted)
        marks.append(time.process_time())
        loop = shared(wanted)
        marks.append(time.process_time())
        alone(wanted)
        marks.append(time.process_time())
        seconds.append(np.diff(marks))
    ours, fair, theirs = np.array(seconds).T
    right = (batched.predict(test) == truth).mean(0)
    their_right = (np.stack([probe.predict(test) for probe in loop], axis=1) == truth).mean(0)
    row = {
        "benchmark": "batched probes",
        "embedder": options.embedder,
        "probes": options.probes,
        "train": options.train,
        "C": options.C,
        "rounds": options.rounds,
        "cpu_seconds": round(float(np.median(ours)), 3),
        "shared_scaler_cpu_seconds": round(float(np.median(fair)), 3),
        "pipelines_cpu_seconds": round(float(np.median(theirs)), 3),
        "times_faster_than_shared_scaler": [round(float(x), 1) for x in _spread(fair / ours)],
        "times_faster_than_pipelines": [round(float(x), 1) for x in _spread(theirs / ours)],
        "accuracy": round(float(right.mean()), 4),
        "scikit_learn_accuracy": round(float(their_right.mean()), 4),
        "largest_difference_of_a_probe": round(float(np.abs(right - their_right).max()), 4),
        "steps": batched.n_iter_,
        "all_converged": bool(batched.converged_.all()),
    }
    print(json.dumps(row))


def _spread(ratios: np.ndarray) -> tuple[float, float, float]:
    """Median, least and greatest."""
    return float(np.median(ratios)), float(ratios.min()), float(ratios.max())


if __name__ == "__main__":
    main()
