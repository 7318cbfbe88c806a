"""One part of a bulk run, in whichever process: read, set poison aside, run the stage, write beside the output."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.core.bad_rows import FIX
from workbench.core.errors import BadInput, CannotWrite, first_line
from workbench.core.files import sha256_of
from workbench.core.ids import id_text
from workbench.core.progress import quiet
from workbench.jobs.bulk import STAGES
from workbench.jobs.bulk._digest import MODULUS, quarantine_digest, rows_digest
from workbench.jobs.bulk._plan import Part, Shard, schema_of
from workbench.jobs.bulk._reader import PartReader, Unreadable
from workbench.jobs.bulk._stage import Stage, id_of

_FEW = 16
"""Rows of which all may be poison; where more are tried and all fail, it is not the rows."""
QUARANTINE = pa.schema({"row": pa.int64(), "id": pa.string(), "reason": pa.string()})


@dataclass(frozen=True)
class Job:
    """All that a worker needs to know, wherever it is."""

    verb: str
    recipe: Mapping[str, Any]
    source: str
    out: str
    shards: tuple[Shard, ...]
    columns: tuple[str, ...]
    device: str = "auto"


@dataclass(frozen=True)
class Task:
    """A part to do, and the beginning of the names of the files to write: no two attempts share it."""

    part: Part
    beside: str


@dataclass(frozen=True)
class Record:
    """A part that was done: rows written and set aside, digests of both files, and the rows' digest as hex digits."""

    part: int
    rows: int
    quarantined: int
    sha256: str
    quarantine_sha256: str
    content: str


@dataclass(frozen=True)
class Trouble:
    """A part that was not done. With `ends_all`, no other part could be done either (a full disk)."""

    part: int
    reason: str
    ends_all: bool = False


class PartWorker:
    """A stage with its model, and the reading of its input. Raises what opening the model raises."""

    def __init__(self, job: Job) -> None:
        self.stage: Stage = STAGES.load(job.verb)(job.recipe, Path(job.out), job.device)
        first = next(shard for shard in job.shards if not shard.problem)
        self.stage.require(schema_of(Path(job.source), first), first.name)
        self._recipe = job.recipe
        self._reader = PartReader(Path(job.source), job.shards, job.columns)
        columns = [f"{field.name}: {field.type}" for field in self._empty().schema]
        self.facts = {**self.stage.facts, "columns": columns}
        """What must be alike in all workers of a run."""

    def attempt(self, task: Task) -> Record | Trouble:
        """Do a part; every failure but the end of the process is told, not raised."""
        hushed = quiet.set(True)  # the run has one bar
        try:
            return self._do(task)
        except CannotWrite as error:
            return Trouble(task.part.number, str(error), ends_all=True)
        except Exception as error:
            return Trouble(task.part.number, _told(error))
        finally:
            quiet.reset(hushed)

    def _do(self, task: Task) -> Record:
        part, stage = task.part, self.stage
        stage.begin_part()
        numbers = list(range(part.first, part.first + part.rows))
        try:
            table = self._reader.read(part)
        except Unreadable as error:
            return _write(task, self._empty(), [], [(number, None, str(error)) for number in numbers])
        ids = _ids(table, id_of(self._recipe), numbers)
        reasons = ["no id" if id is None else "" for id in ids]
        reasons = ["; ".join(filter(None, pair)) for pair in zip(reasons, stage.poison(table), strict=True)]
        if self._recipe.get("on_bad_rows") == "fail" and any(reasons):
            row = next(row for row, reason in enumerate(reasons) if reason)
            count = sum(map(bool, reasons))
            raise BadInput(
                f"row {numbers[row]:,} (id {ids[row]!r}): {reasons[row]}; {count} such rows in this part; {FIX}"
            )
        good = [row for row, reason in enumerate(reasons) if not reason]
        found: list[pa.Table] = []
        for start in range(0, len(good), stage.batch_rows):
            rows = good[start : start + stage.batch_rows]
            found += self._run(table, rows, reasons)
        failed = [row for row in good if reasons[row]]
        if len(failed) == len(good) > _FEW:
            raise BadInput(f"all {len(good)} rows fail, the first with: {reasons[good[0]]}")
        kept = [row for row in good if not reasons[row]]
        whole = pa.concat_tables([self._empty().drop_columns("id"), *found])
        whole = stage.described(whole.add_column(0, "id", pa.array([ids[row] for row in kept], pa.string())))
        aside = [(numbers[row], ids[row], reason) for row, reason in enumerate(reasons) if reason]
        return _write(task, whole, [numbers[row] for row in kept], aside)

    def _run(self, table: pa.Table, rows: Sequence[int], reasons: list[str]) -> list[pa.Table]:
        """The stage on some rows; where it raises, on each half, down to the rows that make it raise."""
        try:
            found = self.stage.run(table.take(pa.array(rows)))
            if len(found) != len(rows):
                raise BadInput(f"{len(rows)} rows became {len(found)}")
        except (OSError, ImportError):  # an endpoint, a disk, an installation: no row's fault
            raise
        except Exception as error:
            if len(rows) == 1:
                reasons[rows[0]] = _told(error)
                return []
            middle = len(rows) // 2
            return [*self._run(table, rows[:middle], reasons), *self._run(table, rows[middle:], reasons)]
        return [found]

    def _empty(self) -> pa.Table:
        schema = self.stage.schema
        return pa.schema([pa.field("id", pa.string()), *schema], schema.metadata).empty_table()


def _write(task: Task, table: pa.Table, numbers: list[int], aside: list[tuple[int, str | None, str]]) -> Record:
    rows, ids, reasons = (list(column) for column in zip(*aside, strict=True)) if aside else ([], [], [])
    total = (rows_digest(table, numbers) + quarantine_digest(rows, ids)) % MODULUS
    poison = pa.table([pa.array(c, f.type) for c, f in zip((rows, ids, reasons), QUARANTINE, strict=True)], QUARANTINE)
    return Record(
        part=task.part.number,
        rows=len(table),
        quarantined=len(aside),
        sha256=_put(table.combine_chunks(), Path(f"{task.beside}.parquet")),
        quarantine_sha256=_put(poison, Path(f"{task.beside}.quarantine.parquet")) if aside else "",
        content=f"{total:064x}",
    )


def _put(table: pa.Table, path: Path) -> str:
    """Write a file that stays after a power cut; its digest."""
    try:
        with open(path, "xb") as file:
            # a dictionary of numbers that are all unlike takes five times as long and a quarter more room
            pq.write_table(table, file, compression="zstd", use_dictionary=False, write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())
        return sha256_of(path)
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {first_line(error)}") from error


def _ids(table: pa.Table, name: str, numbers: list[int]) -> list[str | None]:
    if name not in table.column_names:
        return [str(number) for number in numbers]
    return [_id(value) for value in table[name]]


def _id(value: pa.Scalar) -> str | None:
    try:
        return id_text(value.as_py())
    except (UnicodeDecodeError, BadInput):
        return None


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error) or 'no message'}"
