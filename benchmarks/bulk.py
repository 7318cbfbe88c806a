"""Bulk runs: a Ray cluster that loses a node in the middle, and what a second worker is worth. One JSON row each.

    python benchmarks/bulk.py cluster                two nodes, 200,000 texts, one node killed after a third
    python benchmarks/bulk.py scaling                one worker, then two, a thread each, MiniLM

Texts are the training texts of a corpus; where it has too few they come again with a number, so that no two are alike.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.data import corpora
from workbench.jobs.bulk import BulkSummary, Hands, run_bulk


def write_texts(path: Path, corpus: str, count: int) -> int:
    """Parquet of `count` different texts in row groups of 20,000; how many of them are the corpus' own."""
    own = corpora.load(corpus, "train", count).texts
    texts = [own[i % len(own)] + (f" ({i // len(own)})" if i >= len(own) else "") for i in range(count)]
    pq.write_table(
        pa.table({"id": [f"{corpus}:{i}" for i in range(count)], "text": texts}), path, row_group_size=20_000
    )
    return min(len(own), count)


def embed(source: Path, out: Path, embedder: str, part_rows: int, hands: Hands) -> BulkSummary:
    """One run of the verb `embed`, without the texts."""
    recipe = {"embedder": embedder, "column": "text", "without_texts": True, "seed": 0}
    return run_bulk("embed", source, out, recipe, hands=hands, part_rows=part_rows, device="cpu")


class Again(logging.Handler):
    """Counts parts that were done again."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        self.reasons.append(record.getMessage())


def cluster(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The same texts undisturbed in this process, and on two nodes of which one is killed."""
    own = write_texts(folder / "in.parquet", options.corpus, options.texts)
    alone = embed(folder / "in.parquet", folder / "alone", options.embedder, options.part_rows, Hands())
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    memory = {"object_store_memory": 200_000_000}
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **memory})
    second = nodes.add_node(num_cpus=1, **memory)
    ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
    ledger = folder / "ray/ledger.jsonl"
    killed_at: list[int] = []

    def kill() -> None:
        while not killed_at:
            done = ledger.read_bytes().count(b"\n") if ledger.exists() else 0
            if done >= alone.parts // 3 and _has_a_part(second):
                nodes.remove_node(second, allow_graceful=False)
                killed_at.append(done)
            time.sleep(0.01)

    again = Again()
    logging.getLogger("workbench.jobs.bulk").addHandler(again)
    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        done = embed(folder / "in.parquet", folder / "ray", options.embedder, options.part_rows, Hands(ray="auto"))
    finally:
        ray.shutdown()
        nodes.shutdown()
    return {
        "benchmark": "bulk cluster",
        "embedder": options.embedder,
        "corpus": options.corpus,
        "texts": done.rows,
        "texts_of_the_corpus": own,
        "parts": done.parts,
        "node_killed_after_parts": killed_at[0] if killed_at else None,
        "parts_done_again": len(again.reasons),
        "reasons": sorted({reason.partition(": ")[2][:80] for reason in again.reasons}),
        "failed": list(done.failed),
        "sha256_undisturbed": alone.sha256,
        "sha256_cluster": done.sha256,
        "equal": alone.sha256 == done.sha256 != "",
        "equal_files": _files(folder / "alone") == _files(folder / "ray"),
        "seconds_undisturbed": round(alone.seconds, 1),
        "seconds_cluster": round(done.seconds, 1),
    }


def _has_a_part(node: Any) -> bool:
    """Whether a worker of a local node does a part right now: Ray writes that into its title."""
    (raylet,) = node.all_processes["raylet"]
    family = psutil.Process(raylet.process.pid).children(recursive=True)
    return any("_Hand.attempt" in " ".join(process.cmdline()) for process in family)


def scaling(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Wall time of one worker and of two, each with one thread; also less what a run of one small part takes, which is
    nearly all opening of the model. One worker is this process, held to one thread by OMP_NUM_THREADS."""
    write_texts(folder / "in.parquet", options.corpus, options.texts)
    write_texts(folder / "tiny.parquet", options.corpus, 2)
    seconds: dict[int, tuple[float, float]] = {}
    digests = set()
    for workers in (1, 2):
        opening = embed(folder / "tiny.parquet", folder / f"tiny{workers}", options.embedder, 1, Hands(workers))
        done = embed(folder / "in.parquet", folder / f"{workers}", options.embedder, options.part_rows, Hands(workers))
        digests.add(done.sha256)
        seconds[workers] = (done.seconds, done.seconds - opening.seconds)
    whole, steady = (seconds[1][i] / (2 * seconds[2][i]) for i in (0, 1))
    return {
        "benchmark": "bulk scaling",
        "embedder": options.embedder,
        "corpus": options.corpus,
        "texts": options.texts,
        "part_rows": options.part_rows,
        "cores": psutil.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "seconds_one_worker": round(seconds[1][0], 1),
        "seconds_two_workers": round(seconds[2][0], 1),
        "efficiency": round(whole, 3),
        "efficiency_less_opening": round(steady, 3),
        "texts_per_second_two_workers": round(options.texts / seconds[2][1], 1),
        "equal": len(digests) == 1,
    }


def _files(out: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(out.glob("part-*.parquet"))]


def main() -> None:
    """Run one of both in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cluster", "scaling"])
    parser.add_argument("--corpus", default="conservative")
    parser.add_argument("--texts", type=int, default=0, help="default: 200,000; scaling: 4,000")
    parser.add_argument("--embedder", default="", help="default: potion; scaling: minilm")
    parser.add_argument("--part-rows", type=int, default=0, help="default: 2,048; scaling: 128")
    options = parser.parse_args()
    scales = options.what == "scaling"
    options.texts = options.texts or (4000 if scales else 200_000)
    options.embedder = options.embedder or ("minilm" if scales else "potion")
    options.part_rows = options.part_rows or (128 if scales else 2048)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps((scaling if scales else cluster)(Path(folder), options)))


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
