"""workbench audit: what would a leaked store of these vectors give away?"""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli._options import INCONCLUSIVE, Device, Json, Quiet, begin, finish, say


def audit(
    plan: Annotated[Path | None, typer.Argument(help="TOML plan; default: the default plan.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for report.html, report.md and report.json.")] = Path("out/audit"),
    embedder: Annotated[str | None, typer.Option(help="Overrides the plan's.")] = None,
    sentences: Annotated[int | None, typer.Option(help="Held-out sentences; overrides the plan's.")] = None,
    records: Annotated[
        int | None, typer.Option(help="Records with planted personal data; overrides the plan's.")
    ] = None,
    print_plan: Annotated[bool, typer.Option("--print-plan", help="Print the whole plan as JSON and stop.")] = False,
    json: Json = "",
    seed: Annotated[int | None, typer.Option(help="Overrides the plan's.")] = None,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Audit an embedder: controls, floors, inversion, recovery of planted personal data, and a report.

    Exit code 2 means inconclusive: a control of the audit itself failed, so its numbers say nothing.

    Example: workbench audit --out out/audit
    """
    begin(quiet, device)
    from workbench.audit.plan import AuditPlan

    given: dict[str, Any] = {"embedder": embedder, "sentences": sentences, "records": records, "seed": seed}
    overrides = {key: value for key, value in given.items() if value is not None}
    whole = AuditPlan.read(plan, **overrides) if plan else AuditPlan.of(overrides)
    if print_plan:
        typer.echo(whole.model_dump_json(indent=1))
        return
    from workbench.audit.run import run_audit
    from workbench.report import Report

    result = run_audit(whole, device)
    made = f"Made {time.strftime('%Y-%m-%d %H:%M')} by embedding-workbench {version('embedding-workbench')}"
    paths = Report(whole.title, (result,), made).save(out)
    finish(result, json, quiet)
    say(f"report: {paths[0]} ({result.seconds:.0f} s)", quiet)
    if result.verdict == "inconclusive":
        raise typer.Exit(INCONCLUSIVE)
