"""workbench fetch: bring models and corpora here."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli._options import Device, Json, Quiet, Seed, begin, say, write_json_to


def fetch(
    names: Annotated[list[str], typer.Argument(help="Models and corpora of `workbench list`.")],
    json: Json = "",
    seed: Seed = 0,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Fetch models and corpora into the cache: verified by SHA-256, unpacked, never installed, never run.

    A download that was cut off goes on where it stopped. A corpus is cleaned and split as well.

    Example: workbench fetch tatoeba cfpb
    """
    begin(quiet)
    from workbench import assets
    from workbench.data import corpora

    cards = [assets.card(name) for name in names]  # all names are looked at before the first download
    done = []
    for card in cards:
        say(f"{card.name}: {card.summary}; licence {card.licence.id} ({card.licence.basis})", quiet)
        if card.kind == "corpus":
            texts = len(corpora.load(card.name))
            done.append({"name": card.name, "texts": texts, "licence": card.licence.id})
            say(f"{card.name}: {texts:,} texts", quiet)
        else:
            folder = assets.fetch(card.name, asked=True)
            done.append({"name": card.name, "folder": str(folder), "licence": card.licence.id})
            say(f"{card.name}: {folder}", quiet)
    write_json_to(json, done)
