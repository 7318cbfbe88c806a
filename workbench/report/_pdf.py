"""A page as PDF, printed by a Chromium that is there; charts are drawn by the page's own script."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from workbench.core.errors import BadInput
from workbench.core.files import atomic_path

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_QUIET = (
    "--headless",
    "--no-sandbox",  # the page is our own, and its policy lets nothing in
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pdf-header-footer",
    "--virtual-time-budget=10000",
    "--window-size=1400,1000",  # charts are drawn for a window, and printed as they were drawn
)
_SECONDS = 120


def print_pdf(page: Path, pdf: Path, private: bool = False) -> Path:
    """Print an HTML file, `private` for its owner alone. Raises BadInput where no browser is or it prints nothing."""
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise BadInput(f"no browser to print {pdf} with; install chromium, or print {page} from any browser")
    with atomic_path(pdf, private) as temporary, tempfile.TemporaryDirectory() as profile:
        command = [
            browser,
            *_QUIET,
            f"--user-data-dir={profile}",
            f"--print-to-pdf={temporary}",
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise BadInput(f"{browser} did not print {page} within {_SECONDS} s") from None
        if not temporary.is_file() or not temporary.read_bytes().startswith(b"%PDF"):
            raise BadInput(f"{browser} did not print {page}: {done.stderr.strip()[-200:]}")
    return pdf
