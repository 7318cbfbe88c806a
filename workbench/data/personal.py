"""Text with planted personal data: the persons are made up, the places of their data are known to the letter.

Pattern recognisers miss most names and places in lower-cased or inverted text, so ground truth is planted, never
detected. Half the records are sentences of the CFPB's complaints, in which the agency struck out personal data and we
fill the gaps; half are e-mail-like lines from templates of our own. E-mail addresses use the domains that RFC 2606
reserves, and telephone numbers the 555-01xx range that is kept for fiction. Values are split as the texts are: no
name, town, day, number or address of one split is planted in another, whatever the seed (see `_personal_values`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import pyarrow as pa

from workbench import assets
from workbench.core.errors import BadInput
from workbench.core.text import SPLITS, Split, content_key, split_key, split_of
from workbench.data import corpora
from workbench.data._cached import made_once
from workbench.data._clean import is_sentence, segment
from workbench.data._personal_values import draw_person, draw_value
from workbench.data.corpora import Corpus

if TYPE_CHECKING:
    from faker import Faker

__all__ = ["KINDS", "PersonalCorpus", "Span", "draw_value", "load"]

KINDS = ("person", "email", "phone", "date", "place", "account")
_RECIPE = 1
"""Number of the rule that finds gaps; raise it with the rule, and the cached frames are rebuilt."""


class Span(NamedTuple):
    """Personal data of one kind at `text[start:end]`."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class PersonalCorpus:
    """Texts and, for each text, the spans of what was planted in it."""

    corpus: Corpus
    spans: tuple[tuple[Span, ...], ...]

    def __len__(self) -> int:
        return len(self.corpus)

    def where(self, keep: np.ndarray) -> PersonalCorpus:
        """The records that an index array picks."""
        return PersonalCorpus(self.corpus.where(keep), tuple(self.spans[i] for i in keep))


class _Frame(NamedTuple):
    """A text with gaps: `pieces[0] + value(kinds[0]) + pieces[1] + ...`."""

    key: str
    pieces: tuple[str, ...]
    kinds: tuple[str, ...]


def load(split: str, n: int, seed: int = 0) -> PersonalCorpus:
    """`n` distinct records of a split, half complaints and half templates, in a fixed shuffled order.

    The templates and the sentences of one split are not used in another, and neither are the planted values, nor the
    words of names: an attacker that learnt every value of the training split knows none of the others.
    """
    from faker import Faker

    if split not in SPLITS:
        raise BadInput(f"split is {split!r}; expected one of {', '.join(SPLITS)}")
    if n < 1:
        raise BadInput(f"n is {n}; expected at least 1 record")
    fake = Faker("en_US")
    fake.seed_instance((SPLITS.index(split) + 1) * 1_000_003 + seed)
    pools = [_of_split(_complaints(), split), _of_split(_templates(), split)]
    random = np.random.default_rng([seed, SPLITS.index(split)])
    orders = [random.permutation(len(pool)) for pool in pools]
    texts: dict[str, tuple[str, tuple[Span, ...]]] = {}
    for turn in range(20 * n):
        pool, order = pools[turn % 2], orders[turn % 2]
        frame = pool[order[(turn // 2) % len(pool)]]
        text, spans = _fill(frame, fake, cast(Split, split))
        texts.setdefault(text, (frame.key, spans))
        if len(texts) == n:
            break
    ids = tuple(f"personal-{split}-{seed}:{content_key(text):016x}" for text in texts)
    corpus = Corpus("personal", ids, tuple(texts), tuple(key for key, _ in texts.values()))
    return PersonalCorpus(corpus, tuple(spans for _, spans in texts.values()))


def _of_split(frames: tuple[_Frame, ...], split: str) -> list[_Frame]:
    return [frame for frame in frames if _split_of_frame(frame) == split]


def _split_of_frame(frame: _Frame) -> Split:
    text = " ".join(frame.pieces)
    if frame.key.startswith("template"):  # few, so larger held-out shares than the corpora have
        return ("train", "train", "train", "validation", "test", "test")[split_key(text) % 6]
    return split_of(text)


def _fill(frame: _Frame, fake: Faker, split: Split) -> tuple[str, tuple[Span, ...]]:
    person = draw_person(fake, split)  # one for all values of a record
    text, spans = frame.pieces[0], []
    for kind, piece in zip(frame.kinds, frame.pieces[1:], strict=True):
        value = draw_value(kind, fake, split, person)
        spans.append(Span(kind.split("-")[0], len(text), len(text) + len(value)))
        text += value + piece
    return text, tuple(spans)


@cache
def _templates() -> tuple[_Frame, ...]:
    lines = tomllib.loads(files("workbench.data").joinpath("personal.toml").read_text(encoding="utf-8"))["templates"]
    frames = []
    for line in lines:
        parts = re.split(r"\{([a-z-]+)\}", line)
        frames.append(_Frame(f"template:{split_key(line):016x}", tuple(parts[::2]), tuple(parts[1::2])))
    return tuple(frames)


# What the words before a struck-out gap say of its kind. A sentence with any other gap is not used.
_STRUCK = r"XXXX(?: XXXX)?"
_GAPS = (
    ("date", re.compile(r"(?<![\w/])XX/XX/(?:XXXX|\d{4})(?![\w/])")),
    ("person-last", re.compile(rf"(?<=\b(?:Mr|Ms)\. ){_STRUCK}|(?<=\bMrs\. ){_STRUCK}|(?<=\bMr ){_STRUCK}")),
    (
        "person",
        re.compile(rf"(?<=named ){_STRUCK}|(?<=name is ){_STRUCK}|(?<=spoke with ){_STRUCK}|(?<=spoke to ){_STRUCK}"),
    ),
    ("account-end", re.compile(r"(?<=ending in )XXXX+|(?<=ending with )XXXX+")),
    ("account", re.compile(rf"(?<=# ){_STRUCK}|(?<=account number ){_STRUCK}|(?<=number is ){_STRUCK}")),
    (
        "place",
        re.compile(
            rf"(?<=live in ){_STRUCK}|(?<=located in ){_STRUCK}|(?<=branch in ){_STRUCK}|(?<=moved to ){_STRUCK}"
        ),
    ),
)


@cache
def _complaints() -> tuple[_Frame, ...]:
    """Sentences of the CFPB's narratives whose every gap has a known kind."""
    place = f"corpora/personal-frames-{assets.card('cfpb').digest}-{_RECIPE}.parquet"
    table = made_once(place, _find_complaints)
    return tuple(
        _Frame(key, tuple(pieces), tuple(kinds))
        for key, pieces, kinds in zip(*(column.to_pylist() for column in table.columns), strict=True)
    )


def _find_complaints() -> pa.Table:
    frames: dict[str, _Frame] = {}
    for passage in corpora.passages("cfpb"):
        if "XX" in passage.text:
            for sentence in segment(passage.text):
                if "XX" in sentence and (frame := _frame(sentence)):
                    frames.setdefault(" ".join(frame.pieces), frame)
    return pa.table(dict(zip(_Frame._fields, map(list, zip(*frames.values(), strict=True)), strict=True)))


def _frame(sentence: str) -> _Frame | None:
    gaps = sorted(_gaps(sentence))
    pieces, kinds, place = [], [], 0
    for start, end, kind in gaps:
        if start < place:
            return None
        pieces.append(sentence[place:start])
        kinds.append(kind)
        place = end
    pieces.append(sentence[place:])
    rest = "name".join(pieces)
    if not gaps or len(gaps) > 3 or "XX" in rest or not is_sentence(rest):
        return None
    return _Frame(f"cfpb:{split_key(' '.join(pieces)):016x}", tuple(pieces), tuple(kinds))


def _gaps(sentence: str) -> Iterator[tuple[int, int, str]]:
    for kind, pattern in _GAPS:
        for match in pattern.finditer(sentence):
            yield match.start(), match.end(), kind
