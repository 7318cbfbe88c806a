"""The plan of an audit: every choice by name, every default visible."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from workbench.audit.ladder import ATTACKS, admit
from workbench.core.access import THREATS, ThreatModel
from workbench.core.errors import BadInput, UnknownName, require
from workbench.core.files import read_toml


def _known_threat(name: str) -> str:
    if name not in THREATS:
        raise ValueError(f"no threat model is called so; expected one of {', '.join(THREATS)}")
    return name


ThreatName = Annotated[str, AfterValidator(_known_threat)]
"""A rung of the ladder in `workbench.core.access`."""


RANDOM_TEXTS = 100
"""Most sentences whose vectors by a random encoder the main attack is shown."""


class AuditPlan(BaseModel):
    """What is audited, against whom, and with what. A TOML file may set any field; the rest keeps its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = "What these embeddings give away"
    embedder: str = "minilm"
    """Any embedder that `workbench list` shows, or a folder or hub id."""
    store: str = ""
    """A store with texts, as `workbench pull` takes it, whose own vectors are attacked; empty: the embedder's vectors
    of held-out text. Never a password: those come from the environment."""
    on_bad_rows: Literal["fail", "skip"] = "fail"
    """Rows of the store without a usable vector: they end the audit, or are left out, which its report says."""
    threat: ThreatName = "known-encoder"
    """The threat model of the main attack."""
    corpus: str = "conservative"
    """Held-out sentences come from its test split, the attacker's public text from its train split."""
    sentences: int = Field(300, ge=30, le=100_000)
    records: int = Field(200, ge=30, le=100_000)
    """Records with planted personal data, from templates and complaints that no training used."""
    max_words: int = Field(30, ge=4, le=400)
    """Longer texts are not scored; in scripts that set no blanks between words each letter counts as a word."""
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
    also: dict[ThreatName, tuple[str, ...]] = {
        "known-encoder": ("membership",),
        "open-weights": ("white-box",),
        "leaked-pairs": ("few-shot",),
        "public-text": ("unpaired",),
        "stolen-store": ("payload",),
        "insider": ("attribute-inference",),
        "transformed-store": ("defences",),
    }
    """Further attacks, by threat model; those that turn vectors into text are tried on the first `deep` sentences."""
    deep: int = Field(25, ge=10, le=10_000)
    pairs: int = Field(1000, ge=2)
    """Texts with their vectors that `few-shot` has."""
    samples: int = Field(5000, ge=100)
    """Further stolen vectors, and public texts, of `unpaired`."""
    members: int = Field(1000, ge=200, le=10_000)
    """Texts a side whose membership is guessed."""
    label: str = "topic"
    """What the insider infers: a label of the store, or a probing task."""
    labelled: int = Field(2000, ge=200)
    """Labelled rows that the insider, and whoever attacks a defence, learns from."""
    defences: tuple[str, ...] = ("int8", "binary", "noise:0.5", "metric-dp:300", "rotation", "leace")
    defence_seeds: int = Field(3, ge=1, le=100)
    """How often keys and noise of a defence are drawn; the first time from `seed`."""
    questions: int = Field(150, ge=0, le=5000)
    """Public questions with their passages, and pairs of paraphrases, on which defended vectors are used; 0: none."""
    severe: float = Field(0.25, gt=0, le=1)
    """Policy: a leak whose excess over its floor is surely at least this is called severe."""
    substantial: float = Field(0.10, gt=0, le=1)
    gate: str = ""
    """A file of limits, as `--gate` takes it."""
    canaries: int = Field(20, ge=5, le=1000)
    """Known texts that the positive control must find again."""
    examples: int = Field(8, ge=0, le=100)
    include_plaintext: bool = False
    """Whether examples show planted data, and texts of a store, as they are; else they are masked."""
    unverified: bool = False
    """Whether a store is audited even where its vectors are not the embedder's of its texts."""
    seed: int = Field(0, ge=0, lt=2**32)

    @field_validator("also")
    @classmethod
    def _known(cls, also: dict[ThreatName, tuple[str, ...]]) -> dict[ThreatName, tuple[str, ...]]:
        for name in (name for names in also.values() for name in names):
            if name not in ATTACKS:
                raise ValueError(f"no attack is called {name!r}; expected one of {', '.join(ATTACKS)}")
        return also

    @property
    def main(self) -> ThreatModel:
        """The threat model of the main attack."""
        return THREATS[self.threat]

    def asked(self) -> dict[str, tuple[str, ...]]:
        """All attacks by threat model, the main one among them."""
        here = (self.attack, *self.also.get(self.threat, ()))
        return {**self.also, self.threat: tuple(dict.fromkeys(here))}

    def admit(self) -> None:
        """Raise AccessDenied where an attack needs more than its threat model grants, UnknownName for the main one."""
        if self.attack not in ATTACKS or not ATTACKS[self.attack].inverts:
            raise UnknownName("attack", self.attack, [name for name, each in ATTACKS.items() if each.inverts])
        for threat, names in self.asked().items():
            for name in names:
                admit(THREATS[threat], name)

    def cpu_seconds(self) -> float:
        """About how long it takes on one core, by what its attacks took where they were measured."""
        vectors = 2 * (self.sentences + self.records)
        total = 60 + ATTACKS[self.attack].seconds * (vectors + RANDOM_TEXTS) + ATTACKS[self.attack].once
        for name in (name for names in self.also.values() for name in names):
            total += ATTACKS[name].once + ATTACKS[name].seconds * 2 * self.deep
        return total

    @classmethod
    def read(cls, path: Path | str, **overrides: Any) -> AuditPlan:
        """Read a TOML plan. Raises BadInput that names the field, its value and what was expected."""
        return cls.of({**read_toml(path, "the plan "), **overrides}, str(path))

    @classmethod
    def of(cls, values: dict[str, Any], source: str = "plan") -> AuditPlan:
        """A plan from values, with the same errors as `read`."""
        require(values, dict, source)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _refusal(error, source) from error

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _refusal(error, "plan") from error


def _refusal(error: ValidationError, source: str) -> BadInput:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or "plan"
    return BadInput(f"{source}: {place} is {first.get('input')!r}; {first['msg']}")
