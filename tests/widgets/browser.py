"""A real chromium and a real Jupyter, or a skip that says what is missing; and what no page may do."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "out" / "screenshots"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_chromium() -> str:
    """`WORKBENCH_CHROMIUM`, or a chromium or chrome on the path; skips where there is none."""
    pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing: pip install 'embedding-workbench[browser]'"
    )
    found = os.environ.get("WORKBENCH_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        pytest.skip("no chromium was found; install one (apt-get install chromium) or set WORKBENCH_CHROMIUM")
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a screen."""
    path = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page, what it asked the network for, and what it complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(f"{error} {error.stack}"))
        self.page.on("console", self._line)

    def _line(self, line: Any) -> None:
        if line.type == "error":
            self.errors.append(f"{line.text} {line.location.get('url', '')}")


def shoot(target: Any, name: str) -> None:
    """Save a picture of a page or an element to out/screenshots."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    target.screenshot(path=str(SCREENSHOTS / f"{name}.png"))


def see(page: Any, words: str, exact: bool = False) -> None:
    """Wait until a widget shows the words (what it tells a screen reader alone does not count)."""
    page.locator(".wb-body").get_by_text(words, exact=exact).first.wait_for()


def drawn(page: Any, words: str) -> None:
    """Wait until a figure whose description holds the words is drawn: plots follow their numbers by a frame."""
    page.get_by_role("img", name=words).first.wait_for()


@dataclass(frozen=True)
class Server:
    """A Jupyter server with one notebook."""

    url: str
    token: str

    def notebook(self, place: str) -> str:
        """Address of the notebook in JupyterLab (`lab/tree`) or in Notebook 7 (`notebooks`)."""
        return f"{self.url}/{place}/widgets.ipynb?token={self.token}{'&reset' if place.startswith('lab') else ''}"


@contextmanager
def jupyter(cell: str, home: Path) -> Iterator[Server]:
    """A server on loopback for both front ends, with a notebook of one cell; all its files are in `home`."""
    find_chromium()
    for module in ("jupyterlab", "notebook"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is missing: pip install 'embedding-workbench[browser]'")
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip())])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (home / "root").mkdir()
    nbformat.write(notebook, home / "root" / "widgets.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Server(f"http://127.0.0.1:{free.getsockname()[1]}", secrets.token_hex(16))
    folders = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    places = {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(home / "ipython"), "PATH": path, "OMP_NUM_THREADS": "1"}
    command = (
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={server.url.rpartition(':')[2]}", f"--IdentityProvider.token={server.token}"),
        *(f"--ServerApp.root_dir={home / 'root'}", "--LabApp.expose_app_in_browser=True"),
        "--JupyterNotebookApp.expose_app_in_browser=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )
    with open(home / "log", "w") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **folders, **places}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(f"{server.url}/api/status?token={server.token}", process, home / "log")
        yield server
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _wait(url: str, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text()[-3000:])


def run_all(page: Any) -> None:
    """Run the notebook; a front end that is still waking drops the command, so ask again until a prompt changes."""
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
    page.wait_for_function("() => window.jupyterapp", timeout=30_000)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=60_000, state="attached")
    page.wait_for_timeout(1_000)
    started = r"() => /\[(\*|\d+)\]/.test(document.querySelector('.jp-Notebook .jp-InputPrompt')?.textContent ?? '')"
    for _ in range(8):
        if page.locator(".jp-Dialog").count():
            page.locator(".jp-Dialog .jp-mod-accept").click()
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        try:
            page.wait_for_function(started, timeout=6_000)
            return
        except Exception:
            continue
    raise AssertionError("the notebook never ran")
