"""workbench audit: what would a leaked store of these vectors give away?"""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from typing import Annotated, Any

import typer

from workbench.cli._options import (
    INCONCLUSIVE,
    OVER,
    Device,
    Json,
    OnBadRows,
    Quiet,
    Unverified,
    begin,
    finish,
    policy_of,
    say,
)


def audit(
    plan: Annotated[Path | None, typer.Argument(help="TOML plan; default: the default plan.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for report.html, report.md and report.json.")] = Path("out/audit"),
    embedder: Annotated[str | None, typer.Option(help="Overrides the plan's.")] = None,
    sentences: Annotated[int | None, typer.Option(help="Held-out sentences; overrides the plan's.")] = None,
    records: Annotated[
        int | None, typer.Option(help="Records with planted personal data; overrides the plan's.")
    ] = None,
    store: Annotated[
        str, typer.Option(help="A store with texts, as `workbench pull` takes it; overrides the plan's.")
    ] = "",
    main_only: Annotated[
        bool, typer.Option("--main-only", help="Only the main attack: none of the plan's `also`.")
    ] = False,
    gate: Annotated[
        Path | None, typer.Option(help="TOML of limits; exit code 1 and the broken lines where one does not hold.")
    ] = None,
    include_plaintext: Annotated[
        bool,
        typer.Option(
            "--include-plaintext",
            help="Show planted data, and texts of a store, as they are; else examples are masked. Only you may read "
            "the files either way.",
        ),
    ] = False,
    unverified: Unverified = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print it as PDF too, by a Chromium that is installed.")] = False,
    print_plan: Annotated[bool, typer.Option("--print-plan", help="Print the whole plan as JSON and stop.")] = False,
    on_bad_rows: OnBadRows = "",
    json: Json = "",
    seed: Annotated[int | None, typer.Option(help="Overrides the plan's.", min=0, max=2**32 - 1)] = None,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Audit an embedder: controls, floors, inversion, recovery of planted personal data, and a report.

    A killed audit goes on where it stood when it is called again. Exit code 2 means inconclusive: a control of the
    audit itself failed, so its numbers say nothing. Exit code 1 means that a limit of --gate does not hold:

    [[limit]]
    threat = "known-encoder"
    measure = "personal data"
    most = 0.2

    Examples: workbench audit --out out/audit
              workbench audit plan.toml --gate limits.toml
              workbench audit --store "chroma:FOLDER?collection=docs" --out out/audit
    """
    begin(quiet, device)
    from workbench.audit.plan import AuditPlan

    given: dict[str, Any] = {"embedder": embedder, "sentences": sentences, "records": records, "seed": seed}
    given |= {"store": store or None, "also": {} if main_only else None}
    given |= {
        "include_plaintext": include_plaintext or None,
        "on_bad_rows": policy_of(on_bad_rows) if on_bad_rows else None,
        "unverified": unverified or None,
    }
    overrides = {key: value for key, value in given.items() if value is not None}
    whole = AuditPlan.read(plan, **overrides) if plan else AuditPlan.of(overrides)
    if print_plan:
        typer.echo(whole.model_dump_json(indent=1))
        return
    from workbench.audit.gate import Gate
    from workbench.audit.run import run_audit
    from workbench.report import Report

    limits = Gate.read(gate or whole.gate) if gate or whole.gate else None
    parts = out / ".parts"
    audited = run_audit(whole, device, parts, lambda line: say(line, quiet))
    result = audited.result
    made = f"Made {time.strftime('%Y-%m-%d %H:%M')} by embedding-workbench {version('embedding-workbench')}"
    report = Report(whole.title, (result, *audited.details), made)
    paths = report.save(out, private=True)
    if pdf:
        report.print_pdf(out, private=True)
    rmtree(parts, ignore_errors=True)
    finish(result, json, quiet)
    say(f"report: {paths[0]} ({result.seconds:.0f} s)", quiet)
    if result.verdict == "inconclusive":
        raise typer.Exit(INCONCLUSIVE)
    if broken := limits.broken(result.findings) if limits else []:
        for line in broken:
            say(f"over the limit: {line}")
        raise typer.Exit(OVER)
