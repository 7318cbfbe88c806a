"""How often a store's embedder is named, and how often one is named that did not make it.

    python benchmarks/fingerprint.py

References are sentences of six corpora; stores are drawn from three others and from short templated chat, which no
reference holds. A store is `known` or `chat` (its embedder is among the suspects), `left out` (neither it nor its
network is), `kin` (its network is among them, pooled in another way alone), `rotated` (at random), `pca` (principal
components of a suspect's or of another embedder's vectors), `projection` (a random one of them), or `gaussian` (a cloud
whose variances fall as the rank to the power -0, -0.5, -1 or -1.5). A name is wrong for all but the first two. Random
projections, and the corpora and templates of the stores, are no part of the calibration.
Prints one JSON row for each kind, form, dimension and number of vectors, with a Wilson interval.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict

import numpy as np

from workbench.audit.fingerprint import LineUp, Reference
from workbench.core.estimate import proportion
from workbench.core.vectors import unit
from workbench.data import corpora
from workbench.defend import open_defence
from workbench.defend.pca import PCA
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


TEMPLATES = (
    "Hi {name}, are you free on {day}?",
    "Thanks {name}, see you {day}!",
    "Where is {thing}?",
    "Please send {thing} to {name}.",
    "Sorry {name}, I can't make it {day}.",
    "Is {thing} ready for {day}?",
    "Can you help me with {thing}?",
    "{name} will call you {day}.",
)
NAMES = [
    "Anna",
    "Ben",
    "Carla",
    "Deniz",
    "Emre",
    "Fatima",
    "Goran",
    "Hana",
    "Igor",
    "Jana",
    "Kofi",
    "Lena",
    "Maya",
    "Noor",
    "Omar",
    "Petra",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "tomorrow", "tonight"]
THINGS = ("the invoice", "my order", "your parcel", "the report", "my password", "the contract", "the train")


def chat(n: int) -> list[str]:
    """n different short texts out of templates."""
    random, found = np.random.default_rng(0), {}
    while len(found) < n:
        name, day, thing = (str(random.choice(each)) for each in (NAMES, DAYS, THINGS))
        found[str(random.choice(TEMPLATES)).format(name=name, day=day, thing=thing)] = None
    return list(found)


def stored(vectors: np.ndarray, form: str, random: np.random.Generator) -> np.ndarray:
    """Vectors as a store of this form holds them."""
    if form == "codes by dimension":
        low, high = vectors.min(0), vectors.max(0)
        return np.clip(np.floor((vectors - low) / np.where(high > low, (high - low) / 255, 1)), 0, 255) - 128
    vectors = unit(vectors)
    if form == "float16":
        return vectors.astype(np.float16).astype(np.float32)
    return vectors if form == "float32" else open_defence(form).apply(vectors, random)


def impostors(store: np.ndarray, cut: int, n: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Vectors of `cut` dimensions that no embedder made, out of those of one that may be longer."""
    rows = random.choice(len(store), min(n, len(store)), replace=False)
    turn = np.linalg.qr(random.standard_normal((cut, cut)))[0]
    found = {"rotated": store[rows][:, :cut] @ turn}
    for decay in (0.0, 0.5, 1.0, 1.5):
        found[f"gaussian {decay}"] = random.standard_normal((n, cut)) * np.arange(1, cut + 1) ** (-decay / 2)
    if len(store) >= cut:
        found["pca"] = PCA(cut).fit(store, random).apply(store, random)[rows]
    found["projection"] = store[rows] @ random.standard_normal((store.shape[1], cut))
    return found


def main() -> None:
    """All trials."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--among", nargs="+", default=list(AMONG))
    parser.add_argument("--size", type=int, default=150, help="reference texts of each domain")
    parser.add_argument("--texts", type=int, default=150, help="texts of each unseen corpus")
    parser.add_argument("--draws", type=int, default=3, help="stores of each embedder, corpus, form and size")
    parser.add_argument("--dims", nargs="+", type=int, default=[64, 128, 256, 384, 768])
    parser.add_argument("--vectors", nargs="+", type=int, default=[20, 100])
    parser.add_argument("--forms", nargs="+", default=["float32", "float16", "int8", "binary", "codes by dimension"])
    options = parser.parse_args()
    references = {name: reference(name, options.size, "cpu") for name in options.among}
    stores: dict[str, dict[str, np.ndarray]] = {}
    for name in options.among:
        model = load_embedder(name, "cpu")
        stores[name] = {
            one: cached_vectors(model, corpora.load(one, "test", options.texts).texts, one) for one in UNSEEN
        }
        stores[name]["chat"] = cached_vectors(model, chat(options.texts), "chat")
    for cut in options.dims:
        fitting = {name: each for name, each in references.items() if each.vectors.shape[1] >= cut}
        for form in options.forms if fitting else ():
            for n in options.vectors:
                right = trials(fitting, stores, cut, form, n, options.draws)
                for kind, each in right.items():
                    share = proportion(sum(each), len(each))
                    row = {"store": kind, "form": form, "dim": cut, "vectors": n, "trials": len(each)}
                    interval = [round(x, 4) for x in (share.value, share.low, share.high)]
                    print(json.dumps({**row, "right": interval}), flush=True)


def trials(
    references: dict[str, Reference], stores: dict[str, dict[str, np.ndarray]], cut: int, form: str, n: int, draws: int
) -> dict[str, list[bool]]:
    """Whether each verdict was right, by kind of store."""
    right: dict[str, list[bool]] = defaultdict(list)
    random = np.random.default_rng([cut, n])
    among = LineUp(list(references.values()), cut, form, n)

    def ask(kind: str, vectors: np.ndarray, wanted: str, line_up: LineUp = among) -> None:
        right[kind].append(line_up.tell(stored(vectors, form, random)).verdict == wanted)

    def some(store: np.ndarray) -> np.ndarray:
        return store[random.choice(len(store), min(n, len(store)), replace=False)][:, :cut]

    for name in references:
        others = {
            "left out": [each for each in references.values() if network(each.embedder) != network(name)],
            "kin": [each for each in references.values() if each.embedder != name],
        }
        if len(others["kin"]) == len(others["left out"]):
            del others["kin"]
        line_ups = {kind: LineUp(rest, cut, form, n) for kind, rest in others.items() if rest}
        for one, store in stores[name].items():
            for _ in range(draws):
                ask("chat" if one == "chat" else "known", some(store), name)
                for kind, line_up in line_ups.items():
                    ask(kind, some(store), NONE, line_up)
    for held in stores.values():
        whole = np.concatenate([held[one] for one in UNSEEN]).astype(np.float64)
        for kind, vectors in impostors(whole, cut, n, random).items() if whole.shape[1] >= cut else ():
            ask(kind.partition(" ")[0], vectors, NONE)
    return right


if __name__ == "__main__":
    main()
