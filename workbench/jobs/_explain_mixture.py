"""The mixture of an explainer's training: which questions, how often, and the probing tasks that answer them."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, ValidationError, model_validator

from workbench.core.errors import BadInput, UnknownName
from workbench.core.files import read_toml
from workbench.data.tasks import task_card

Wordings = tuple[str, ...]


class Attribute(BaseModel):
    """A probing task as one question (`ask`, `yes`, `no`), or as one of each class, to which the others say no."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    task: str
    ask: Wordings = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    per_class: dict[str, Wordings] = {}
    claim: bool = False
    """Whether every vector that is explained is asked this, and a probe checks the answer."""

    @model_validator(mode="after")
    def _fits(self) -> Attribute:
        known = task_card(self.task).classes
        if unknown := {*self.yes, *self.no, *self.per_class} - {*known}:
            raise ValueError(f"{self.task} has no class {sorted(unknown)}; expected some of: {', '.join(known)}")
        if not all(all(question) for question in self.questions()) or {*self.yes} & {*self.no}:
            raise ValueError(f"{self.name}: expected ask, yes and no, or per_class; none empty, no class in both")
        if self.claim and self.per_class:
            raise ValueError(f"{self.name}: a claim is one question; it cannot have per_class")
        return self

    def questions(self) -> list[tuple[Wordings, tuple[str, ...], tuple[str, ...]]]:
        """Wordings of each question, with the classes that say yes and those that say no."""
        known = task_card(self.task).classes
        each = [(ask, (one,), tuple(c for c in known if c != one)) for one, ask in self.per_class.items()]
        return each or [(self.ask, self.yes, self.no)]


class Mixture(BaseModel):
    """How many segments of each task an item gets on average, the shares of items, and the attributes asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    segments: dict[Literal["describe", "keywords", "word_yes", "word_easy", "word_hard", "attribute"], NonNegativeFloat]
    items: dict[Literal["text", "compare", "document", "abstain"], NonNegativeFloat]
    attributes: tuple[Attribute, ...] = ()


def load_mixture(path: Path | None = None) -> Mixture:
    """The shipped mixture, or one in a TOML file. Raises BadInput for an unknown field, task or class."""
    place = path or files("workbench.jobs").joinpath("explain_mixture.toml")
    with as_file(place) as file:
        content = read_toml(file)
    try:
        return Mixture(**content)
    except (ValidationError, UnknownName) as error:
        raise BadInput(f"{place}: {error}") from error
