"""Defences of MiniLM vectors: what static and adaptive attackers read, against what search loses.

    python benchmarks/defences.py

A task of `workbench list tasks` is the attribute; its training and validation rows are what defences and attackers are
fitted on, its test rows (other groups) are attacked. Three seeds of keys, noise and networks. Prints one JSON row a
defence; --out keeps the whole result, --table prints it as Markdown.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from workbench.audit._utility import Utility
from workbench.audit.defences import judge_defences
from workbench.core import render
from workbench.core.estimate import Estimate
from workbench.data.tasks import load_task
from workbench.embed import load_embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.probe import Labelled

DEFENCES = (
    "noise:0.5",
    "noise:1",
    "noise:2",
    "noise:2?release=stored",
    "metric-dp:400",
    "int8",
    "binary",
    "product-quantisation:8",
    "truncation:0.25",
    "pca:0.25",
    "rotation",
    "permutation",
    "leace",
)


def main() -> None:
    """One table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--task", default="topic")
    parser.add_argument("--limit", type=int, default=1200, help="training rows; a quarter as many to validate and test")
    parser.add_argument("--texts", type=int, default=300, help="questions and pairs that measure utility")
    parser.add_argument("--with", dest="lines", nargs="+", default=list(DEFENCES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    task = load_task(options.task)
    whole = Labelled.of(task)
    rows = whole.kept(options.limit)
    model = load_embedder(options.embedder, "cpu")
    data = whole.select(rows)
    vectors = cached_vectors(model, [task.texts[row] for row in rows], options.task)
    found = judge_defences(
        data,
        vectors,
        options.lines,
        utility=Utility.of(model, options.texts) if options.texts else None,
        embedder=options.embedder,
        seeds=range(options.seeds),
    )
    if options.out:
        found.save(options.out)
    for row in found.rows:
        named = {
            "ndcg": row.ndcg,
            "neighbours": row.neighbours,
            "static": row.static.accuracy,
            "adaptive": row.adaptive.accuracy,
            "worst": row.worst.accuracy,
            "recovered": row.recovered,
            "prior": found.prior,
        }
        shown = {name: _short(value) for name, value in named.items() if value is not None}
        print(json.dumps({"defence": row.defence, **shown, "attack": row.worst.name}), flush=True)
    if options.table:
        print(render.to_markdown([found.table(), found.attack_table(), found.vector_table(), found.utility_table()]))
        print(f"{found.seconds:.0f} seconds")


def _short(value: Estimate) -> list[float]:
    return [round(number, 4) for number in (value.value, value.low, value.high)]


if __name__ == "__main__":
    main()
