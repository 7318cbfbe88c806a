"""Card: what a checkpoint is, what it was made of, how good it is, and where it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from workbench.core import codec
from workbench.core.errors import BadInput
from workbench.core.files import read_json, write_json


@dataclass(frozen=True)
class Card:
    """Provenance of a checkpoint; written as card.json beside its weights.

    `data` lists the corpora with licence and number of texts; `training` holds steps, seconds, seed and machine;
    `metrics` maps names to measured values with their intervals; `config` is what the loader needs.
    """

    name: str
    kind: str
    summary: str
    embedder: str
    embedder_revision: str
    licence: str
    config: Mapping[str, Any]
    data: tuple[Mapping[str, Any], ...]
    training: Mapping[str, Any]
    metrics: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Digest of every other file of the checkpoint."""

    def save(self, folder: Path) -> None:
        """Write `folder/card.json`."""
        write_json(folder / "card.json", asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Card:
        """Read `folder/card.json`. Raises BadInput if it is missing, damaged or of another form."""
        value = read_json(folder / "card.json")
        expected = {f.name for f in fields(cls)}
        if not isinstance(value, dict) or not {"name", "kind", "config"} <= set(value):
            raise BadInput(f"{folder / 'card.json'} is not a checkpoint's card")
        if unknown := set(value) - expected:
            raise BadInput(
                f"{folder / 'card.json'} has the unknown keys {', '.join(sorted(unknown))}: a newer release?"
            )
        return codec.decode(cls, value, str(folder / "card.json"))
