"""AuditDiff: what changed between two audits, and which changes exceed noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.estimate import Estimate, difference
from workbench.core.result import Result
from workbench.results.audit_parts import Finding, Grade
from workbench.results.audit_result import AuditResult


@dataclass(frozen=True)
class Change:
    """One finding in both audits; `shift` is the later excess less the earlier one."""

    threat: str
    attack: str
    measure: str
    before: Estimate
    after: Estimate
    shift: Estimate
    grade_before: Grade
    grade_after: Grade

    @property
    def grades(self) -> str:
        """The grade, or how it changed."""
        same = self.grade_before == self.grade_after
        return self.grade_after if same else f"{self.grade_before} -> {self.grade_after}"

    @property
    def beyond_noise(self) -> bool:
        """Whether the interval of the shift leaves 0 out."""
        return self.shift.low > 0 or self.shift.high < 0


@dataclass(frozen=True)
class AuditDiff(Result):
    """Two audits, side by side. Shifts take the audits as independent, which is cautious where they share texts."""

    before: str
    after: str
    changes: tuple[Change, ...]
    only_before: tuple[Finding, ...]
    only_after: tuple[Finding, ...]
    plan: tuple[tuple[str, str, str], ...]
    """Choices that differ: name, earlier, later."""

    @classmethod
    def of(cls, before: AuditResult, after: AuditResult) -> AuditDiff:
        """Compare findings of the same threat model, attack and measure."""
        old, new = ({each.key: each for each in audit.findings} for audit in (before, after))
        changes = [
            Change(
                *key,
                old[key].excess,
                new[key].excess,
                difference(new[key].excess, old[key].excess),
                old[key].grade,
                new[key].grade,
            )
            for key in new
            if key in old
        ]
        return cls(
            before.title,
            after.title,
            tuple(changes),
            tuple(old[key] for key in old if key not in new),
            tuple(new[key] for key in new if key not in old),
            tuple(_differing(before, after)),
        )

    @property
    def worse(self) -> tuple[Change, ...]:
        """Changes for the worse, beyond noise."""
        return tuple(each for each in self.changes if each.shift.low > 0)

    def blocks(self) -> tuple[Block, ...]:
        """Counts, changes beyond noise first, what only one of them measured, and choices that differ."""
        better = sum(each.shift.high < 0 for each in self.changes)
        order = sorted(self.changes, key=lambda each: (not each.beyond_noise, -abs(each.shift.value)))
        rows = tuple(
            (
                each.threat,
                each.attack,
                each.measure,
                each.before,
                each.after,
                each.shift,
                ("more" if each.shift.value > 0 else "less") if each.beyond_noise else "within noise",
                each.grades,
            )
            for each in order
        )
        columns = ("threat model", "attack", "measure", "excess before", "after", "shift", "", "grade")
        strong = tuple(place for place, each in enumerate(order) if each.beyond_noise)
        blocks: list[Block] = [
            Heading(f"What changed: {self.before} -> {self.after}" if self.before != self.after else "What changed"),
            Facts(
                (
                    Fact("leak more, beyond noise", str(len(self.worse)), "", "bad" if self.worse else "plain"),
                    Fact("leak less, beyond noise", str(better), "", "good" if better else "plain"),
                    Fact("within noise", str(len(self.changes) - len(self.worse) - better)),
                )
            ),
            Table(columns, rows, "Findings of both audits", strong, digits=2),
        ]
        for title, found in (("No longer measured", self.only_before), ("Newly measured", self.only_after)):
            if found:
                lines = tuple((each.threat, each.attack, each.measure, each.excess, each.grade) for each in found)
                blocks.append(Table(("threat model", "attack", "measure", "excess", "grade"), lines, title, digits=2))
        if self.plan:
            blocks.append(Table(("choice", "before", "after"), self.plan, "Choices that differ"))
        blocks.append(
            Text("One shift in forty crosses either limit by chance alone, so with many findings a few may be noise.")
        )
        return tuple(blocks)


def _differing(before: AuditResult, after: AuditResult) -> list[tuple[str, str, str]]:
    out = []
    parts: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...] = (
        (before.plan, after.plan),
        (before.embedder, after.embedder),
        (before.checkpoint, after.checkpoint),
    )
    for old, new in parts:
        for key in dict.fromkeys((*old, *new)):
            if old.get(key) != new.get(key):
                out.append((str(key), str(old.get(key, "-")), str(new.get(key, "-"))))
    return out
