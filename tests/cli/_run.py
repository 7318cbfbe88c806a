"""The command line in a process of its own."""

from __future__ import annotations

import subprocess
import sys


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "workbench", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
        **options,
    )
