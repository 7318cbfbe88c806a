"""Throughput of each verb on one CPU core, and what that makes for millions and billions of vectors.

    python benchmarks/capacity.py --out docs/capacity.md

Real held-out sentences, one thread, after one item that warms up. Prints one JSON row for each verb (items, CPU-seconds
an item) and writes the page: the rest of it is arithmetic from these rows, as the page says.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.attribute import open_attributor
from workbench.core.access import KNOWN_ENCODER
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.files import write_text
from workbench.core.memory import keep_freed_memory
from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.invert import open_inverter
from workbench.invert._inverter import Attacker
from workbench.probe import BatchedLogistic

SIZES = (10**6, 10**8, 10**10)
HOURS = 24
"""Hours in which a run should be over."""
CORES = 16
"""Cores of a machine."""
EFFICIENCY = 0.8
"""Share of the speed that is left where many workers share machines, memory and a file system; assumed: two workers of
`bulk.py scaling` keep .84."""


@dataclass(frozen=True)
class Work:
    """A verb that was measured: what an item is, how many were done, and how."""

    verb: str
    item: str
    items: int
    run: Callable[[int], Any]


def works(folder: Path) -> list[Work]:
    """All verbs, on the same texts."""
    texts = list(corpora.load("conservative", "test", 12_000).texts)
    short = [text for text in texts if len(text.split()) <= 24]
    minilm = load_embedder("minilm", "cpu")
    ids = np.array([str(row) for row in range(len(short))], object)
    some = minilm.embed_set(ids[:2000], short[:2000])
    labels = np.arange(2000)[:, None] % 2 == 0
    probe = BatchedLogistic(device="cpu").fit(some.vectors, labels)
    attacker = Attacker(minilm, KNOWN_ENCODER, device="cpu")
    attributor = open_attributor(minilm)
    large = EmbeddingSet(
        np.array([str(row) for row in range(100_000)], object),
        np.random.default_rng(0).standard_normal((100_000, 384), dtype=np.float32),
    )

    def embed(name: str) -> Callable[[int], Any]:
        def run(n: int) -> Any:
            return load_embedder(name, "cpu").embed(texts[-n:])

        return run

    def invert(name: str, **options: Any) -> Callable[[int], Any]:
        method = open_inverter(name, replace(attacker, **options))

        def run(n: int) -> Any:
            minilm.forget()
            return method.invert(some.select(slice(-n, None)).without_texts())

        return run

    def save(n: int) -> None:
        large.select(slice(0, n)).save(folder / "large.parquet")
        EmbeddingSet.load(folder / "large.parquet")

    return [
        Work("embed, potion (static)", "text", 10_000, embed("potion")),
        Work("embed, minilm", "text", 1500, embed("minilm")),
        Work("embed, mpnet", "text", 250, embed("mpnet")),
        Work("invert, hypothesis, greedy", "vector", 300, invert("hypothesis", beams=1)),
        Work("invert, hypothesis, 8 beams", "vector", 100, invert("hypothesis", beams=8)),
        Work("invert, search, default", "vector", 12, invert("search")),
        Work(
            "attribute, exact pairs",
            "pair",
            12,
            lambda n: [attributor.pair(*short[2 * i : 2 * i + 2]) for i in range(n)],
        ),
        Work("probe, one attribute", "vector", 100_000, lambda n: probe.predict_proba(large.vectors[:n])),
        Work("write and read Parquet", "vector", 100_000, save),
    ]


def page(rows: list[dict[str, Any]]) -> str:
    """The capacity page in Markdown."""
    lines = [
        "# Capacity",
        "",
        "How long the workbench takes for a million, a hundred million and ten thousand million items, by arithmetic "
        "from what one core does. Made by `python benchmarks/capacity.py --out docs/capacity.md`; run it on yours.",
        "",
        "## Measured",
        "",
        f"One thread of {_processor()}, real held-out sentences, no GPU (one was not at hand).",
        "",
        "| verb | items | CPU-ms an item | items a second and core |",
        "|---|---:|---:|---:|",
        *(
            f"| {row['verb']} | {row['items']:,} {row['item']}s | {_short(1000 * row['cpu_seconds_an_item'])} | "
            f"{_short(1 / row['cpu_seconds_an_item'])} |"
            for row in rows
        ),
        "",
        "## By arithmetic",
        "",
        f"Core-hours are items x CPU-seconds / 3,600 / {EFFICIENCY:g}, where {EFFICIENCY:g} is an efficiency "
        f"assumed for many workers. Machines have {CORES} cores and should be done in {HOURS} hours; where one "
        "is enough, its time stands.",
        "",
        "| verb | " + " | ".join(f"{size:,}" for size in SIZES) + " |",
        "|---|" + "---:|" * len(SIZES),
        *(f"| {row['verb']} | " + " | ".join(_need(row, size) for size in SIZES) + " |" for row in rows),
        "",
        "Vectors of 384 dimensions take 1.5 kB each in float32: 1.5 GB, 150 GB and 15 TB. Beyond one machine, "
        "`--ray ADDRESS` spreads parts of a store over a cluster; a part is a file, so a run can be stopped and go on.",
        "",
    ]
    return "\n".join(lines)


def _need(row: dict[str, Any], size: int) -> str:
    hours = size * row["cpu_seconds_an_item"] / 3600 / EFFICIENCY / CORES
    if hours > HOURS:
        return f"{int(np.ceil(hours / HOURS)):,} machines"
    minutes = 60 * hours
    return f"{60 * minutes:.2g} s" if minutes < 1 else f"{minutes:.2g} min" if hours < 1 else f"{hours:.2g} h"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _processor() -> str:
    names = [line.partition(":")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return names[0].strip() if names else platform.machine()


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="the page")
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for work in works(Path(folder)):
            work.run(1)
            began = time.process_time()
            work.run(work.items)
            spent = (time.process_time() - began) / work.items
            row = {
                "verb": work.verb,
                "item": work.item,
                "items": work.items,
                "cpu_seconds_an_item": float(f"{spent:.4g}"),
            }
            print(json.dumps(row), flush=True)
            rows.append(row)
    if options.out:
        write_text(options.out, page(rows))


if __name__ == "__main__":
    main()
