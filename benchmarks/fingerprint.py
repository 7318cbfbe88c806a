"""How often a store's embedder is named, and how often one is named that did not make it.

    python benchmarks/fingerprint.py

References are sentences of six corpora; stores are drawn from three others, which no reference holds. A store is
`known` (its embedder is among the suspects), `left out` (neither it nor its network is), `kin` (its network is among
them, pooled in another way alone), or `rotated` (at random, as no embedder does). A name is wrong for the last three.
Prints one JSON row for each kind, form and number of vectors, with a Wilson interval.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict

import numpy as np

from workbench.audit.fingerprint import LineUp
from workbench.core.estimate import proportion
from workbench.core.vectors import unit
from workbench.data import corpora
from workbench.defend import open_defence
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.jobs.fingerprint_store import reference

AMONG = (
    "minilm",
    "bge-small",
    "mpnet",
    "potion",
    "toy",
    "llm:smollm2?method=last",
    "llm:smollm2?method=mean",
    "llm:smollm2?method=echo",
)
UNSEEN = ("sotu", "boolq", "wordnet")
NONE = "none of them"


def network(embedder: str) -> str:
    """An embedder's name without how it pools."""
    return embedder.partition("?")[0]


def main() -> None:
    """All trials."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--among", nargs="+", default=list(AMONG))
    parser.add_argument("--size", type=int, default=100, help="reference texts of each domain")
    parser.add_argument("--texts", type=int, default=150, help="texts of each unseen corpus")
    parser.add_argument("--draws", type=int, default=5, help="stores of each embedder, corpus, form and size")
    options = parser.parse_args()
    references = [reference(name, options.size, "cpu") for name in options.among]
    right: dict[tuple[str, str, int], list[bool]] = defaultdict(list)
    for name in options.among:
        model = load_embedder(name, "cpu")
        stores = [cached_vectors(model, corpora.load(one, "test", options.texts).texts, one) for one in UNSEEN]
        d = stores[0].shape[1]
        turn = np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))[0].astype(np.float32)
        others = {
            "left out": [each for each in references if network(each.embedder) != network(name)],
            "kin": [each for each in references if each.embedder != name],
        }
        if len(others["kin"]) == len(others["left out"]):
            del others["kin"]
        for form, cut in (("float32", d), ("int8", d), ("binary", d), ("float32", 64)):
            said = form if cut == d else f"first {cut}"
            for n in (1, 10, 100):
                among = LineUp(references, cut, form, n)
                line_ups: dict[str, LineUp] = {"known": among, "rotated": among}
                for kind, suspects in others.items():
                    if any(each.vectors.shape[1] >= cut for each in suspects):
                        line_ups[kind] = LineUp(suspects, cut, form, n)
                for kind, line_up in line_ups.items():
                    for place, store in enumerate(stores):
                        for draw in range(options.draws):
                            random = np.random.default_rng([place, draw, n])
                            taken = store[random.choice(len(store), n, replace=False)]
                            taken = unit((taken @ turn if kind == "rotated" else taken)[:, :cut])
                            if form != "float32":
                                taken = open_defence(form).apply(taken, random)
                            wanted = name if kind == "known" else NONE
                            right[kind, said, n].append(line_up.tell(taken).verdict == wanted)
        print(json.dumps({"done": name}), flush=True)
    for (kind, said, n), each in right.items():
        share = proportion(sum(each), len(each))
        row = {"store": kind, "form": said, "vectors": n, "trials": len(each)}
        print(json.dumps({**row, "right": [round(x, 4) for x in (share.value, share.low, share.high)]}), flush=True)


if __name__ == "__main__":
    main()
