"""Inverting vectors of an embedder that is never asked: through pairs, and without any.

    python benchmarks/alignment.py --victim mpnet --known minilm              # a curve over the number of pairs
    python benchmarks/alignment.py --victim mpnet --known minilm --unpaired   # a curve over the size of the store

Vectors of held-out sentences are mapped from the victim's space to the known embedder's. Every row says how near they
come to the true ones there (cosine; how many find their own vector among all), and, without --unpaired or with
--invert, how much of the texts is read from them, beside the floors: the nearest public text of the mapped vectors, and
the same inverter on shuffled vectors. Prints one JSON row for each size; pairs are public texts, and without pairs the
store and the attacker's own texts are different ones.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.embedding_set import EmbeddingSet
from workbench.core.vectors import unit
from workbench.data import corpora
from workbench.data.corpora import Corpus
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.invert import open_inverter
from workbench.invert._align import LinearMap, fit_paired_map
from workbench.invert._inverter import Attacker, Inverter, shuffled
from workbench.invert._relational import fit_unpaired_map
from workbench.invert._score import score
from workbench.invert.few_shot import FewShot
from workbench.invert.nearest import Nearest
from workbench.invert.unpaired import Unpaired

MAX_TOKENS = 34
PAIRS = (10, 30, 100, 300, 1000, 3000)
STORES = (1000, 2000, 5000, 10_000, 20_000)


@dataclass(frozen=True)
class Bench:
    """Two embedders, held-out sentences with both their vectors, and public texts."""

    victim: Embedder
    known: Embedder
    hidden: Corpus
    public: tuple[str, ...]

    def row(self, to_known: LinearMap, attacks: dict[str, Inverter], about: dict[str, Any]) -> dict[str, Any]:
        """One map measured on the held-out sentences; inversions by every attack."""
        stolen = self.victim.embed_set(self.hidden.ids, self.hidden.texts).without_texts()
        mapped, true = to_known.apply(stolen.vectors), unit(self.known.embed(self.hidden.texts))
        likeness = mapped @ true.T
        row = {
            "victim": self.victim.spec.name,
            "known": self.known.spec.name,
            "n": len(self.hidden),
            **about,
            "map": to_known.kind,
            "penalty": round(to_known.penalty, 6),
            "foretold_cosine": None if np.isnan(to_known.held_out) else round(to_known.held_out, 4),
            "cosine": round(float(likeness.diagonal().mean()), 4),
            "cosine_of_others": round(float((likeness.sum() - likeness.trace()) / (likeness.size - len(likeness))), 4),
            "top1": round(float((likeness.argmax(1) == np.arange(len(likeness))).mean()), 4),
        }
        for name, attack in attacks.items():
            row[name] = self._measured(attack, stolen)
        if "attack" in attacks:
            row["shuffled"] = self._measured(attacks["attack"], shuffled(stolen))
        return row

    def _measured(self, attack: Inverter, stolen: EmbeddingSet) -> dict[str, list[float]]:
        found = score(attack.invert(stolen), self.hidden.texts, self.known, self.hidden.groups)
        return {
            metric: [round(number, 4) for number in (value.value, value.low, value.high)]
            for metric in ("bleu", "chrf", "token_f1", "exact", "string_exact")
            for value in [getattr(found, metric)]
        }


def open_bench(victim: str, known: str, n: int, texts: int) -> Bench:
    """Held-out sentences of at most MAX_TOKENS tokens, and the first public ones."""
    ours = load_embedder(known)
    hidden = corpora.load("conservative", "test").head(4 * n)
    hidden = hidden.where(ours.lengths(hidden.texts) <= MAX_TOKENS).head(n)
    return Bench(load_embedder(victim), ours, hidden, corpora.load("conservative", "train", texts).texts)


def main() -> None:
    """One curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--victim", default="mpnet")
    parser.add_argument("--known", default="minilm")
    parser.add_argument("--unpaired", action="store_true")
    parser.add_argument("--invert", action="store_true", help="with --unpaired: read the texts too")
    parser.add_argument("--sizes", type=lambda line: tuple(map(int, line.split(","))), default=())
    parser.add_argument("--n", type=int, default=300, help="held-out sentences")
    parser.add_argument("--through", default="hypothesis", help="the known embedder's inverter")
    parser.add_argument("--preset", default="default", help="of search")
    parser.add_argument("--nearest", type=int, default=20_000, help="public texts of the floor")
    parser.add_argument("--public", type=int, default=20_000, help="with --unpaired: the attacker's own texts")
    parser.add_argument("--seeds", type=int, default=1, help="with --unpaired: runs of every size")
    parser.add_argument("--out", type=Path, help="add the rows to this file too")
    options = parser.parse_args()
    sizes = options.sizes or (STORES if options.unpaired else PAIRS)
    reads = options.invert or not options.unpaired
    texts = max(max(sizes) + (options.public if options.unpaired else 0), options.nearest if reads else 0)
    bench = open_bench(options.victim, options.known, options.n, texts)
    inner: dict[str, Inverter] = {}
    if reads:
        floor = bench.public[: options.nearest]
        own = Attacker(bench.known, preset=options.preset)
        inner["attack"] = open_inverter(options.through, own)
        inner["nearest"] = Nearest(bench.known, floor, cached_vectors(bench.known, floor))
    wanted = max(sizes)
    stolen = cached_vectors(bench.victim, bench.public[:wanted])
    public = bench.public[wanted : wanted + options.public] if options.unpaired else bench.public[:wanted]
    known = cached_vectors(bench.known, public)
    for size in sizes:
        for seed in range(options.seeds if options.unpaired else 1):
            began = time.process_time()
            if options.unpaired:
                found, kind = fit_unpaired_map(stolen[:size], known, seed), Unpaired
            else:
                found, kind = fit_paired_map(stolen[:size], known[:size]), FewShot
            spent = round(time.process_time() - began, 1)
            about = {"through": options.through, "store" if options.unpaired else "pairs": size, "seed": seed}
            row = bench.row(
                found, {name: kind(each, found) for name, each in inner.items()}, {**about, "fit_cpu_s": spent}
            )
            print(json.dumps(row), flush=True)
            if options.out:
                options.out.parent.mkdir(parents=True, exist_ok=True)
                with open(options.out, "a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
