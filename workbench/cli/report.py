"""workbench report: a page out of saved results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import Device, Json, Quiet, Seed, begin, say, write_json_to


def report(
    sources: Annotated[list[Path], typer.Argument(help="report.json files, or results that --json has written.")],
    out: Annotated[Path, typer.Option(help="Folder for report.html, report.md and report.json.")] = Path("out/report"),
    title: Annotated[str, typer.Option(help="Title of the page; default: that of the first source.")] = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Make one self-contained page out of one or more saved results.

    Example: workbench report out/audit/report.json --out out/again
    """
    begin(quiet)
    import workbench.results  # noqa: F401  # so that every result type can be loaded
    from workbench.report import Report

    parts = [Report.load(path) for path in sources]
    results = tuple(result for part in parts for result in part.results)
    whole = Report(title or parts[0].title, results, parts[0].made)
    paths = whole.save(out)
    say(f"report: {paths[0]}", quiet)
    write_json_to(json, whole.to_json())
