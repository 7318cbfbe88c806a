"""The plan of an audit: every choice by name, every default visible."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.core.access import KNOWN_ENCODER, OPEN_WEIGHTS, STOLEN_STORE, ThreatModel
from workbench.core.errors import BadInput

THREATS: dict[str, ThreatModel] = {threat.name: threat for threat in (KNOWN_ENCODER, OPEN_WEIGHTS, STOLEN_STORE)}


class AuditPlan(BaseModel):
    """What is audited, against whom, and with what. A TOML file may set any field; the rest keeps its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = "What these embeddings give away"
    embedder: str = "minilm"
    """Any embedder that `workbench list` shows, or a folder or hub id."""
    threat: Literal["known-encoder", "open-weights", "stolen-store"] = "known-encoder"
    corpus: str = "conservative"
    """Held-out sentences come from its test split, the attacker's public text from its train split."""
    sentences: int = Field(300, ge=30, le=100_000)
    records: int = Field(200, ge=30, le=100_000)
    """Records with planted personal data, from templates and complaints that no training used."""
    max_words: int = Field(30, ge=4, le=60)
    attacker_texts: int = Field(20_000, ge=100)
    """Public texts that the nearest-neighbour floor may choose from."""
    attack: str = "hypothesis"
    floors: tuple[str, ...] = ("nearest", "bag-of-words")
    checkpoint: str = ""
    """Checkpoint of the attack; empty means the shipped one for the embedder."""
    beams: int = Field(0, ge=0, le=64)
    """Hypotheses a vector; 0 leaves the choice to the attack."""
    preset: Literal["fast", "default", "best"] = "default"
    """How hard the attack `search` works; it reads more than `hypothesis`, and takes some ten times longer."""
    canaries: int = Field(20, ge=5, le=1000)
    """Known texts that the positive control must find again."""
    examples: int = Field(8, ge=0, le=100)
    seed: int = 0

    @classmethod
    def read(cls, path: Path | str, **overrides: Any) -> AuditPlan:
        """Read a TOML plan. Raises BadInput that names the field, its value and what was expected."""
        try:
            content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise BadInput(f"cannot read the plan {path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{path} is not TOML: {error}") from error
        return cls.of({**content, **overrides}, str(path))

    @classmethod
    def of(cls, values: dict[str, Any], source: str = "plan") -> AuditPlan:
        """A plan from values, with the same errors as `read`."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "plan"
            raise BadInput(f"{source}: {place} is {first.get('input')!r}; {first['msg']}") from error
