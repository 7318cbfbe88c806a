"""workbench lab: the notebooks in JupyterLab."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli._options import say
from workbench.core.errors import BadInput
from workbench.core.files import atomic_path
from workbench.core.resources import shipped

FOLDER = "workbench-notebooks"
TOUR = "00_tour.ipynb"


def lab(
    jupyter: Annotated[list[str] | None, typer.Argument(help="Options of JupyterLab itself, after `--`.")] = None,
    port: Annotated[int, typer.Option(help="Port to listen on; 0: the first free one from 8888 on.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address and open nothing.")] = False,
) -> None:
    """Open JupyterLab at the tour.

    The notebooks are copied to ./workbench-notebooks, where they can be changed; one that is there already is left as
    it is, and one that was deleted comes back the next time. JupyterLab asks for no updates and no news.

    Examples: workbench lab
              workbench lab --no-browser --port 8899
              workbench lab -- --ip=0.0.0.0
    """
    folder = copy_notebooks(Path(FOLDER))
    from jupyterlab.labapp import LabApp

    arguments = [
        f"--ServerApp.root_dir={folder.resolve()}",
        f"--LabApp.default_url=/lab/tree/{TOUR}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
        *([f"--port={port}", "--ServerApp.port_retries=0"] if port else []),
        *(["--no-browser"] if no_browser else []),
        *(jupyter or []),
    ]
    LabApp.launch_instance(argv=arguments)


def copy_notebooks(folder: Path) -> Path:
    """Copy the shipped notebooks that `folder` lacks, and say where they are. Raises BadInput if it is a file."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; move it away, or call `workbench lab` in another folder")
    folder.mkdir(exist_ok=True)
    missing = [path for path in sorted(shipped("notebooks").glob("*.ipynb")) if not (folder / path.name).exists()]
    for path in missing:
        with atomic_path(folder / path.name) as place:
            shutil.copyfile(path, place)
    kept = "; others were there and are as they were" if len(missing) < len(list(folder.glob("*.ipynb"))) else ""
    say(f"notebooks: {folder.resolve()} ({len(missing)} copied{kept})")
    return folder
