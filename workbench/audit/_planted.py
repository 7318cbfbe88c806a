"""How much planted personal data stands in a reconstruction: values by kind, persons, and what was made up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from workbench.audit._fuzzy import NEAR, similarity
from workbench.core.estimate import Estimate, difference, exact_proportion, mean_share
from workbench.core.text import contains, normalise, tokens
from workbench.data.personal import KINDS, PersonalCorpus
from workbench.results import Persons, Recovery

_MONTH = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
_SHAPES = {
    "email": re.compile(r"(?<![\w.+-])[\w.+-]+@(?:[\w-]+\.)+[^\W\d_]{2,}"),
    "phone": re.compile(r"(?<![\w-])(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])"),
    "date": re.compile(
        rf"(?<![\w/])\d\d?/\d\d?/\d{{4}}(?![\w/])|\b(?:{_MONTH}|nov(?:ember)?|dec(?:ember)?) \d\d?, ?\d{{4}}\b",
        re.IGNORECASE,
    ),
    "account": re.compile(r"(?<![\w$./,-])(?!(?:19|20)\d\d(?!\d))\d{4,}(?![\w/-]|[.,]\d)"),
}
"""Kinds with a form of their own, in the order in which characters are given to them; names and towns have none."""


_SEPARATORS = ".,:/\u066b\u066c"


@dataclass(frozen=True)
class _Value:
    """One planted value and the record that it stands in."""

    row: int
    kind: str
    text: str


def holds(text: str, value: str) -> bool:
    """Whether the normal form of `value` stands in `text`, whole and in order; a value without any form does not."""
    return bool(value_words(value)) and contains(text, value)


def share(text: str, value: str) -> float:
    """Share of the value's normalised words that stand anywhere in `text`; 0 for a value without words."""
    wanted, found = value_words(value), set(value_words(text))
    return sum(word in found for word in wanted) / len(wanted) if wanted else 0.0


def value_words(text: str) -> list[str]:
    """Words and numbers of the normal form, without the separators of numbers; its signs where it has nothing else."""
    found = tokens(text)
    return [token.lstrip(_SEPARATORS) for token in found if any(map(str.isalnum, token))] or found


def recoveries(
    records: PersonalCorpus, texts: Sequence[str], method: str, prior: Sequence[str] | None = None
) -> list[Recovery]:
    """Recovery of each kind by one method; `prior` holds the same method's texts for shuffled vectors.

    Values are counted one by one with exact intervals; partial recovery is resampled by record.
    """
    planted, out = _planted(records), []
    for kind in KINDS:
        values = [value for value in planted if value.kind == kind]
        if not values:
            continue
        exact, fuzzy = _found(values, texts), _nearly(values, texts)
        rows = [value.row for value in values]
        out.append(
            Recovery(
                method,
                kind,
                exact,
                fuzzy,
                mean_share(np.array([share(texts[value.row], value.text) for value in values]), rows),
                None if prior is None else difference(exact, _found(values, prior)),
                None if prior is None else difference(fuzzy, _nearly(values, prior)),
                _invented(kind, records.corpus.texts, texts),
            )
        )
    return out


def persons(records: PersonalCorpus, texts: Sequence[str], method: str, prior: Sequence[str] | None = None) -> Persons:
    """How many of the distinct planted persons had a value, their name, or their name with another value read whole."""
    found = _persons(records, texts)
    blind = (None,) * 3 if prior is None else _persons(records, prior)
    excess = (difference(a, b) if a and b else None for a, b in zip(found, blind, strict=True))
    return Persons(method, *found, *excess)


def written(text: str) -> list[tuple[str, str]]:
    """Kind and value of all that has the form of one of the kinds of planted data, no character twice."""
    out = []
    for kind, shape in _SHAPES.items():
        out += [(kind, match[0]) for match in shape.finditer(text)]
        text = shape.sub(lambda match: "\n" * len(match[0]), text)
    return out


def frequent_values(known: PersonalCorpus) -> dict[str, str]:
    """The most frequent value of each kind in text that the attacker may know: a guess without any vector."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for value in _planted(known):
        counts[value.kind][value.text] += 1
    return {kind: counter.most_common(1)[0][0] for kind, counter in counts.items() if counter}


def _planted(records: PersonalCorpus) -> list[_Value]:
    return [
        _Value(row, span.kind, text[span.start : span.end])
        for row, (text, spans) in enumerate(zip(records.corpus.texts, records.spans, strict=True))
        for span in spans
    ]


def _found(values: Sequence[_Value], texts: Sequence[str]) -> Estimate:
    return exact_proportion(sum(holds(texts[value.row], value.text) for value in values), len(values))


def _nearly(values: Sequence[_Value], texts: Sequence[str]) -> Estimate:
    near = [holds(texts[v.row], v.text) or similarity(texts[v.row], v.text) >= NEAR for v in values]
    return exact_proportion(sum(near), len(values))


def _invented(kind: str, hidden: Sequence[str], texts: Sequence[str]) -> Estimate | None:
    """Of the values of a kind that were written, the share that the hidden text does not have."""
    if kind not in _SHAPES:
        return None
    wrong = [
        not holds(truth, value)
        for truth, text in zip(hidden, texts, strict=True)
        for found, value in written(text)
        if found == kind
    ]
    return exact_proportion(sum(wrong), len(wrong)) if wrong else None


def _persons(records: PersonalCorpus, texts: Sequence[str]) -> tuple[Estimate, Estimate | None, Estimate | None]:
    """Persons of whom any value, the name, or the name and another value came back: shares, the last two of the named.

    Records with the same name are one person; a record without a name is a person that stays unnamed.
    """
    read: dict[str, list[set[str]]] = {}
    named: set[str] = set()
    for row, group in groupby(_planted(records), key=lambda value: value.row):
        values = list(group)
        names = [normalise(value.text) for value in values if value.kind == "person"]
        person = max(names, key=len, default=f"record {row}")
        read.setdefault(person, []).append({value.kind for value in values if holds(texts[row], value.text)})
        named |= {person} if names else set()

    def count(among: Iterable[str], told: Callable[[set[str]], bool]) -> Estimate | None:
        hits = [any(map(told, read[person])) for person in among]
        return exact_proportion(sum(hits), len(hits)) if hits else None

    anything = count(read, bool)
    assert anything is not None  # every record has a planted value
    return (
        anything,
        count(named, lambda kinds: "person" in kinds),
        count(named, lambda kinds: "person" in kinds and len(kinds) > 1),
    )
