"""The output folder of a bulk run: one run at a time, a manifest, a ledger, and parts that are whole or absent.

    manifest.json   inputs with their digests, recipe, parts; at the end `sealed`, with one digest of all rows
    ledger.jsonl    a line for each part that is done, or was given up
    part-*.parquet, quarantine/part-*.parquet
    rows.lance      if asked for, all rows of a sealed run once more, as one dataset

Workers write aside; the driver alone moves a part to its place and then enters it in the ledger. A part counts as done
only if its entry and its files agree, so a kill between any two steps leaves work that is done again, and a worker
that was thought dead cannot touch what stands there.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from workbench.core import codec
from workbench.core.errors import BadInput, CannotWrite
from workbench.core.files import parse_json, read_json, sha256_of, write_json, write_text
from workbench.jobs.bulk._digest import MODULUS, seal
from workbench.jobs.bulk._lance import ROWS, digest_of, write_dataset
from workbench.jobs.bulk._part import Record, Task, Trouble
from workbench.jobs.bulk._plan import MANIFEST, Part

_LEDGER, _QUARANTINE, _LOCK, _ASIDE = "ledger.jsonl", "quarantine", ".lock", ".aside-"


class FolderInUse(BadInput):
    """Another run works in the folder."""


class OutFolder:
    """The folder of one run, opened by `open_folder`."""

    def __init__(self, path: Path, manifest: dict[str, Any], parts: Sequence[Part]) -> None:
        self.path, self._manifest, self._parts = path, manifest, parts
        self._aside = path / f"{_ASIDE}{uuid.uuid4().hex[:12]}"
        self._attempts = 0
        self.done = self._verified()

    def task(self, part: Part) -> Task:
        """A new attempt at a part, which writes where no other does."""
        self._attempts += 1
        return Task(part, str(self._aside / f"{part.number}-{self._attempts}"))

    def publish(self, task: Task, record: Record) -> None:
        """Put what a worker wrote in its place, then say so in the ledger."""
        if record.quarantine_sha256:
            os.replace(f"{task.beside}.quarantine.parquet", self._quarantine(record.part))
        os.replace(f"{task.beside}.parquet", self._file(record.part))
        self._enter(asdict(record))
        self.done[record.part] = record

    def give_up(self, trouble: Trouble) -> None:
        """Enter a part that could not be done; the next run tries it again."""
        self._enter({"part": trouble.part, "failed": trouble.reason})

    def admit(self, facts: Mapping[str, Any]) -> None:
        """Take the facts of the first worker as those of the run. Raises BadInput for a worker that has others."""
        known = self._manifest["facts"]
        if known is None:
            self._manifest["facts"] = dict(facts)
            self._save()
        elif changed := [key for key in facts if known.get(key) != facts[key]]:
            key = changed[0]
            raise BadInput(f"{self.path} is made with {key} {known.get(key)!r}, but here it is {facts[key]!r}")

    def seal(self) -> str:
        """The digest of all rows; with it in the manifest the run is finished."""
        records = self.done.values()
        rows, aside = sum(each.rows for each in records), sum(each.quarantined for each in records)
        columns = (self._manifest["facts"] or {}).get("columns", [])
        digest = seal(columns, rows, aside, sum(int(each.content, 16) for each in records) % MODULUS)
        self._manifest["sealed"] = {"rows": rows, "quarantined": aside, "sha256": digest}
        self._save()
        return digest

    def leave_dataset(self, seal: str) -> Path | None:
        """All rows as one Lance dataset, which is made anew unless it is that of this seal; None where there are no
        parts."""
        place, known = self.path / ROWS, self._manifest.get("lance")
        if not self.done or (place.is_dir() and known == {"sealed": seal, "sha256": digest_of(place)}):
            return place if self.done else None
        write_dataset(place, [self._file(number) for number in sorted(self.done)], self._aside)
        self._manifest["lance"] = {"sealed": seal, "sha256": digest_of(place)}
        self._save()
        return place

    def _begin(self) -> None:
        """Tidy: what was not published, entries of what is no longer there, and a seal that no longer holds."""
        for old in self.path.glob(f"{_ASIDE}*"):
            shutil.rmtree(old, ignore_errors=True)
        for old in self.path.rglob(".*.tmp"):
            old.unlink()
        if len(self.done) < len(self._parts):
            self._manifest["sealed"] = None
        self._save()  # first: files without a manifest are a stranger's
        lines = [json.dumps(asdict(record)) + "\n" for record in self.done.values()]
        write_text(self.path / _LEDGER, "".join(lines))
        self._aside.mkdir()
        (self.path / _QUARANTINE).mkdir(exist_ok=True)

    def _end(self) -> None:
        shutil.rmtree(self._aside, ignore_errors=True)

    def _verified(self) -> dict[int, Record]:
        """Entries whose files are there and have their digests."""
        path = self.path / _LEDGER
        found: dict[int, Record] = {}
        for line in path.read_bytes().splitlines() if path.is_file() else []:
            record = _record(line)
            if record is not None and 0 <= record.part < len(self._parts) and self._agrees(record):
                found[record.part] = record
        return dict(sorted(found.items()))

    def _agrees(self, record: Record) -> bool:
        part, aside = self._file(record.part), self._quarantine(record.part)
        if record.rows + record.quarantined != self._parts[record.part].rows:
            return False
        if not part.is_file() or sha256_of(part) != record.sha256:
            return False
        return not record.quarantine_sha256 or (aside.is_file() and sha256_of(aside) == record.quarantine_sha256)

    def _file(self, part: int) -> Path:
        return self.path / self._parts[part].file

    def _quarantine(self, part: int) -> Path:
        return self.path / _QUARANTINE / self._parts[part].file

    def _enter(self, entry: Mapping[str, Any]) -> None:
        place = self.path / _LEDGER
        try:
            with open(place, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CannotWrite(f"cannot write {place}: {error.strerror}; the same command goes on from here") from error

    def _save(self) -> None:
        write_json(self.path / MANIFEST, self._manifest)


@contextmanager
def open_folder(path: Path, plan: Mapping[str, Any], parts: Sequence[Part]) -> Iterator[OutFolder]:
    """The folder for a plan (JSON), new or with what a former run of the same plan has done.

    Raises FolderInUse where another run has it open, BadInput where it holds a run of another plan, or other files.
    """
    if path.is_file():
        raise BadInput(f"{path} is a file; expected a folder, new or of the same run")
    path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise FolderInUse(f"another run works in {path}; wait until it ends, or choose another folder") from None
    try:
        folder = OutFolder(path, _manifest(path, plan, parts), parts)
        folder._begin()
        try:
            yield folder
        finally:
            folder._end()
    finally:
        lock.release()


def _manifest(path: Path, plan: Mapping[str, Any], parts: Sequence[Part]) -> dict[str, Any]:
    place, plan = path / MANIFEST, json.loads(json.dumps(plan))  # as a manifest that is read back has it
    if not place.is_file():
        others = [each.name for each in path.iterdir() if not each.name.startswith(".")]
        if others:
            raise BadInput(f"{path} holds {others[0]} and no bulk run; choose a new folder")
        cut = [[part.shard, part.start, part.stop] for part in parts]
        return {"format": 1, **plan, "parts": cut, "facts": None, "sealed": None}
    former = read_json(place)
    facts = former.get("facts", "") if isinstance(former, dict) else ""
    if not (facts is None or isinstance(facts, dict)) or former.get("format") != 1:
        raise BadInput(f"{place} is not the manifest of a bulk run")
    for key, value in plan.items():
        if former.get(key) != value:
            raise BadInput(f"{path} holds a run of {_difference(key, former.get(key), value)}; choose another folder")
    return former


def _difference(key: str, former: Any, now: Any) -> str:
    """What is not the same, in words."""
    if isinstance(former, dict) and isinstance(now, dict):
        return "; ".join(f"another {k} ({former.get(k)!r}, now {now[k]!r})" for k in now if former.get(k) != now[k])
    if key == "inputs":
        return "other inputs: a file was added, taken away or changed"
    return f"another {key} ({former!r}, now {now!r})"


def _record(line: bytes) -> Record | None:
    """A line of the ledger; None for one that was cut short, and for a part that was given up."""
    try:
        found = codec.decode(Record, parse_json(line.decode("utf-8", "replace"), "ledger"), "ledger")
        int(found.content, 16)
    except ValueError:  # BadInput is one
        return None
    return found
