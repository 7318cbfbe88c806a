"""What a large store costs on one machine: audit sampling, nearest-neighbour floor, probe and map, as it grows.

    python benchmarks/growth.py                          # 10,000, 100,000 and 1,000,000 vectors of 384 dimensions
    python benchmarks/growth.py --rows 10000 30000

Vectors lie around 2,000 centres and have made-up ids, texts and a label; each size runs in a process of its own, one
thread, from a file on disk. Prints one JSON row for each size and step: wall and CPU seconds, and the most memory that
the process held until then: `peak_mb` in all, of which `own_mb` at the end of the step is not a mapped file. A last row
for each step fits time to rows as a power (1 is linear) over the two largest sizes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

DIM, CENTRES = 384, 2000


def write(rows: int, folder: Path) -> None:
    """A store of `rows` vectors, as Parquet and as an Arrow file that can be mapped."""
    from workbench.core.embedding_set import EmbeddingSet

    random = np.random.default_rng(0)
    centres = random.standard_normal((CENTRES, DIM), dtype=np.float32)
    near = random.integers(CENTRES, size=rows)
    vectors = np.empty((rows, DIM), np.float32)
    for start in range(0, rows, 65_536):
        part = slice(start, start + 65_536)
        vectors[part] = centres[near[part]]
        vectors[part] += random.standard_normal(vectors[part].shape, dtype=np.float32)
        vectors[part] /= np.linalg.norm(vectors[part], axis=1, keepdims=True)
    sentences = np.array([f"sentence number {row} about subject {centre}" for row, centre in enumerate(near)], object)
    ids = np.array([f"row-{row}" for row in range(rows)], object)
    store = EmbeddingSet(ids, vectors, sentences, {"subject": (near % 2).astype(bool)})
    store.save(folder / "store.arrow")
    store.save(folder / "store.parquet")


def steps(folder: Path) -> dict[str, Callable[[], Any]]:
    """What is measured, in this order."""
    from workbench.audit.plan import AuditPlan
    from workbench.audit.run import _target
    from workbench.core.embedding_set import EmbeddingSet
    from workbench.embed import load_embedder
    from workbench.invert.nearest import Nearest
    from workbench.probe import BatchedLogistic
    from workbench.widgets._project import project

    store = EmbeddingSet.load(folder / "store.arrow")
    asked = store.vectors[:: max(1, len(store) // 1000)][:1000].copy()
    return {
        "audit sampling": lambda: _target(
            AuditPlan(store=str(folder / "store.parquet")), load_embedder("minilm", "cpu")
        ),
        "nearest-neighbour floor, 1,000 vectors": lambda: Nearest(
            load_embedder("toy", "cpu"), list(store.texts), store.vectors
        ).find(asked),
        "probe, all rows": lambda: BatchedLogistic(C=0.1, device="cpu").fit(
            store.vectors, np.asarray(store.labels["subject"], bool)[:, None]
        ),
        "map projection, all rows": lambda: project(store.vectors),
    }


def measure(folder: Path, rows: int, name: str) -> None:
    """One step, in this process; its row goes to standard output."""
    import torch

    from workbench.core.memory import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()
    step = steps(folder)[name]
    began, cpu = time.monotonic(), time.process_time()
    step()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    row = {
        "step": name,
        "rows": rows,
        "seconds": round(time.monotonic() - began, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_mb": int(status["VmHWM"].split()[0]) // 1024,
        "own_mb": int(status["RssAnon"].split()[0]) // 1024,
    }
    print(json.dumps(row), flush=True)


def main() -> None:
    """All sizes and steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--in-folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_folder:
        return measure(options.in_folder, options.rows[0], options.step)
    found: dict[str, list[dict[str, Any]]] = {}
    for rows in sorted(options.rows):
        with tempfile.TemporaryDirectory() as folder:
            write(rows, Path(folder))
            for name in steps(Path(folder)):
                command = [sys.executable, __file__, "--in-folder", folder, "--rows", str(rows), "--step", name]
                line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                print(line, end="", flush=True)
                found.setdefault(name, []).append(json.loads(line))
    for name, lines in found.items():
        if len(lines) > 1:
            small, large = lines[-2:]
            ratio = max(large["cpu_seconds"], 0.01) / max(small["cpu_seconds"], 0.01)
            power = np.log(ratio) / np.log(large["rows"] / small["rows"])
            print(json.dumps({"step": name, "power": round(float(power), 2)}))
    return None


if __name__ == "__main__":
    main()
