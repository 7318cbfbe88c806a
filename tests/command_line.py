"""The command line in a process of its own, forked from one that has imported the heavy libraries.

Importing torch and what builds on it takes most of the time of a short command, and tests run a hundred of them. A
forked process has its own memory, exit code, working folder and streams, as the command has for a user.
"""

from __future__ import annotations

import contextlib
import functools
import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

from workbench import cli

_HEAVY = ["torch", "sklearn.linear_model", "sentence_transformers", "transformers", "pyarrow.parquet", "sacrebleu"]


def run(*arguments, cwd=None, timeout=900):
    """`workbench ARGUMENTS`: exit code and output."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        words = [str(each) for each in arguments]
        process = _forking().Process(target=_main, args=(words, str(cwd or Path.cwd()), dict(os.environ), out, err))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise subprocess.TimeoutExpired(words, timeout, out.read_text(), err.read_text())
        return subprocess.CompletedProcess(words, process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def run_new(*arguments, cwd=None, timeout=900):
    """The same by a new interpreter, for what depends on how the interpreter starts."""
    return subprocess.run(
        [sys.executable, "-m", "workbench", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=cwd,
    )


def run_here(*arguments, cwd):
    """The same in this process, where no more than an error is looked at."""
    out, err, before = io.StringIO(), io.StringIO(), Path.cwd()
    os.chdir(cwd)
    try:
        with (
            mock.patch.object(sys, "argv", ["workbench", *map(str, arguments)]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                cli.main()
                code = 0
            except SystemExit as done:
                code = done.code or 0
    finally:
        os.chdir(before)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@functools.cache
def _forking():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_HEAVY)
    return context


def _main(words, folder, environment, out, err):
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    streams = {0: (os.devnull, os.O_RDONLY), 1: (out, os.O_WRONLY | os.O_CREAT), 2: (err, os.O_WRONLY | os.O_CREAT)}
    for number, (path, how) in streams.items():
        os.dup2(os.open(path, how), number)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in enumerate("rww"))
    sys.argv = ["workbench", *words]
    cli.main()
