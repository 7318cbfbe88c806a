"""AuditResult: what an audit found, fit for a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from workbench.core.access import THREATS
from workbench.core.blocks import Block, Example, Examples, Fact, Facts, Heading, Table, Text
from workbench.core.result import Result
from workbench.results._audit_pages import (
    annex_table,
    cost_table,
    finding_table,
    forest,
    grade_table,
    grid_table,
    limits,
    lossy,
    matrix_table,
    risk_table,
    rows_left_out,
)
from workbench.results._audit_scores import group_blocks, person_table, recovery_chart, recovery_tables
from workbench.results.audit_parts import Cell, Control, Finding, Grade, GroupScores, Persons, Policy, Recovery, worst
from workbench.results.scores import ScoreTable

Verdict = Literal["done", "done on a lossy copy", "inconclusive"]
_RULE = "a quarter the best, a quarter around the median, the rest at random,"


@dataclass(frozen=True)
class AttackCost:
    """What an inversion took: seconds of wall time, and texts that the embedder was asked for, a vector."""

    threat: str
    attack: str
    n: int
    seconds: float
    queries: float


@dataclass(frozen=True)
class AuditResult(Result):
    """One audit: the plan, the attacker, the controls, scores on sentences, and recovery of personal data."""

    schema_version: ClassVar[int] = 2

    title: str
    plan: Mapping[str, Any]
    threat: Mapping[str, Any]
    embedder: Mapping[str, Any]
    controls: tuple[Control, ...]
    sentences: ScoreTable
    groups: tuple[GroupScores, ...]
    """The main attack again, by length of the hidden sentence, by corpus, and by a label of the store."""
    recoveries: tuple[Recovery, ...]
    persons: tuple[Persons, ...]
    examples: tuple[Example, ...]
    records: tuple[Example, ...]
    seconds: float
    checkpoint: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()
    """Every leak that was measured, beside its floor."""
    cells: tuple[Cell, ...] = ()
    """Every attack under every threat model: run, not applicable, or not run and why."""
    policy: Policy = field(default_factory=Policy)
    others: tuple[ScoreTable, ...] = ()
    """Scores of the further attacks that turn vectors into text."""
    costs: tuple[AttackCost, ...] = ()
    lost: tuple[str, ...] = ()
    """What the vectors that were attacked no longer hold of those that were embedded, and how they were decoded."""
    left_out: tuple[str, ...] = ()
    """Rows of the store that were skipped or not scored, and labels that some hidden sentences lack, in words."""

    def grades(self) -> dict[str, Grade]:
        """The worst grade of each threat model that was tried; inconclusive where a control failed."""
        named = {each.threat for each in self.findings}
        tried = [name for name in THREATS if name in named]
        if self.verdict == "inconclusive":
            return dict.fromkeys(tried, "inconclusive")
        found = {name: worst(tuple(each for each in self.findings if each.threat == name)) for name in tried}
        return {name: each.grade for name, each in found.items() if each}

    @property
    def verdict(self) -> Verdict:
        """`inconclusive` when a control failed, `done on a lossy copy` where the vectors were quantised or only in part
        decoded; never `safe`: an attack is a lower bound on what leaks."""
        if not all(control.passed for control in self.controls):
            return "inconclusive"
        return "done on a lossy copy" if self.lost else "done"

    def blocks(self) -> tuple[Block, ...]:
        """The report, from headline to method."""
        return (*self.opening(), *self.closing())

    def opening(self) -> tuple[Block, ...]:
        """Verdict, controls, what was tried, and results."""
        return (
            Heading(self.title, 1),
            *self._summary(),
            *self._graded(),
            *forest(self._found(), self.policy),
            Heading("Are the numbers to be trusted?"),
            *self._controls(),
            Heading("What was tried, and what was not"),
            *self._grid(),
            Heading("How much of a sentence comes back"),
            Text(
                "Each sentence was embedded, its text hidden, and the vector handed to the attacker. The floors say "
                "what is had without inversion: the nearest text of a public corpus, a closed-form list of words, the "
                "most frequent words of public text, a store's metadata read as if it were the text, the same attack "
                "on vectors of an encoder that has learnt nothing, and on shuffled ones (the language prior: what it "
                "writes whatever the vector says)."
            ),
            self.sentences.chart(),
            self.sentences.table(),
            *group_blocks(self.groups),
            Text(f"Intervals are 95%. {self.sentences.counted()}"),
            Examples(f"Hidden sentences, {_RULE} by cosine; {self._shown()}", self.examples),
            Heading("How much personal data comes back"),
            Text(
                "The persons are made up and were planted, so every hit is checked against what was written, to the "
                "letter. Excess is the share of values found less the share that the same attack finds on shuffled "
                "vectors: what the vector itself gave away. Names and towns come from public lists that the attacker's "
                "training text draws from too, so a hit among them is the right choice from a list; telephone and "
                "account numbers and addresses are new."
            ),
            recovery_chart(self.recoveries),
            *recovery_tables(self.recoveries, self._main()),
            person_table(self.persons, self._main()),
            Text(
                "Nearly: found but for one character in five, edits counted against the best stretch of the text. Made "
                "up: of the values of that form in what was read, those that the hidden text does not have; names and "
                "towns have no form to be told by, so for them there is no such number. Persons are distinct names; "
                "linked: the name and another value came back in one text."
            ),
            Examples(f"Records with planted personal data, {_RULE} by values found; {self._told()}", self.records),
            *self._others(),
        )

    def closing(self) -> tuple[Block, ...]:
        """Risks, limits, and how to do it again."""
        return (
            Heading("Risks, as frameworks name them"),
            risk_table(self.findings, self.grades()),
            Heading("Limits"),
            *limits(),
            Heading("What was done"),
            *self._method(),
        )

    def brief(self) -> tuple[Block, ...]:
        """Headline, controls, and one table each for sentences and personal data."""
        main = self._main()
        recovered = tuple(
            (r.kind, r.exact, r.fuzzy, r.partial, r.excess, r.invented) for r in self.recoveries if r.method == main
        )
        return (
            Heading(self.title, 1),
            *self._summary(),
            *self._controls(),
            *((grade_table(self.findings, self.grades()),) if self.findings else ()),
            self.sentences.table(),
            Table(
                ("kind", "found whole", "nearly", "share of its words", "excess", "made up"),
                recovered,
                f"Personal data, {main}",
                digits=2,
            ),
        )

    def _main(self) -> str:
        return next(score.method for score in self.sentences.scores if score.role == "attack")

    def _summary(self) -> tuple[Block, ...]:
        if self.verdict == "inconclusive":
            failed = ", ".join(control.name for control in self.controls if not control.passed)
            return (
                Text(f"Inconclusive: a control failed ({failed}). No number below says anything about leakage.", "bad"),
            )
        by_role = {score.role: score for score in reversed(self.sentences.scores)}
        attack, prior = by_role["attack"], by_role.get("prior")
        facts = [
            Fact(
                "of a hidden sentence's words are read off its vector (token F1)",
                f"{attack.token_f1.value:.0%}",
                attack.token_f1.percents() + (f"; {prior.token_f1.value:.0%} without the vector" if prior else ""),
                "bad",
            ),
            Fact(
                "of sentences come back whole",
                f"{attack.exact.value:.0%}",
                f"{attack.exact.percents()}, n = {attack.exact.n}"
                + (f"; {attack.string_exact.value:.0%} to the letter" if attack.string_exact else ""),
                "bad" if attack.exact.low > 0.01 else "plain",
            ),
        ]
        if own := next((each for each in self.persons if each.method == attack.method), None):
            read = own.anything
            facts.append(
                Fact(
                    "of planted persons have a value of theirs come back whole",
                    f"{read.value:.0%}",
                    f"{read.percents()}, n = {read.n}",
                    "bad" if own.anything_excess and own.anything_excess.low > 0 else "plain",
                )
            )
        worst = [r for r in self.recoveries if r.method == attack.method and r.excess]
        if worst:
            top = max(worst, key=lambda r: (r.exact.value, r.partial.value))
            facts.append(
                Fact(
                    f"of planted values of the kind '{top.kind}' come back whole, the worst kind",
                    f"{top.exact.value:.0%}",
                    f"{top.exact.percents()}, n = {top.exact.n}",
                    "bad" if top.excess and top.excess.low > 0 else "plain",
                )
            )
        return (
            *lossy(self.lost),
            *rows_left_out(self.left_out),
            Text(
                f"What {self.embedder['embedder']} vectors give away to an attacker who {self.threat['description']}."
            ),
            Facts(tuple(facts)),
            Text(
                "Every attack is a lower bound: a stronger one may read more. These numbers hold for texts like those "
                "that were tested, under this threat model; a low one is no proof that a store gives nothing away.",
                "warn",
            ),
        )

    def _graded(self) -> tuple[Block, ...]:
        if not self.findings:
            return ()
        return (
            grade_table(self.findings, self.grades()),
            Text(
                f"Grades go by the lower bound of the excess over the floor: severe from {self.policy.severe:g}, "
                f"substantial from {self.policy.substantial:g}, limited above 0. These thresholds are the policy of "
                "whoever ordered this audit, and no law. A threat model has the worst grade of what was tried under it."
            ),
        )

    def _grid(self) -> tuple[Block, ...]:
        if not self.cells:
            return (Text("Only the attack below was tried."),)
        cells = self.cells
        if self.verdict == "inconclusive":
            cells = tuple(
                replace(cell, why=f"{cell.why.rpartition(': ')[0]}: inconclusive") if cell.excess else cell
                for cell in cells
            )
        return matrix_table(cells), grid_table(cells)

    def _found(self) -> tuple[Finding, ...]:
        """The findings as they may be shown: none has a grade where a control failed."""
        if self.verdict != "inconclusive":
            return self.findings
        return tuple(replace(each, grade="inconclusive") for each in self.findings)

    def _others(self) -> tuple[Block, ...]:
        if not self.others:
            return ()
        return (
            Heading("Attackers who hold less, or more"),
            *(table.table() for table in self.others),
            cost_table(self.costs),
            finding_table(self._found()),
        )

    def _controls(self) -> tuple[Block, ...]:
        rows = tuple((c.name, "passed" if c.passed else "FAILED", c.detail) for c in self.controls)
        return (Table(("control", "", "what was seen"), rows),)

    def _shown(self) -> str:
        if not self.plan.get("store"):
            return "of the public test split, so shown as they are; shared words are marked"
        shown = "shown as they are, as the plan asks" if self._plaintext else "their letters masked"
        return f"texts of the store, {shown}; shared words are marked"

    def _told(self) -> str:
        if self._plaintext:
            return "planted data is shown as it is, as the plan asks; shared words are marked"
        return "planted data is masked, marks say what was recovered"

    @property
    def _plaintext(self) -> bool:
        return bool(self.plan.get("include_plaintext"))

    def _method(self) -> tuple[Block, ...]:
        parts = {"plan": self.plan, "attacker": self.threat, "embedder": self.embedder, "checkpoint": self.checkpoint}
        return (
            Text("Everything that is needed to run this audit again; report.json beside this page holds every number."),
            annex_table({**parts, "run": {"seconds": f"{self.seconds:.0f}"}}),
        )
