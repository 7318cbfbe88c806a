"""Made-up personal data, each value in one split, by a hash of the value alone.

Names are split by their words, so that a first or last name of one split is no part of a name in another; a town that
holds such a word, or another town, goes with it. Days are split in all their written forms, telephone numbers by their
digits, account numbers by theirs. An e-mail address is made of a name of its split, and is drawn again where another
name of another split could have made it.
"""

from __future__ import annotations

import calendar
import hashlib
import re
import tomllib
from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from workbench.core.text import SPLITS, Split

if TYPE_CHECKING:
    from faker import Faker

_FIRST_DAY, _LAST_DAY = date(2012, 1, 1), date(2023, 12, 31)
_MONTHS = tuple(calendar.month_name)[1:]
_TRAIN, _VALIDATION = 70, 10
"""Per cent of the values; the rest is of the test split."""
_WORD = re.compile(r"\w+")


def split_of_value(value: str) -> Split:
    """train 70%, validation 10%, test 20%, by the hash of the value, in whatever case it is written."""
    part = int.from_bytes(hashlib.blake2b(value.casefold().encode(), digest_size=8).digest(), "big") % 100
    return "train" if part < _TRAIN else "validation" if part < _TRAIN + _VALIDATION else "test"


def draw_person(fake: Faker, split: Split | None = None) -> tuple[str, str]:
    """First and last name, both words of which belong to `split` (None: to any)."""
    return _drawn(fake.first_name, _is_name, split), _drawn(fake.last_name, _is_name, split)


def draw_value(kind: str, fake: Faker, split: Split | None = None, person: tuple[str, str] | None = None) -> str:
    """Made-up personal data of one kind that belongs to `split` (None: to any), of `person` or one drawn for it."""
    if person is None and kind in _OF_A_PERSON:
        person = draw_person(fake, split)
    return _VALUES[kind](fake, split, person or ("", ""))


def _drawn(draw: Callable[[], str], is_fit: Callable[[str], bool], split: Split | None) -> str:
    """The first value drawn that is fit and belongs to the split."""
    while True:
        value = draw()
        if is_fit(value) and split in (None, split_of_value(value)):
            return value


def _is_name(name: str) -> bool:
    """Not a month's name: that stands in the dates of every split."""
    return name not in _MONTHS


def _email(fake: Faker, split: Split | None, person: tuple[str, str]) -> str:
    first, last = (name.lower() for name in person)
    while True:
        pattern = fake.random_element(("{f}.{l}", "{f}{l}", "{i}{l}", "{f}_{l}{n}", "{f}{n}"))
        local = pattern.format(f=first, l=last, i=first[0], n=fake.random_int(1, 99))
        if split is None or not _is_ambiguous(local, split):
            return f"{local}@{fake.safe_domain_name()}"


def _is_ambiguous(local: str, split: Split) -> bool:
    """Whether a name of another split could be written so: `first` or an initial, and `last`, with no mark between."""
    firsts, lasts = _names()
    for cut in range(1, len(local)):
        first, last = local[:cut], local[cut:]
        if last in lasts and (cut == 1 or first in firsts):
            owners = {split_of_value(last)} | (set() if cut == 1 else {split_of_value(first)})
            if len(owners) == 1 and split not in owners:
                return True
    return False


def _phone(fake: Faker, split: Split | None, person: tuple[str, str]) -> str:
    digits = _drawn(lambda: f"{fake.random_int(201, 989)}555{fake.random_int(100, 199):04}", bool, split)
    return fake.random_element(("({}) {}-{}", "{}-{}-{}")).format(digits[:3], digits[3:6], digits[6:])


def _date(fake: Faker, split: Split | None, person: tuple[str, str]) -> str:
    day = date.fromisoformat(_drawn(lambda: fake.date_between(_FIRST_DAY, _LAST_DAY).isoformat(), bool, split))
    numeric = f"{day.month:02d}/{day.day:02d}/{day.year}"
    return fake.random_element((numeric, f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"))


def _place(fake: Faker, split: Split | None, person: tuple[str, str]) -> str:
    by_split = _towns()
    return fake.random_element(by_split[split] if split else tuple(town for each in by_split.values() for town in each))


def _account(fake: Faker, split: Split | None, person: tuple[str, str]) -> str:
    return _drawn(lambda: fake.numerify("########"), bool, split)


def _account_end(fake: Faker, split: Split | None, person: tuple[str, str]) -> str:
    """Four digits; not those that stand in the telephone numbers and dates of every split."""
    return _drawn(lambda: fake.numerify("####"), lambda end: end[:2] not in ("01", "19", "20"), split)


_VALUES: dict[str, Callable[[Faker, Split | None, tuple[str, str]], str]] = {
    "person": lambda fake, split, person: " ".join(person),
    "person-last": lambda fake, split, person: person[1],
    "email": _email,
    "phone": _phone,
    "date": _date,
    "place": _place,
    "account": _account,
    "account-end": _account_end,
}
_OF_A_PERSON = ("person", "person-last", "email")


@cache
def _names() -> tuple[frozenset[str], frozenset[str]]:
    """All first and last names that can be drawn, in lower case."""
    from faker.providers.person.en_US import Provider

    firsts, lasts = ({name.lower() for name in names} for names in (Provider.first_names, Provider.last_names))
    return frozenset(firsts), frozenset(lasts)


@cache
def _towns() -> dict[Split, tuple[str, ...]]:
    """Towns by split; those that hold names or towns of several splits are left out."""
    from faker.providers.geo import Provider

    held = tomllib.loads(files("workbench.data").joinpath("personal.toml").read_text(encoding="utf-8"))["towns"]
    towns = {place[2] for place in Provider.land_coords if place[3] == "US"}
    towns |= {town.strip() for town in held.replace("\n", " ").split(",")}
    names = frozenset.union(*_names())
    found: dict[str, Split] = {}
    for town in sorted(towns, key=lambda town: (len(_WORD.findall(town)), town)):  # what lies within comes first
        words = _WORD.findall(town.casefold())
        inner = [other for other in found if f" {other} " in f" {' '.join(words)} "]
        owners: list[Split] = [
            *map(found.__getitem__, inner),
            *(split_of_value(word) for word in words if word in names),
        ]
        owner: Split = owners[0] if owners else split_of_value(town)
        if set(owners) <= {owner} and town not in _MONTHS:
            found[" ".join(words)] = owner
    by_words = {" ".join(_WORD.findall(town.casefold())): town for town in sorted(towns)}
    return {split: tuple(sorted(by_words[words] for words in found if found[words] == split)) for split in SPLITS}
