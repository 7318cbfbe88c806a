"""workbench lab: the notebooks, copied once, in a JupyterLab that answers."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from command_line import run

from workbench.cli import lab
from workbench.core.errors import BadInput
from workbench.core.resources import shipped


def test_help_teaches():
    done = run("lab", "--help")
    assert done.returncode == 0
    for word in ("--port", "--no-browser", lab.FOLDER, "Example"):
        assert word in done.stdout


def test_notebooks_are_copied_once_and_never_overwritten(tmp_path, capsys):
    folder = lab.copy_notebooks(tmp_path / lab.FOLDER)
    names = {path.name for path in shipped("notebooks").glob("*.ipynb")}
    assert lab.TOUR in names
    assert {path.name for path in folder.iterdir()} == names
    assert str(folder) in capsys.readouterr().err
    (folder / lab.TOUR).write_text("mine")
    (folder / "01_invert.ipynb").unlink()
    lab.copy_notebooks(folder)
    assert (folder / lab.TOUR).read_text() == "mine"
    assert (folder / "01_invert.ipynb").read_bytes() == (shipped("notebooks") / "01_invert.ipynb").read_bytes()
    assert "1 copied" in capsys.readouterr().err


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / lab.FOLDER).write_text("")
    with pytest.raises(BadInput, match=f"{lab.FOLDER} is a file"):
        lab.copy_notebooks(tmp_path / lab.FOLDER)
    done = run("lab", "--no-browser", cwd=tmp_path)
    assert done.returncode == 3
    assert "is a file" in done.stderr


def test_jupyterlab_opens_at_the_tour(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    command = (
        *(sys.executable, "-m", "workbench", "lab", "--no-browser", "--port", str(port)),
        *("--", "--allow-root", "--ip=127.0.0.1", "--IdentityProvider.token=secret"),
    )
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, **places}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        page = _ask(f"http://127.0.0.1:{port}/lab/tree/{lab.TOUR}", process, tmp_path / "log").decode()
        config = json.loads(re.findall(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S)[0])
        assert config["news"]["disabled"]
        held = json.loads(_ask(f"http://127.0.0.1:{port}/api/contents", process, tmp_path / "log"))
        assert {each["name"] for each in held["content"]} == {
            path.name for path in shipped("notebooks").glob("*.ipynb")
        }
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
    said = (tmp_path / "log").read_text()
    assert str(tmp_path / lab.FOLDER) in said
    assert f"/lab/tree/{lab.TOUR}" in said


def _ask(url, process, log):
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            request = urllib.request.Request(url, headers={"Authorization": "token secret"})
            return urllib.request.urlopen(request, timeout=5).read()
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text()[-3000:])
