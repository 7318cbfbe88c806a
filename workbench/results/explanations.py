"""Explanations: what a language model read off vectors, beside what it says blind and what linear probes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.estimate import proportion
from workbench.core.result import Result

UNCLEAR = "unclear"
"""What the model says where it abstains."""
_SURE = 0.25
"""A probe that is this near to 0 or 1 is sure of itself."""
_SHOWN, _CLAIMS_SHOWN, _BRIEF = 200, 50, 8
"""Vectors whose descriptions and whose claims are shown, and those that fit a terminal."""
_LONGEST, _WORDS = 160, 8
_LIMITS = (
    "All of it is read off the vector and may be invented. Compare it with the blind answer, which is what the same "
    "model says when it is given another vector: what both say, the model says of anything."
)


@dataclass(frozen=True)
class Claim:
    """One attribute that the language model read off the vector, and whether a linear probe agrees."""

    name: str
    question: str
    answer: str
    """yes, no or unclear."""
    probability: float
    """Of yes, calibrated."""
    probe: float | None
    """Probability of yes by a linear probe on the same vector; None where there is no probe."""

    @property
    def contradicted(self) -> bool:
        """Whether the probe is sure of the other side; never where the model abstains or there is no probe."""
        if self.probe is None or self.answer == UNCLEAR:
            return False
        return self.probe < _SURE if self.probability >= 0.5 else self.probe > 1 - _SURE


@dataclass(frozen=True)
class Explanation:
    """One vector. The cosines lie between it and the description embedded anew; None without an embedder."""

    id: str
    description: str
    """`unclear` where the model abstains."""
    keywords: tuple[tuple[str, float], ...]
    """Words, and the probability that each stands in the hidden text."""
    cosine: float | None
    blind: str
    """What the same model says of another vector."""
    blind_cosine: float | None
    question: str = ""
    answer: str = ""
    probability: float | None = None
    """Of yes."""
    blind_probability: float | None = None
    claims: tuple[Claim, ...] = ()
    text: str = ""
    """The hidden text where the caller has it: for the eye only, the model never saw it."""

    @property
    def abstained(self) -> bool:
        """Whether the model would not describe the vector."""
        return self.description == UNCLEAR


@dataclass(frozen=True)
class Explanations(Result):
    """What the language model `model` said of each of n vectors; `seconds` is the wall time of all."""

    title: str
    embedder: str
    model: str
    checkpoint: str
    rows: tuple[Explanation, ...]
    seconds: float

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> Explanation:
        return self.rows[row]

    @property
    def question(self) -> str:
        """What was asked of the vectors; empty where nothing was."""
        return next((row.question for row in self.rows if row.question), "")

    def records(self) -> list[dict[str, Any]]:
        """One JSON-ready dict a vector; `answer` and `probability` are None where nothing was asked."""
        return [
            {
                "id": row.id,
                "description": row.description,
                "keywords": [word for word, _ in row.keywords],
                "answer": row.answer if row.question else None,
                "probability": _rounded(row.probability) if row.question else None,
                "cosine": _rounded(row.cosine),
                "blind": row.blind,
                "claims": [
                    {
                        "name": claim.name,
                        "answer": claim.answer,
                        "probability": _rounded(claim.probability),
                        "probe": _rounded(claim.probe),
                        "contradicted": claim.contradicted,
                    }
                    for claim in row.claims
                ],
            }
            for row in self.rows
        ]

    def table(self) -> Table:
        """A line a vector: what is said of it, how near that comes, and the same blind."""
        columns = ("id", "hidden text", "description", "keywords", "cosine", "said of another vector", "blind cosine")
        shown = self.rows[:_SHOWN]
        rows = tuple(
            (
                *(row.id, _short(row.text), _short(row.description), _words(row.keywords)),
                *(row.cosine, _short(row.blind), row.blind_cosine),
            )
            for row in shown
        )
        return _filled(Table(columns, rows, self._caption("Descriptions", len(shown)), digits=2))

    def answers(self) -> Table:
        """A line for each vector of which something was asked."""
        asked = [row for row in self.rows[:_SHOWN] if row.question]
        rows = tuple(
            (row.id, _short(row.text), row.answer, row.probability, row.blind_probability, _short(row.description))
            for row in asked
        )
        columns = ("id", "hidden text", "answer", "probability of yes", "blind", "description")
        return _filled(Table(columns, rows, self._caption(self.question, len(asked)), digits=2))

    def claims_table(self) -> Table:
        """A line a claim; those that a probe contradicts are marked."""
        found = [(row, claim) for row in self.rows[:_CLAIMS_SHOWN] for claim in row.claims]
        caption = self._caption("Claims, beside linear probes on the same vectors", min(len(self), _CLAIMS_SHOWN))
        return _claims(found, caption)

    def contradictions(self) -> tuple[tuple[Explanation, Claim], ...]:
        """Every claim that a probe contradicts, with its vector."""
        return tuple((row, claim) for row in self.rows for claim in row.claims if claim.contradicted)

    def setting(self) -> str:
        """What was done, in words, and what it is worth."""
        made = f" ({self.checkpoint})" if self.checkpoint else ""
        asked = f' It was asked: "{self.question}"' if self.question else ""
        return (
            f"{self.model}{made} was given each of {len(self):,} vectors of {self.embedder} as a soft prompt, never a "
            f"text, and said what the hidden text is about; {self.seconds:.1f} s in all.{asked} {_LIMITS} A claim is "
            "contradicted where the linear probe puts the other answer above 75%."
        )

    def blocks(self) -> tuple[Block, ...]:
        """Headline, limits, descriptions, answers and claims."""
        if not self.rows:
            return (Heading(self.title), Text("There was no vector to explain.", "warn"))
        return (
            Heading(self.title),
            self._facts(),
            Text(self.setting()),
            *((self.answers(),) if self.question else ()),
            self.table(),
            *((self.claims_table(),) if any(row.claims for row in self.rows) else ()),
        )

    def brief(self) -> tuple[Block, ...]:
        """Headline, the first few, and what probes contradict."""
        if not self.rows:
            return self.blocks()
        shown, asked = self.rows[:_BRIEF], bool(self.question)
        columns = ("id", "description", "cosine", "blind cosine", *(("answer", "yes", "blind yes") if asked else ()))
        rows = tuple(
            (
                *(row.id, _short(row.description), row.cosine, row.blind_cosine),
                *((row.answer, row.probability, row.blind_probability) if asked else ()),
            )
            for row in shown
        )
        caption = self._caption(self.question or "Descriptions", len(shown))
        against = self.contradictions()[:_BRIEF]
        return (
            Heading(self.title),
            self._facts(),
            _filled(Table(columns, rows, caption, digits=2)),
            *((_claims(against, "Claims that linear probes contradict, the first few"),) if against else ()),
            Text(_LIMITS, "warn"),
        )

    def _caption(self, caption: str, shown: int) -> str:
        return caption if shown == len(self) else f"{caption} (the first {shown:,} of {len(self):,} vectors)"

    def _facts(self) -> Facts:
        abstained = sum(row.abstained for row in self.rows)
        probed = [claim for row in self.rows for claim in row.claims if claim.probe is not None]
        against = len(self.contradictions())
        items = [*self._nearness(), Fact("abstained", f"{abstained:,} of {len(self):,}", "described as unclear")]
        if self.question:
            counts = Counter(row.answer for row in self.rows if row.question)
            said = ", ".join(f"{count:,} {answer}" for answer, count in counts.most_common())
            items.append(Fact("answers", said, self.question))
        if probed:
            share = f"{against:,} of {len(probed):,}"
            items.append(Fact("claims contradicted", share, "by linear probes", "warn" if against else "plain"))
        return Facts(tuple(items))

    def _nearness(self) -> tuple[Fact, ...]:
        """How near the descriptions come, beside the blind ones; what the model would not describe does not count."""
        described = [row for row in self.rows if not row.abstained]
        pairs = [(r.cosine, r.blind_cosine) for r in described if r.cosine is not None and r.blind_cosine is not None]
        ours = [row.cosine for row in described if row.cosine is not None]
        if not ours:
            return ()
        name, value = "mean cosine of the descriptions", f"{sum(ours) / len(ours):.2f}"
        if not pairs:
            return (Fact(name, value, "embedded anew"),)
        nearer = proportion(sum(cosine > blind for cosine, blind in pairs), len(pairs))
        blind = sum(blind for _, blind in pairs) / len(pairs)
        note = f"{blind:.2f} blind; nearer than blind in {100 * nearer.value:.0f}% {nearer.interval(0, 100.0)}"
        tone = "good" if nearer.low > 0.5 else "bad" if nearer.high < 0.5 else "plain"
        return (Fact(name, value, note, tone),)


def _claims(found: Sequence[tuple[Explanation, Claim]], caption: str) -> Table:
    rows = tuple(
        (
            *(row.id, claim.question or claim.name, claim.answer, claim.probability, claim.probe),
            "contradicted" if claim.contradicted else "",
        )
        for row, claim in found
    )
    columns = ("id", "claim", "answer", "probability of yes", "by the probe", "")
    marked = tuple(place for place, (_, claim) in enumerate(found) if claim.contradicted)
    return _filled(Table(columns, rows, caption, strong=marked, digits=2))


def _filled(table: Table) -> Table:
    """Without the columns that hold nothing."""
    kept = [place for place in range(len(table.columns)) if any(row[place] not in (None, "") for row in table.rows)]
    rows = tuple(tuple(row[place] for place in kept) for row in table.rows)
    return Table(tuple(table.columns[place] for place in kept), rows, table.caption, table.strong, table.digits)


def _words(keywords: tuple[tuple[str, float], ...]) -> str:
    return ", ".join(f"{word} {probability:.2f}" for word, probability in keywords[:_WORDS])


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\u2026"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 6)
