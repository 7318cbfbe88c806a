"""How long a text one vector can hold: inversion of IMDB passages of 8 to 128 tokens, whole and in windows.

Prints one JSON row a length and way. Passages are running text of the corpus `imdb`, which no checkpoint that ships has
seen, cut at word boundaries.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import torch

from workbench.data import corpora
from workbench.data.corpora import Corpus
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.embed._windows import split_windows
from workbench.invert._inverter import Attacker
from workbench.jobs.invert_texts import invert_texts
from workbench.results.scores import METRICS

LENGTHS = (8, 16, 32, 64, 128)


def passages(embedder: Embedder, tokens: int, n: int) -> Corpus:
    """`n` pieces of running text of about `tokens` tokens, from reviews that are long enough."""
    texts, ids = [], []
    for passage in corpora.passages("imdb"):
        first, *rest = split_windows(embedder, [" ".join(passage.text.split()[: 2 * tokens])], tokens)[0]
        if rest and int(embedder.lengths([first])[0]) >= 0.8 * tokens:
            texts.append(first)
            ids.append(f"{passage.group}:{tokens}")
        if len(texts) == n:
            break
    return Corpus("imdb", tuple(ids), tuple(texts), tuple(ids))


def main() -> None:
    """Every length, by one vector and by windows of 16 and 32 tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--checkpoint", default="")
    parser.add_argument("--inverter", default="hypothesis")
    options = parser.parse_args()
    torch.set_num_threads(1)
    embedder = load_embedder("minilm", "cpu")
    attacker = Attacker(embedder, checkpoint=options.checkpoint, device="cpu")
    for tokens in LENGTHS:
        corpus = passages(embedder, tokens, options.n)
        for window in (0, 16, 32):
            if window < tokens:
                began = time.process_time()
                _, table = invert_texts(corpus, options.inverter, attacker, window, floors=False)
                (scores,) = table.scores
                row = {
                    "benchmark": "inversion_length",
                    "tokens": tokens,
                    "mean_tokens": round(float(np.mean(embedder.lengths(corpus.texts))), 1),
                    "window": window or "none",
                    "n": len(corpus),
                    **{
                        name: [round(x, 4) for x in (value.value, value.low, value.high)]
                        for name in METRICS
                        for value in [getattr(scores, name)]
                    },
                    "cpu_seconds_per_text": round((time.process_time() - began) / len(corpus), 3),
                }
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
