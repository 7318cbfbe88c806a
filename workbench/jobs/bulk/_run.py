"""run_bulk: one verb over all rows of a Parquet file or folder or a Lance dataset, each row exactly once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.core.errors import BadInput
from workbench.core.progress import progress
from workbench.jobs.bulk import STAGES
from workbench.jobs.bulk._crew import Crew, Own
from workbench.jobs.bulk._folder import open_folder
from workbench.jobs.bulk._part import Job, Trouble
from workbench.jobs.bulk._plan import MANIFEST, Part, maker_of, parts_of, read_shards, schema_of
from workbench.jobs.bulk._reader import PartReader
from workbench.jobs.bulk._screen import require_column
from workbench.jobs.bulk._stage import Stage, id_of
from workbench.jobs.bulk._summary import BulkSummary
from workbench.jobs.bulk._supervise import Supervisor


@dataclass(frozen=True)
class Hands:
    """Who does the work: this process (`workers` 0 or 1), so many of this machine, or a Ray cluster at an address."""

    workers: int = 0
    ray: str = ""

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise BadInput(f"workers is {self.workers}; expected 1 or more")


def run_bulk(
    verb: str,
    source: Path,
    out: Path,
    recipe: Mapping[str, Any],
    *,
    hands: Hands = Hands(),
    part_rows: int = 0,
    device: str = "auto",
    lance: bool = False,
    unverified: bool = False,
) -> BulkSummary:
    """Do `verb` (a stage of this folder) to every row of `source` into `out`. The source is a Parquet file, a folder of
    them, or a Lance dataset (a folder that ends in .lance).

    A run that was stopped in any way goes on when it is called again, and ends with the same rows. Rows that cannot be
    done are set aside with a reason (`out/quarantine`), files that cannot be read are left out and named, parts whose
    workers fail three times are given up and named. Where nothing was given up, the manifest is sealed with a digest
    of all rows that is the same whoever did them. (A model whose last digits depend on what is embedded together,
    as any transformer's do, gives the same digest for the same `part_rows`.) With `lance` a sealed run also leaves all
    rows as one Lance dataset, `out/rows.lance`.

    Before a run begins the verb may look at the first rows, and refuse what it could only turn into nonsense, unless it
    is to go on `unverified`: see `Stage.verify`.

    Raises BadInput for input without the columns that the verb reads, and for a folder that holds another run;
    FolderInUse; RunStopped where nothing can be done any more, as on a full disk.
    """
    began = time.monotonic()
    stage: type[Stage] = STAGES.load(verb)
    if out.resolve() == source.resolve():
        raise BadInput(f"{out} is the input; choose another folder to write to")
    shards = read_shards(source)
    reads = stage.reads(recipe)
    for shard in shards:
        if not shard.problem:
            for name, kind in reads.items():
                require_column(schema_of(source, shard), name, kind, shard.name)
    rows = part_rows or stage.part_rows
    parts = parts_of(shards, rows)
    begun = (out / MANIFEST).exists()
    if parts and not begun and (first := _first(PartReader(source, shards, list(reads)), parts[0])) is not None:
        stage.verify(recipe, out, device, first, maker_of(source), unverified)
    plan = {"verb": verb, "recipe": recipe, "part_rows": rows, "inputs": [asdict(shard) for shard in shards]}
    with open_folder(out, plan, parts) as folder, progress(verb, sum(part.rows for part in parts), "rows") as advance:
        advance(sum(parts[number].rows for number in folder.done))
        missing = [part for part in parts if part.number not in folder.done]
        failed: list[str] = []
        if missing:
            stage.prepare(recipe, out, device)
            job = Job(
                verb,
                dict(recipe),
                str(source.resolve()),
                str(out.resolve()),
                shards,
                (id_of(recipe), *reads, *stage.carries(recipe)),
                device,
            )
            crew = _crew(job, hands)
            try:
                for outcome in Supervisor(crew, missing, folder.task, folder.admit).outcomes():
                    if isinstance(outcome, Trouble):
                        folder.give_up(outcome)
                        failed.append(f"{parts[outcome.part].file}: {outcome.reason}")
                    else:
                        folder.publish(*outcome)
                        advance(outcome[0].part.rows)
            finally:
                crew.close()
        done = folder.done.values()
        seal = "" if failed else folder.seal()
        dataset = folder.leave_dataset(seal) if lance and seal else None
        return BulkSummary(
            verb=verb,
            out=str(out),
            rows=sum(each.rows for each in done),
            quarantined=sum(each.quarantined for each in done),
            parts=len(parts),
            unreadable=tuple(shard.problem for shard in shards if shard.problem),
            failed=tuple(failed),
            sha256=seal,
            rows_now=sum(part.rows for part in missing if part.number in folder.done),
            seconds=time.monotonic() - began,
            lance=str(dataset or ""),
        )


def _first(reader: PartReader, part: Part) -> pa.Table | None:
    """The rows of the first part; None where they cannot be read, which the run itself will say."""
    try:
        return reader.read(part)
    except (BadInput, OSError):
        return None


def _crew(job: Job, hands: Hands) -> Crew:
    if hands.ray:
        from workbench.jobs.bulk._ray import RayCrew

        return RayCrew(job, hands.ray, hands.workers)
    if hands.workers > 1:
        from workbench.jobs.bulk._processes import Processes

        return Processes(job, hands.workers)
    return Own(job)
