"""workbench list: what is there."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli._options import Device, Json, Quiet, Seed, begin, write_json_to

_FAMILIES = (
    "embedders",
    "corpora",
    "stores",
    "models",
    "inverters",
    "defences",
    "attributors",
    "directions",
    "tasks",
    "checkpoints",
)


def list_all(
    family: Annotated[str, typer.Argument(help=f"One of {', '.join(_FAMILIES)}; default: all.")] = "",
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """List every registered member: embedders, corpora, stores, inverters, defences, tasks, and the rest."""
    begin(quiet)
    from workbench.core.errors import UnknownName

    if family and family not in _FAMILIES:
        raise UnknownName("family", family, _FAMILIES)
    found = {name: entries for name, entries in _all().items() if not family or name == family}
    if json:
        write_json_to(json, found)
    if json != "-" and not quiet:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, style="bold")
        table.add_column()
        for number, (name, entries) in enumerate(found.items()):
            if number:
                table.add_row("", "")
            table.add_row(f"{name}:", "", style="underline")
            for entry, summary in entries.items():
                table.add_row(f"  {entry}", Text(summary))
        Console().print(table)


def _all() -> dict[str, dict[str, str]]:
    from workbench import assets
    from workbench.attribute import ATTRIBUTORS
    from workbench.core import checkpoint
    from workbench.data.stores import STORES
    from workbench.data.tasks import task_card, task_names
    from workbench.defend import DEFENCES
    from workbench.embed import EMBEDDERS
    from workbench.invert import INVERTERS
    from workbench.probe.directions import DIRECTIONS

    def of_kind(kind: str) -> dict[str, str]:
        return {c.name: f"{c.summary} [{c.licence.id}]" for c in assets.cards().values() if c.kind == kind}

    return {
        "embedders": {name: EMBEDDERS.summary(name) for name in EMBEDDERS.names()},
        "corpora": of_kind("corpus"),
        "stores": {name: STORES.summary(name) for name in STORES.names()},
        "models": of_kind("model"),
        "attributors": {name: ATTRIBUTORS.summary(name) for name in ATTRIBUTORS.names()},
        "directions": {name: DIRECTIONS.summary(name) for name in DIRECTIONS.names()},
        "inverters": {name: INVERTERS.summary(name) for name in INVERTERS.names()},
        "defences": {name: DEFENCES.summary(name) for name in DEFENCES.names()},
        "tasks": {name: task_card(name).summary for name in task_names()},
        "checkpoints": {name: entry.summary for name, entry in checkpoint.index().items()},
    }
