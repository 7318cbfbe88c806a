"""Options that every verb shares, and how results reach the user."""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from workbench.core.errors import BadInput
from workbench.core.memory import keep_freed_memory
from workbench.core.progress import quiet as quiet_bars

if TYPE_CHECKING:
    from workbench.core.embedding_set import EmbeddingSet
    from workbench.core.result import Result
    from workbench.data.corpora import Corpus

DONE, OVER, INCONCLUSIVE, FAILED = 0, 1, 2, 3
"""Exit codes."""
STOPPED, CUT_OFF = 130, 141
"""Exit codes of Ctrl-C and of output that nothing reads any more, as a shell has them: 128 and the signal's number."""


def finite(value: float) -> float:
    """Refuse what is no number, or infinite, as the value of an option: no comparison would notice it later."""
    if not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number")
    return value


Device = Annotated[str, typer.Option(help="cpu, cuda, mps, or auto: the first accelerator, else the CPU.")]
Seed = Annotated[int, typer.Option(help="Seed of everything that is drawn at random.", min=0, max=2**32 - 1)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars and no summary.")]
Html = Annotated[Path | None, typer.Option(help="Also write a page that needs no network.")]
Json = Annotated[
    str, typer.Option("--json", metavar="PATH", help="Also write the result as JSON; - is standard output.")
]
Embedder = Annotated[
    str,
    typer.Option(
        help="minilm, mpnet, ... (`workbench list`), a folder or hub id, transformers:MODEL?pooling=mean, "
        "llm:MODEL?method=echo, api:MODEL?url=https://HOST/v1; README has all of them."
    ),
]
OnBadRows = Annotated[
    str,
    typer.Option(
        "--on-bad-rows",
        metavar="[fail|skip]",
        help="What happens to rows whose vector is missing, of another length, all zeros or holds NaN, or whose text "
        "is missing or blank: fail (the default), or skip them, with their count and ids. In bulk such rows are set "
        "aside, and with fail the part is not done.",
    ),
]
Column = Annotated[
    str, typer.Option("--column", help="Field or column that holds the text; default: found by its name.")
]
Unverified = Annotated[
    bool,
    typer.Option("--unverified", help="Go on even where the vectors do not look like those of the embedder."),
]
Workers = Annotated[
    int,
    typer.Option(
        help="In bulk: so many processes on this machine; with --ray at most so many there. 1 is this process.", min=0
    ),
]
Ray = Annotated[
    str, typer.Option("--ray", metavar="ADDRESS", help="In bulk, on a Ray cluster: auto, local, or HOST:PORT.")
]
PartRows = Annotated[
    int, typer.Option(help="In bulk: most rows of a part, which is what a stop can lose; 0: as the verb likes.", min=0)
]
Lance = Annotated[
    bool, typer.Option("--lance", help="In bulk: also leave all rows as one Lance dataset, OUT/rows.lance.")
]


@dataclass(frozen=True)
class Bulk:
    """Options that ask for a bulk run; any of them makes the input Parquet or Lance, and --out a folder."""

    workers: int
    ray: str
    part_rows: int
    lance: bool

    def __bool__(self) -> bool:
        return bool(self.workers or self.ray or self.part_rows or self.lance)

    def refuse(self, **given: object) -> None:
        """Raise BadInput for an option that has no meaning in bulk; names are the options' own."""
        if odd := [name for name, value in given.items() if value]:
            raise BadInput(f"--{odd[0].replace('_', '-')} does not go with --workers, --ray, --part-rows and --lance")

    def run(
        self,
        verb: str,
        source: str,
        out: Path | None,
        recipe: Mapping[str, Any],
        device: str,
        json: str,
        quiet: bool,
        on_bad_rows: str = "",
        unverified: bool = False,
    ) -> int:
        """Do it, tell it, and give the exit code: 2 where rows or files were set aside, 3 where parts are missing."""
        from workbench.jobs.bulk import Hands, run_bulk

        if not source or out is None or out.suffix in (".parquet", ".json", ".jsonl", ".lance"):
            raise BadInput("in bulk, give a Parquet file, a folder of them or a .lance folder, and --out FOLDER")
        if policy_of(on_bad_rows) == on_bad_rows == "fail":
            recipe = {**recipe, "on_bad_rows": "fail"}
        hands = Hands(self.workers, self.ray)
        rows, lance = self.part_rows, self.lance
        done = run_bulk(
            verb,
            Path(source),
            out,
            recipe,
            hands=hands,
            part_rows=rows,
            device=device,
            lance=lance,
            unverified=unverified,
        )
        write_json_to(json, done.to_json())
        for line in done.lines():
            say(line, quiet)
        return FAILED if done.failed else INCONCLUSIVE if done.quarantined or done.unreadable else DONE


def require_places(*paths: Path | str | None) -> None:
    """Raise BadInput for an output that could not be written, before anything long; `-` and what is not asked pass."""
    from workbench.core.files import require_place

    for path in paths:
        if path and str(path) != "-":
            require_place(path)


def begin(quiet: bool, device: str = "auto") -> None:
    """Settle what holds for the whole command: bars, memory, and that the device exists."""
    quiet_bars.set(quiet)
    keep_freed_memory()
    if device not in ("auto", "cpu"):
        from workbench.embed._torch import pick_device

        pick_device(device)


def begin_training(quiet: bool, threads: int) -> None:
    """Let the log be seen, and bound torch's threads; 0 leaves their number to torch."""
    if threads:
        import torch

        torch.set_num_threads(threads)
    if not quiet:
        logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
        logging.getLogger("workbench").setLevel(logging.INFO)


def embedder_of(store: EmbeddingSet | None, asked: str) -> str:
    """The embedder that was asked for, else the one that made the vectors of a store, else minilm."""
    said = store.provenance.embedder if store else "unknown"
    return asked or (said if said != "unknown" else "minilm")


def load_vectors(source: Path | str, on_bad_rows: str, quiet: bool = False) -> EmbeddingSet:
    """The vectors of a file, a folder of `datasets`, or a store; says what was skipped."""
    from workbench.data.stores import read_vectors

    found, skipped = read_vectors(str(source), policy_of(on_bad_rows))
    for note in skipped.notes():
        say(f"{source}: {note}", quiet)
    return found


def load_texts(source: str, column: str, on_bad_rows: str, quiet: bool = False, **options: Any) -> Corpus:
    """The texts of a file, folder or hub; says what was found in it and what was skipped."""
    from workbench.data import corpora

    found = corpora.read(source, column, on_bad_rows=policy_of(on_bad_rows), **options)
    for note in filter(None, (found.found, *found.skipped.notes())):
        say(note, quiet)
    return found


def policy_of(on_bad_rows: str) -> Literal["fail", "skip"]:
    """The policy that was asked for, or the default. Raises BadInput for another word."""
    from workbench.core.bad_rows import require_policy

    require_policy(on_bad_rows or "fail")
    return "skip" if on_bad_rows == "skip" else "fail"


def decoded_codes(store: EmbeddingSet, embedder: Any, quiet: bool) -> EmbeddingSet:
    """The vectors of a store in the embedder's space where they are codes of bytes or bits, which is said."""
    from workbench.invert._stored_codes import decoded

    found = decoded(store, embedder)
    for note in found.provenance.notes[len(store.provenance.notes) :]:
        say(f"note: the vectors are {note}", quiet)
    return found


def finish(result: Result, json_path: str, quiet: bool) -> None:
    """Show a result in the terminal and write it as JSON where asked."""
    if json_path:
        write_json_to(json_path, result.to_json())
    if json_path != "-" and not quiet:
        from rich.console import Console

        Console().print(result)


def write_page(path: Path, title: str, result: Result, quiet: bool) -> None:
    """A result as one HTML page that needs no network."""
    from workbench.core.files import write_text
    from workbench.report import Report

    write_text(path, Report(title, (result,)).to_html())
    say(f"page: {path}", quiet)


def write_json_to(path: str, value: Any) -> None:
    """JSON to a file, to standard output for `-`, or nowhere for an empty path."""
    if path == "-":
        sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
    elif path:
        from workbench.core.files import write_json

        write_json(path, value)


def say(line: str, quiet: bool = False) -> None:
    """One line on standard error, for the person who watches."""
    if not quiet:
        sys.stderr.write(line + "\n")
