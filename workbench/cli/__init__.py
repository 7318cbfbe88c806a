"""The command line: one file a verb, each reads, makes one library call, saves and prints."""

from __future__ import annotations

import os
import sys

import typer

from workbench.cli import (
    attribute,
    audit,
    augment,
    defend,
    embed,
    explain,
    fetch,
    fingerprint,
    infer,
    invert,
    lab,
    list_,
    membership,
    payload,
    probe,
    pull,
    report,
    train,
)
from workbench.cli._options import DONE, FAILED
from workbench.core.errors import WorkbenchError
from workbench.core.notices import collected

app = typer.Typer(
    help="Give it vectors, and it shows what they give away. "
    "Exit codes: 0 done, 1 over a limit, 2 inconclusive, 3 error.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("embed")(embed.embed)
app.command("invert")(invert.invert)
app.command("explain")(explain.explain)
app.command("attribute")(attribute.attribute)
app.command("augment")(augment.augment)
app.command("audit")(audit.audit)
app.command("defend")(defend.defend)
app.command("fingerprint")(fingerprint.fingerprint)
app.command("infer")(infer.infer)
app.command("membership")(membership.membership)
app.command("payload")(payload.payload)
app.command("probe")(probe.probe)
app.command("pull")(pull.pull)
app.add_typer(train.app, name="train")
app.command("fetch")(fetch.fetch)
app.command("list")(list_.list_all)
app.command("lab")(lab.lab)
app.add_typer(report.app, name="report")


def main() -> None:
    """Run the command line; every error a user can cause is one line on standard error and exit code 3."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if embedding := sys.modules.get("workbench.embed._reading"):  # where several commands run in one process
        embedding.forget_tallies()
    with collected() as notices:
        code = _run()
    for line in notices.values():
        sys.stderr.write(f"note: {line}\n")
    sys.exit(code if isinstance(code, int) else DONE)


def _run() -> object:
    """What the command returns, or the exit code of its error."""
    try:
        return app(standalone_mode=False)
    except WorkbenchError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("stopped; run the same command again to go on", 130)
    except (OSError, MemoryError) as error:
        return _fail(f"{type(error).__name__}: {error}")
    except Exception as error:
        if not hasattr(error, "format_message"):  # an error of ours: let the traceback tell
            raise
        return _fail(f"{error.format_message()} See: workbench --help")  # type: ignore[attr-defined]


def _fail(message: str, code: int = FAILED) -> int:
    sys.stderr.write(f"workbench: {' '.join(message.split())}\n")
    return code
