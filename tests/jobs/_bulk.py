"""What the tests of bulk runs share."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.jobs.bulk import run_bulk

RECIPE = {"embedder": "toy", "column": "text", "without_texts": False, "seed": 0}


def texts(n):
    return [f"the row number {i} tells of {i * 7 % 13} things" for i in range(n)]


def write(path, rows, ids=None, group=64):
    """Parquet of texts; ids are r0, r1, ... unless given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = [f"r{i}" for i in range(len(rows))] if ids is None else ids
    pq.write_table(pa.table({"id": ids, "text": pa.array(rows, pa.string())}), path, row_group_size=group)
    return path


def embed(source, out, part_rows=50, verb="embed", recipe=RECIPE, **options):
    return run_bulk(verb, source, out, recipe, part_rows=part_rows, device="cpu", **options)


def parts(out):
    return sorted(out.glob("part-*.parquet"))


def rows(out, folder=""):
    """All rows of a run's parts, or of its quarantine, in order."""
    return [row for path in parts(out / folder) for row in pq.read_table(path).to_pylist()]


def debris(out):
    """Files that no finished run should leave."""
    return [path.name for path in out.rglob("*") if path.name.startswith(".") and path.name != ".lock"]
