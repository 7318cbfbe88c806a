"""What attackers find who do not invert: members of a store or of a training set, and attributes of hidden texts.

    python benchmarks/attackers.py membership
    python benchmarks/attackers.py attributes
    python benchmarks/attackers.py linkage

`membership`: half of 4,000 texts of a corpus are stored, plain and defended, the other half is not; then as many texts
that an inverter was trained on as others of its test split. `attributes`: probing tasks as an insider's labels, with
the number of words and marks as side information. `linkage`: a dump that shares half of its rows with another, which
was embedded anew and disturbed. Prints one JSON row for each attack.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from workbench.audit._candidates import Candidates
from workbench.audit._linkage import link
from workbench.audit.attribute_inference import infer_attributes
from workbench.audit.membership import store_membership
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.estimate import Estimate, proportion
from workbench.data import corpora
from workbench.data.tasks import load_task
from workbench.defend import open_defence
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.jobs.find_members import members_of_training
from workbench.probe import Labelled
from workbench.results.membership import STRICT, Membership


def main() -> None:
    """One of the subcommands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    members = verbs.add_parser("membership")
    members.add_argument("--corpus", default="conservative")
    members.add_argument("--texts", type=int, default=2000, help="members, and as many others")
    members.add_argument("--defences", nargs="*", default=["none", "int8", "binary", "noise:0.5", "noise:2", "noise:4"])
    members.add_argument("--training", type=int, default=1000, help="texts of a training set, and others")
    members.add_argument("--inverter", default="minilm-inverter")
    told = verbs.add_parser("attributes")
    told.add_argument("--tasks", nargs="+", default=["question-type", "speaker"])
    told.add_argument("--limit", type=int, default=1200, help="training items a task")
    told.add_argument("--defences", nargs="*", default=["none", "int8", "noise:0.5", "noise:2"])
    linked = verbs.add_parser("linkage")
    linked.add_argument("--texts", type=int, default=2000, help="rows of each dump")
    linked.add_argument("--defences", nargs="*", default=["int8", "binary", "noise:0.5", "noise:1", "noise:2"])
    options = parser.parse_args()
    {"membership": membership, "attributes": attributes, "linkage": linkage}[options.verb](options)


def membership(options: argparse.Namespace) -> None:
    """Of a store, by defence; then of an inverter's training set."""
    if options.defences:
        embedder = load_embedder("minilm", "cpu")
        texts = corpora.load(options.corpus, "train", 2 * options.texts).texts
        order = np.random.default_rng(0).permutation(len(texts))
        stored, rest = (sorted(half) for half in np.split(order, 2))
        vectors = cached_vectors(embedder, texts)
        known = dict(zip(texts, vectors, strict=True))
        candidates = Candidates.of([texts[row] for row in stored], [texts[row] for row in rest])
        asked = np.stack([known[text] for text in candidates.texts])
        for line in options.defences:
            store = vectors[stored]
            if line != "none":
                store = open_defence(line).apply(store, np.random.default_rng(1))
            told = {"store": options.corpus, "defence": line}
            _print_attacks(told, store_membership(store, candidates, asked))
    if options.training:
        found = members_of_training(options.inverter, texts=options.training, device="cpu")
        _print_attacks({"training of": options.inverter}, found)


def attributes(options: argparse.Namespace) -> None:
    """Each task as the label of a store; side information is what a store often keeps: sizes, and whether it asks."""
    embedder = load_embedder("minilm", "cpu")
    for name in options.tasks:
        held = Labelled.of(load_task(name))
        held = held.limited(options.limit)
        assert held.texts is not None  # a task of the folder has texts
        vectors = cached_vectors(embedder, held.texts)
        side = {
            "words": np.array([len(text.split()) for text in held.texts]),
            "marks": np.array([sum(letter in ",;:" for letter in text) for text in held.texts]),
            "asks": np.array([text.endswith("?") for text in held.texts]),
        }
        labels = {name: np.array(held.classes, object)[held.labels], "group": np.array(held.groups, object), **side}
        ids = np.array([str(row) for row in range(len(vectors))], object)
        for line in options.defences:
            seen = vectors if line == "none" else open_defence(line).apply(vectors, np.random.default_rng(0))
            found = infer_attributes(EmbeddingSet(ids, seen, labels=labels), [name], groups="group").rows[0]
            row = {"task": name, "defence": line, "classes": found.classes, "learnt": found.learnt}
            row |= {"test": found.test, "groups": found.groups}
            for key in ("prior", "side", "vectors", "both", "balanced", "advantage", "side_advantage", "excess"):
                row[key] = _three(getattr(found, key))
            row["p"] = {gain.over: gain.p for gain in found.gains}
            print(json.dumps({**row, "advantage by labels": {n: _three(each) for n, each in found.curve}}), flush=True)


def linkage(options: argparse.Namespace) -> None:
    """Half of the rows of either dump are in the other; ids agree where rows do, and are not used."""
    n = options.texts
    texts = corpora.load("conservative", "train", n + n // 2).texts
    vectors = cached_vectors(load_embedder("minilm", "cpu"), texts)
    ids = np.array([str(row) for row in range(len(texts))], object)
    for line in options.defences:
        disturbed = open_defence(line).apply(vectors[n // 2 :], np.random.default_rng(0))
        found = link(EmbeddingSet(ids[:n], vectors[:n]), EmbeddingSet(ids[n // 2 :], disturbed))
        row = {"dump": line, "rows": n, "shared": n // 2, "ratio": round(found.ratio or 0, 3)}
        for key in ("by_vector", "false_link", "right"):
            row[key] = _three(getattr(found, key))
        true = found.right.n if found.right else 0
        strangers = round((found.by_vector.value if found.by_vector else 0) * n) - true
        row["strangers linked"] = _three(proportion(strangers, n - n // 2))
        print(json.dumps(row), flush=True)


def _print_attacks(told: dict[str, Any], found: Membership) -> None:
    for each in (*found.attacks, found.blind):
        row = {**told, "members": found.members, "others": found.others, "attack": each.attack, "auc": _three(each.auc)}
        for rate in each.rates:
            if rate.level in (STRICT, 0.01):
                row |= {f"found at {rate.level}": _three(rate.found), f"false at {rate.level}": _three(rate.false)}
        print(json.dumps({**row, "chance at 0.01": found.chance}), flush=True)


def _three(estimate: Estimate) -> list[float]:
    return [round(each, 4) for each in (estimate.value, estimate.low, estimate.high)]


if __name__ == "__main__":
    main()
