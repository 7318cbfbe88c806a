"""Probing tasks: `probes/<task>/task.toml` says which texts and which attribute; here they become items with splits."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Int, Shaped
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workbench import assets
from workbench.core.errors import BadInput, UnknownName
from workbench.core.files import inside, read_toml, write_text
from workbench.core.registry import Registry
from workbench.core.resources import shipped
from workbench.core.text import SPLITS
from workbench.data import corpora
from workbench.data._cached import made_once
from workbench.data._silver import silver_digest
from workbench.data._task_items import task_table
from workbench.data.rules._item import Item

RULES = Registry("rule", "workbench.data.rules")
Family = Literal["surface", "syntax", "semantics", "privacy", "own"]
FAMILIES: tuple[Family, ...] = get_args(Family)
_RECIPE = 2
"""Number of the way from rules to items; a change makes cached tasks anew."""


class TaskCard(BaseModel):
    """What a task asks, of which texts, and what guessing is worth."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[^/\\\x00]{1,100}$")
    summary: str
    family: Family
    kind: Literal["classes", "graded"] = "classes"
    rule: str
    """Name of a rule (`workbench/data/rules`)."""
    source: tuple[str, ...] = ()
    """Corpora, or files of the user beside the card."""
    options: dict[str, Any] = {}
    """Keyword arguments of the rule."""
    classes: tuple[str, ...] = ()
    chance: float
    """Share that guessing gets right; classes are in balance in every split. 0 where labels are graded."""
    group: str
    """What must not stand in two splits."""
    split: Literal["hash", "in-turn"] = "hash"
    """`hash`: each group by its hash, 70 : 15 : 15. `in-turn`: of each class' groups, in the order of their hashes, the
    first fifth (at least one) is tested, as many validate, the others train; for classes of a few groups."""
    match_length: bool = False
    """Classes are put in balance among texts of each number of words, so that length tells nothing."""
    licence: str
    version: int = 1
    silver: bool = False
    """Labels come from a parser and are never gold."""
    reference: str = ""

    @model_validator(mode="after")
    def _fits(self) -> TaskCard:
        k = len(self.classes)
        if self.kind == "graded" and (k or self.chance):
            raise ValueError("a graded task has no classes and chance 0")
        if self.kind == "classes" and (k < 2 or len(set(self.classes)) < k or not abs(self.chance - 1 / k) <= 1e-3):
            raise ValueError(f"classes are {self.classes} and chance {self.chance}; expected k >= 2 and chance 1 / k")
        return self


@dataclass(frozen=True)
class ProbeTask:
    """n texts with class codes (or grades), the groups they come from, and their split."""

    card: TaskCard
    texts: tuple[str, ...]
    labels: Shaped[np.ndarray, " n"]
    groups: tuple[str, ...]
    split: Shaped[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.texts)

    def part(self, split: str) -> Int[np.ndarray, " m"]:
        """Rows of one split. Raises BadInput for what is no split."""
        if split not in SPLITS:
            raise BadInput(f"split is {split!r}; expected one of {', '.join(SPLITS)}")
        return np.flatnonzero(self.split == split)


def task_names() -> tuple[str, ...]:
    """The shipped tasks, by family and name."""
    folders = [entry.parent for entry in shipped("probes").glob("*/task.toml")]
    found = [(FAMILIES.index(_card(folder).family), folder.name) for folder in folders]
    return tuple(name for _, name in sorted(found))


def task_card(name: str) -> TaskCard:
    """The card of a shipped task, or of a folder with a `task.toml`. Raises UnknownName, BadInput."""
    return _card(_folder(name))


def load_task(name: str) -> ProbeTask:
    """A shipped task, or one in a folder; its texts are fetched and labelled on first use.

    Texts are unique by normal form, and one that two classes claim is left out. No text and no group stands in two
    splits. In every split the classes are in balance. At most 4,000 items to train, 1,000 to validate and to test.
    """
    folder = _folder(name)
    card = _card(folder)
    place = f"tasks/{card.name}-{_digest(card, folder)}.parquet"
    table = made_once(place, lambda: task_table(card, _items(card, folder)))
    labels = np.array(table["label"].to_pylist())
    codes = {label: code for code, label in enumerate(card.classes)}
    return ProbeTask(
        card,
        tuple(table["text"].to_pylist()),
        labels.astype(np.float64) if card.kind == "graded" else np.array([codes[label] for label in labels], np.int64),
        tuple(table["group"].to_pylist()),
        np.array(table["split"].to_pylist()),
    )


def write_skeleton(name: str, folder: Path | None = None) -> Path:
    """Begin a task of one's own: a folder with `task.toml`, a README and where the texts go; gives the folder."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise BadInput(f"a task cannot be called {name!r}; expected lower-case letters, digits and hyphens")
    place = (folder or Path("probes")) / name
    if place.exists():
        raise BadInput(f"{place} is there already; choose another name")
    place.mkdir(parents=True)
    write_text(place / "task.toml", _SKELETON.format(name=name))
    write_text(place / "README.md", f"# {name}\n\nWhat this asks of a vector, how it was made, and its shortcuts.\n")
    write_text(place / "texts.csv", "text,label,group\nA first sentence.,yes,document-1\nA second one.,no,document-2\n")
    return place


_SKELETON = """# Texts of your own, with a label and the document or person that each comes from.
summary = "what {name} asks of a vector"
family = "own"            # surface, syntax, semantics, privacy or own
rule = "table"            # a rule of `workbench/data/rules`; table reads a CSV beside this file
source = ["texts.csv"]
classes = ["no", "yes"]
chance = 0.5              # 1 / number of classes: they are put in balance in every split
group = "document"        # no group stands in two splits
licence = "unstated"
"""


def _folder(name: str) -> Path:
    place = shipped("probes") / name
    if re.fullmatch(r"[\w-]+", name) and (place / "task.toml").is_file():
        return place
    if (Path(name) / "task.toml").is_file():
        return Path(name)
    if Path(name).is_dir():
        raise BadInput(f"{name} has no task.toml; `workbench probe --new NAME` writes one")
    raise UnknownName("task", name, task_names())


def _card(folder: Path) -> TaskCard:
    return _read_card(folder, (folder / "task.toml").stat().st_mtime_ns)


@cache
def _read_card(folder: Path, changed: int) -> TaskCard:
    try:
        card = TaskCard(**{"name": folder.resolve().name, **read_toml(folder / "task.toml")})
    except ValidationError as error:
        raise BadInput(f"{folder / 'task.toml'}: {error}") from error
    RULES.require(card.rule)
    return card


def _sources(card: TaskCard, folder: Path) -> tuple[str, ...]:
    """Corpora by name; files of the task's folder by path. Raises BadInput for a path that leads out of it."""
    return tuple(name if name in assets.cards() else str(_beside(folder, name) or name) for name in card.source)


def _beside(folder: Path, name: str) -> Path | None:
    path = inside(folder, name)
    return path if path.is_file() else None


def _items(card: TaskCard, folder: Path) -> Iterable[Item]:
    """What the card's rule yields; raises BadInput where the rule has not the options that the card gives."""
    rule = RULES.load(card.rule)
    try:
        inspect.signature(rule).bind(_sources(card, folder), **card.options)
    except TypeError as error:
        known = ", ".join(list(inspect.signature(rule).parameters)[1:]) or "none"
        raise BadInput(f"{card.name}: options of the rule {card.rule}: {error}; known: {known}") from error
    return rule(_sources(card, folder), **card.options)


def _digest(card: TaskCard, folder: Path) -> str:
    """Of all that decides the items: card, recipe, the rules' own code and data, files, corpora, and the parser."""
    digest = hashlib.blake2b(f"{_RECIPE} {card.model_dump_json()} {_rules_digest()}".encode(), digest_size=8)
    for name in card.source:
        if name in assets.cards():
            digest.update(corpora.digest(name).encode())
        elif path := _beside(folder, name):
            digest.update(path.read_bytes())
    if card.silver:
        digest.update(silver_digest().encode())
    return digest.hexdigest()


@cache
def _rules_digest() -> str:
    found = sorted(files(RULES.package).iterdir(), key=lambda entry: entry.name)
    content = b"".join(entry.read_bytes() for entry in found if entry.name.endswith((".py", ".toml")))
    return hashlib.blake2b(content, digest_size=8).hexdigest()
