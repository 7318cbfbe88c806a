"""The command line: one file a verb, each reads, makes one library call, saves and prints."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback

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
from workbench.cli._options import CUT_OFF, DONE, FAILED, OVER, STOPPED
from workbench.core.errors import WorkbenchError
from workbench.core.notices import collected

app = typer.Typer(
    help="Give it vectors, and it shows what they give away. "
    "Exit codes: 0 done, 1 over a limit, 2 inconclusive, 3 error, 130 stopped.",
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
    """Run the command line; every error is one line on standard error and exit code 3, never 1, which is the gate's.

    An error that is a fault of the workbench itself is one line too; WORKBENCH_TRACEBACK=1 shows where it comes from.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    _open_streams()
    if embedding := sys.modules.get("workbench.embed._reading"):  # where several commands run in one process
        embedding.forget_tallies()
    with collected() as notices:
        code = _run()
    for line in notices.values():
        with contextlib.suppress(OSError):
            sys.stderr.write(f"note: {line}\n")
    _let_go_of_output()
    sys.exit(code if isinstance(code, int) else DONE)


def _run() -> object:
    """What the command returns, or the exit code of its error."""
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
        return code
    except WorkbenchError as error:
        return _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        return _fail("stopped; run the same command again to go on", STOPPED)
    except BrokenPipeError:
        return CUT_OFF
    except SystemExit as done:  # typer's own answer to a pipe that was closed is 1, which is the gate's
        return CUT_OFF if done.code == OVER else done.code
    except (OSError, MemoryError) as error:
        return _fail(f"{type(error).__name__}: {error}")
    except Exception as error:
        if usage := getattr(error, "format_message", None):  # an option or argument that is not one
            return _fail(f"{usage()} See: workbench --help")
        if os.environ.get("WORKBENCH_TRACEBACK"):
            traceback.print_exc()
        return _fail(f"a fault of the workbench, please report it: {type(error).__name__}: {error}")


def _fail(message: str, code: int = FAILED) -> int:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"workbench: {' '.join(message.split())}\n")
        sys.stderr.flush()
    return code


def _open_streams() -> None:
    """Give standard output and error a place where the caller closed them, and let no character be unprintable."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # open until the process ends
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _let_go_of_output() -> None:
    """Drop what cannot be written any more, as into a closed pipe: Python would exit with a code of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
