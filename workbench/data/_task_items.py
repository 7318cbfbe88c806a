"""From what a rule yields to the items of a task: unique texts, split by group, classes in balance."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa

from workbench.core.errors import BadInput
from workbench.core.text import Split, content_key, split_key, word_count
from workbench.data.rules._item import Item

if TYPE_CHECKING:
    from workbench.data.tasks import TaskCard

MOST: dict[Split, int] = {"train": 4000, "validation": 1000, "test": 1000}


def split_of_group(group: str) -> Split:
    """The split of a group by the hash of its split form: 70% train, 15% validation, 15% test."""
    part = _order(group)[0] // 100 % 20  # not the digits that split the corpora
    return "train" if part < 14 else "validation" if part < 17 else "test"


def split_in_turn(groups: Iterable[str]) -> dict[str, Split]:
    """The splits of the groups of one class, in the order of their hashes: a fifth test, a fifth validation."""
    ordered = sorted(set(groups), key=_order)
    held = max(1, round(len(ordered) / 5))
    return {
        group: "test" if place < held else "validation" if place < 2 * held else "train"
        for place, group in enumerate(ordered)
    }


def task_table(card: TaskCard, items: Iterable[Item]) -> pa.Table:
    """Unique items in the order of their hashes, split by group, in balance."""
    unique: dict[int, Item | None] = {}
    for item in items:
        if card.classes and item.label not in card.classes:
            raise BadInput(f"{card.name}: label {item.label!r} is none of its classes: {', '.join(card.classes)}")
        key = content_key(item.text)
        former = unique.setdefault(key, item)
        if former is not None and former.label != item.label:
            unique[key] = None  # a text that two classes claim teaches nothing
    rows = sorted((item for item in unique.values() if item is not None), key=lambda item: _order(item.text))
    splits = _splits(card, rows)
    kept: list[tuple[Item, Split]] = []
    for split, room in MOST.items():
        rounds = _rounds(card, [item for item in rows if splits[item.group] == split], split)
        kept.extend((item, split) for each in rounds[: room // max(1, len(card.classes))] for item in each)
    kept.sort(key=lambda pair: _order(pair[0].text))
    return pa.table(
        {
            "text": [item.text for item, _ in kept],
            "label": [item.label for item, _ in kept],
            "group": [item.group for item, _ in kept],
            "split": [split for _, split in kept],
        }
    )


def _rounds(card: TaskCard, items: list[Item], split: Split) -> list[tuple[Item, ...]]:
    """One item of each class a round, in the order of hashes; with `match_length` a round's items are of one length."""
    kinds = card.classes or ("",)
    strata: dict[int, dict[str, list[Item]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        words = word_count(item.text) if card.match_length else 0
        strata[words][item.label if card.classes else ""].append(item)
    if missing := [kind for kind in kinds if not any(by_class[kind] for by_class in strata.values())]:
        raise BadInput(f"{card.name} has no {split} items of: {', '.join(missing) or 'any grade'}")
    rounds = [each for by_class in strata.values() for each in zip(*(by_class[kind] for kind in kinds), strict=False)]
    if not rounds:
        raise BadInput(f"{card.name} has no {split} items of one length in all classes; try match_length = false")
    return sorted(rounds, key=lambda each: _order(each[0].text))


def _splits(card: TaskCard, items: list[Item]) -> dict[str, Split]:
    if card.split == "hash":
        return {group: split_of_group(group) for group in {item.group for item in items}}
    by_class: dict[str, set[str]] = defaultdict(set)
    for item in items:
        by_class[item.label].add(item.group)
    out: dict[str, Split] = {}
    for groups in by_class.values():
        out |= split_in_turn(groups)
    return out


def _order(text: str) -> tuple[int, int]:
    """Place in the fixed shuffled order: the hash of the split form, then that of the normal form.

    Where no letter or digit is left of a text (only marks, say), the text itself is hashed.
    """
    key = split_key(text if re.search(r"\w", text) else text.encode("unicode_escape").hex())
    return key, content_key(text)
