"""Whether a line holds a piece of personal data, or something neutral in its place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from workbench.core.errors import UnknownName
from workbench.data._task_items import split_in_turn
from workbench.data.personal import draw_value
from workbench.data.rules._item import Item

__all__ = ["label_planted"]


def label_planted(source: Sequence[str], kind: str, limit: int = 8_000, seed: int = 0) -> Iterator[Item]:
    """Lines of our own with a gap, filled with made-up data (`present`) or with a filler (`absent`).

    The group is the line's body, so that no body of a test line was ever learnt from, and the made-up data are those of
    the body's split, so that no value was either: it is the kind of the filling that must be told. Openings (`Hi, `)
    and fillers are common to all. `source` is not used: these texts are made, not found.
    """
    from faker import Faker

    frames = _frames()
    if kind not in frames["bodies"]:
        raise UnknownName("kind", kind, tuple(frames["bodies"]))
    fake = Faker("en_US")
    fake.seed_instance(seed)
    random, splits = fake.random, split_in_turn(frames["bodies"][kind])
    for _ in range(limit):
        opening, body = random.choice(frames["openings"]), random.choice(frames["bodies"][kind])
        for label in ("present", "absent"):
            filling = (
                draw_value(kind, fake, splits[body]) if label == "present" else random.choice(frames["fillers"][kind])
            )
            line = body.replace("{}", filling)
            text = f"{opening} {line}" if opening else line[0].upper() + line[1:]
            yield Item(text, label, body)


@cache
def _frames() -> dict[str, Any]:
    return tomllib.loads(files("workbench.data.rules").joinpath("planted.toml").read_text(encoding="utf-8"))
