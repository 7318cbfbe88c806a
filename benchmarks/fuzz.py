"""Hostile files for every reader: how many are accepted, refused by a named error, and how many end in anything else.

    PYTHONPATH=. python benchmarks/fuzz.py --n 100000                    # every reader, by its share
    PYTHONPATH=. python benchmarks/fuzz.py --reader card --n 500         # one of them
    PYTHONPATH=. python benchmarks/fuzz.py --reader card --case 17       # one file again, in this process

Readers, and the valid files that hostile ones are made of, are in `tests/hostile`. A file follows from the seed, the
reader and its number alone. Each reader runs in a process of its own with a bound on memory; a file may take ten
seconds. A named error is a `WorkbenchError`; `quiet` counts caches that made a damaged entry anew. What ends otherwise
(another exception, the end of the process, no end) is a failure, and its file is kept in `--out`. A run that was
stopped goes on where it stood. Prints one JSON row for each reader, and one for all.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.hostile.case import Case
from tests.hostile.readers import READERS
from workbench.core.errors import WorkbenchError

MEMORY = 6 << 30
"""Bytes of address space that may come on top of what the libraries have at the start."""
_SAVE = 200
"""Files between two states that are written down."""


def work(name: str, seed: int, start: int, end: int, out: Path) -> None:
    """The process of one reader: files `start` to `end`, a line on standard output for each that is judged."""
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", OMP_NUM_THREADS="1")
    logging.disable(logging.CRITICAL)
    said = os.fdopen(os.dup(1), "w")
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    room = out / f".{name}"
    shutil.rmtree(room, ignore_errors=True)
    case = Case(name, seed, room)
    with contextlib.suppress(WorkbenchError):  # libraries are loaded before memory is bounded
        case.reader.read(case.folder)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    case.renew()
    for number in range(start, end):
        path = case.place(number)
        kind, what = case.judge()
        if kind == "failed":
            keep(path, out, name, number)
        said.write(json.dumps([number, kind, what]) + "\n")
        said.flush()
        case.mend(path)


def keep(path: Path, out: Path, name: str, number: int) -> None:
    """A copy of a file that made a reader fail."""
    kept = out / "failures" / name
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, kept / f"{number}-{path.name}")


def run(name: str, n: int, seed: int, out: Path) -> dict[str, Any]:
    """Judge files 0 to n of a reader; goes on where an earlier run stood."""
    state = out / f"{name}.json"
    held = json.loads(state.read_text()) if state.is_file() else {}
    if held.get("seed") != seed or held.get("done", 0) > n:
        held = {"reader": name, "seed": seed, "done": 0, "accepted": 0, "quiet": 0, "named": 0, "failed": 0, "why": {}}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    while held["done"] < n:
        command = [sys.executable, __file__, "--worker", name, str(seed), str(held["done"]), str(n), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                number, kind, what = json.loads(line)
                held["done"] = number + 1
                held[kind] += 1
                if kind == "failed":
                    held["why"][str(number)] = what
                if number % _SAVE == 0:
                    state.write_text(json.dumps(held))
        if held["done"] < n:  # the process has ended: the file that it was at has done it
            number, hit = held["done"], out / f".{name}" / "hit"
            if not hit.is_file() or process.returncode > 0:
                raise SystemExit(f"{name} cannot begin: its process ended with {process.returncode}")
            held["done"], held["failed"] = number + 1, held["failed"] + 1
            held["why"][str(number)] = f"the process ended with {process.returncode}"
            for folder in hit.parent.glob("damaged-*"):
                keep(folder / hit.read_text(), out, name, number)
        state.write_text(json.dumps(held))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    held["cpu_seconds"] = round(held.get("cpu_seconds", 0) + spent, 1)
    state.write_text(json.dumps(held))
    shutil.rmtree(out / f".{name}", ignore_errors=True)
    return held


def main() -> None:
    """Run readers and print their counts."""
    if sys.argv[1:2] == ["--worker"]:
        name, seed, start, end, out = sys.argv[2:]
        return work(name, int(seed), int(start), int(end), Path(out))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reader", nargs="*", choices=READERS, default=list(READERS))
    parser.add_argument("--n", type=int, default=10_000, help="hostile files in all, shared among the readers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"))
    parser.add_argument("--case", type=int, help="read one file in this process and show what happens")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.case is not None:
        with tempfile.TemporaryDirectory() as room:
            case = Case(options.reader[0], options.seed, Path(room) / "room")
            path = case.place(options.case)
            print(f"{path.name}: {path.read_bytes()[:2000]!r}")
            print(case.reader.read(case.folder))
        return None
    total = sum(READERS[name].share for name in options.reader)
    counts: Counter[str] = Counter()
    for name in options.reader:
        row = run(name, -(-options.n * READERS[name].share // total), options.seed, options.out)
        counts.update({key: row[key] for key in ("done", "accepted", "quiet", "named", "failed", "cpu_seconds")})
        print(json.dumps({**row, "why": dict(list(row["why"].items())[:5])}), flush=True)
    print(json.dumps({"reader": "all", "seed": options.seed, **counts}))
    return None


if __name__ == "__main__":
    main()
