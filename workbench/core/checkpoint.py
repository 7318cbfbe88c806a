"""Checkpoints: a folder with card.json and safetensors, found by name or by path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.core.card import Card
from workbench.core.errors import BadInput, UnknownName
from workbench.core.files import inside, read_toml, sha256_of
from workbench.core.resources import shipped


@dataclass(frozen=True)
class Shipped:
    """One line of checkpoints/index.toml."""

    name: str
    kind: str
    embedder: str
    summary: str


def index() -> dict[str, Shipped]:
    """The checkpoints that ship with the package, by name."""
    path = shipped("checkpoints") / "index.toml"
    if not path.is_file():
        return {}
    return {entry["name"]: Shipped(**entry) for entry in read_toml(path).get("checkpoint", [])}


def for_embedder(kind: str, embedder: str) -> str:
    """Name of the shipped checkpoint of this kind that was trained on `embedder`."""
    found = [entry.name for entry in index().values() if entry.kind == kind and entry.embedder == embedder]
    if not found:
        trained = sorted({entry.embedder for entry in index().values() if entry.kind == kind})
        raise BadInput(
            f"no shipped {kind} was trained on vectors of {embedder!r} (only of: {', '.join(trained) or 'none'}); "
            f"train one: workbench train {kind} --embedder {embedder}"
        )
    return found[0]


def locate(name: str | Path) -> Path:
    """Folder of a checkpoint: a path that holds card.json, or the name of a shipped one. Raises UnknownName."""
    if (Path(name) / "card.json").is_file():
        return Path(name)
    if str(name) not in index():
        raise UnknownName("checkpoint", str(name), index())
    return shipped("checkpoints") / str(name)


def open_card(folder: Path, kind: str) -> Card:
    """The card of a checkpoint after its files were checked against it.

    Raises BadInput naming the file that is damaged, or that leads out of the folder, as a link does.
    """
    card = Card.load(folder)
    if card.kind != kind:
        raise BadInput(f"{folder} is a checkpoint of kind {card.kind!r}; expected {kind!r}")
    for path in folder.rglob("*"):
        inside(folder, str(path.relative_to(folder)))
    for name, digest in card.sha256.items():
        path = inside(folder, name)
        if not path.is_file():
            raise BadInput(f"{folder} lacks {name}; the checkpoint is not whole")
        if sha256_of(path) != digest:
            raise BadInput(f"{path} does not have the SHA-256 that its card states; it is damaged or was changed")
    return card


def open_fitting(kind: str, name: str | Path, embedder: str, revision: str) -> tuple[Path, Card]:
    """Folder and card of the checkpoint `name` (empty: the one that ships for `embedder`) for vectors of these weights.

    Raises BadInput if it was trained on others.
    """
    folder = locate(name or for_embedder(kind, embedder))
    card = open_card(folder, kind)
    if card.embedder_revision != revision:
        raise BadInput(
            f"{card.name} was trained on {card.embedder} with weights {card.embedder_revision}; {embedder} has weights "
            f"{revision}: train an {kind} for it (workbench train {kind})"
        )
    return folder, card
