"""workbench report: a page out of saved results, what changed between two audits, and the form of their JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from workbench.cli._options import Device, Html, Json, Quiet, Seed, begin, finish, say, write_json_to, write_page

_PAGE = "page"


class _PageByDefault(TyperGroup):
    """`workbench report FILE` is `workbench report page FILE`."""

    def parse_args(self, ctx, args):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [_PAGE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_PageByDefault,
    no_args_is_help=True,
    help="Pages out of saved results: `workbench report FILE ...` makes one, `diff` compares two audits, "
    "`interpret` looks into an embedder, `schema` states the form of report.json.",
)


@app.command(_PAGE)
def page(
    sources: Annotated[list[Path], typer.Argument(help="report.json files, or results that --json has written.")],
    out: Annotated[Path, typer.Option(help="Folder for report.html, report.md and report.json.")] = Path("out/report"),
    title: Annotated[str, typer.Option(help="Title of the page; default: that of the first source.")] = "",
    pdf: Annotated[bool, typer.Option("--pdf", help="Print it as PDF too, by a Chromium that is installed.")] = False,
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
    if pdf:
        say(f"PDF: {whole.print_pdf(out)}", quiet)
    write_json_to(json, whole.to_json())


@app.command("interpret")
def interpret(
    embedder: Annotated[str, typer.Argument(help="minilm, ... (`workbench list`), or what `load_embedder` reads.")],
    out: Annotated[Path, typer.Option(help="Folder for report.html, report.md and report.json.")] = Path(
        "out/interpretation"
    ),
    texts: Annotated[int, typer.Option(help="Texts for geometry and clusters.", min=100, max=20_000)] = 3000,
    corpus: Annotated[
        str, typer.Option(help="A corpus of `workbench list corpora`, or a file of texts of your own.")
    ] = "conservative",
    task: Annotated[
        list[str] | None,
        typer.Option("--task", "--tasks", help="A probing task; once for each. Default: six that are cheap."),
    ] = None,
    rows: Annotated[int, typer.Option(help="Most training items a probing task; 0: all.", min=0)] = 400,
    clusters: Annotated[int, typer.Option(help="Clusters to cut the texts into.", min=2)] = 20,
    random_pairs: Annotated[int, typer.Option(help="Paraphrases to explain beside median and best.", min=0)] = 2,
    among: Annotated[
        list[str] | None, typer.Option(help="Also tell the vectors from those of this embedder; once for each.")
    ] = None,
    explainer: Annotated[
        str, typer.Option(help="Checkpoint that names the clusters, or none. Default: the shipped one, if any.")
    ] = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Make the interpretation report of an embedder: what its vectors look like, and what is in them.

    Geometry beside Gaussian vectors, linear probes, which words cosines come from, and explained clusters.

    Examples: workbench report interpret minilm --out out/minilm
              workbench report interpret potion --corpus lines.txt --texts 1000 --among potion --among minilm
    """
    begin(quiet, device)
    from workbench.jobs.interpret_embedder import TASKS, InterpretOptions, interpret_embedder
    from workbench.report import Report

    options = InterpretOptions(
        texts, corpus, tuple(task or TASKS), rows, clusters, random_pairs, tuple(among or ()), explainer, seed
    )
    result = interpret_embedder(embedder, options, device)
    paths = Report(result.title, (result,), result.made).save(out)
    finish(result, json, quiet)
    say(f"report: {paths[0]} ({result.seconds:.0f} s)", quiet)


@app.command("diff")
def diff(
    before: Annotated[Path, typer.Argument(help="report.json of the earlier audit.")],
    after: Annotated[Path, typer.Argument(help="report.json of the later one.")],
    html: Html = None,
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Show what changed between two audits, and which changes exceed noise.

    Example: workbench report diff before/report.json after/report.json --html diff.html
    """
    begin(quiet)
    from workbench.core.errors import BadInput
    from workbench.report import Report
    from workbench.results import AuditDiff, AuditResult

    audits = []
    for path in (before, after):
        found = [result for result in Report.load(path).results if isinstance(result, AuditResult)]
        if not found:
            raise BadInput(f"{path} holds no audit; expected the report.json of `workbench audit`")
        audits.append(found[0])
    result = AuditDiff.of(*audits)
    if html:
        write_page(html, "What changed", result, quiet)
    finish(result, json, quiet)


@app.command("schema")
def schema(
    out: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Print the JSON Schema (draft 2020-12) of report.json, for programs that read it.

    Example: workbench report schema --out report.schema.json
    """
    begin(quiet)
    from workbench.report import Report

    write_json_to(json or (str(out) if out else "-"), Report.schema())
