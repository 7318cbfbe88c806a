"""What an audit is made of: controls, planted data that was recovered, findings, and the grid of what was tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.core.estimate import Estimate, difference

Grade = Literal["severe", "substantial", "limited", "not detected at this power", "inconclusive"]
GRADES: tuple[Grade, ...] = ("severe", "substantial", "limited", "not detected at this power", "inconclusive")
"""From the worst to the least that can be said."""
State = Literal["run", "not applicable", "not run"]
_POWERED = (1.96 + 0.84) / (2 * 1.96)
"""Half-widths of a 95% interval at which a two-sided test at 5% has a power of 80%."""


@dataclass(frozen=True)
class Control:
    """A check of the audit itself; if one fails, its other numbers mean nothing."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Recovery:
    """How often planted data of one kind was read off the vectors by one method.

    `exact` is the share of values found whole in the reconstruction (normalised words), `fuzzy` that of values found
    but for one character in five (edits, normalised by the value's length), `partial` the mean share of a value's words
    found. `excess` and `fuzzy_excess` are less the same method's on shuffled vectors (its language prior).

    `invented` is, of the values of this kind that the reconstructions hold, the share that is not the hidden text's;
    None where a kind has no shape by which it could be told (names, towns), or none was written.
    """

    method: str
    kind: str
    exact: Estimate
    fuzzy: Estimate
    partial: Estimate
    excess: Estimate | None
    fuzzy_excess: Estimate | None
    invented: Estimate | None = None


@dataclass(frozen=True)
class Persons:
    """Of how many distinct planted persons one method read anything: shares of the persons.

    `named` had their name read whole, `linked` their name and another value in the same reconstruction; None where no
    person was planted with a name. The excess is over the same method on shuffled vectors.
    """

    method: str
    anything: Estimate
    named: Estimate | None
    linked: Estimate | None
    anything_excess: Estimate | None
    named_excess: Estimate | None
    linked_excess: Estimate | None


@dataclass(frozen=True)
class GroupScores:
    """The main attack on one group of hidden texts, and what it has there beyond its language prior on the same texts.

    `by` says how the texts were grouped (length, corpus, or a label), `words` is their mean number of words. The excess
    is the mean of paired differences.
    """

    by: str
    group: str
    n: int
    words: float
    token_f1: Estimate
    prior_f1: Estimate
    excess: Estimate
    exact: Estimate
    exact_excess: Estimate


@dataclass(frozen=True)
class Policy:
    """From which excess over its floor a leak is called severe or substantial. The user's policy, not a law of nature.

    The lower bound of the excess is graded, so a small sample is never called a leak by chance.
    """

    severe: float = 0.25
    substantial: float = 0.10

    def grade(self, excess: Estimate) -> Grade:
        """The grade of one excess."""
        if excess.low >= self.severe:
            return "severe"
        if excess.low >= self.substantial:
            return "substantial"
        return "limited" if excess.low > 0 else "not detected at this power"


@dataclass(frozen=True)
class Finding:
    """One leak that was measured under a threat model: what the attack had, what is had without the vectors, and what
    is left between them. All are shares between 0 and 1."""

    threat: str
    attack: str
    measure: str
    value: Estimate
    floor: Estimate | None
    excess: Estimate
    grade: Grade

    @classmethod
    def of(cls, threat: str, attack: str, measure: str, value: Estimate, floor: Estimate, policy: Policy) -> Finding:
        """A value beside its floor, graded by their difference."""
        excess = difference(value, floor)
        return cls(threat, attack, measure, value, floor, excess, policy.grade(excess))

    @property
    def detectable(self) -> float | None:
        """The smallest excess that a sample of this size shows four times in five; None where it gives no interval."""
        if not self.excess.has_interval:
            return None
        return _POWERED * (self.excess.high - self.excess.low)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same finding in another audit."""
        return self.threat, self.attack, self.measure


@dataclass(frozen=True)
class Cell:
    """One attack under one threat model: that it ran, or why it did not. A blank never looks like a pass."""

    threat: str
    attack: str
    state: State
    why: str
    excess: Estimate | None = None
    """Of its worst finding, where it ran."""


def worst(findings: tuple[Finding, ...]) -> Finding | None:
    """The finding of the worst grade, by the lower bound of its excess where grades are equal."""
    return min(findings, key=lambda each: (GRADES.index(each.grade), -each.excess.low), default=None)
