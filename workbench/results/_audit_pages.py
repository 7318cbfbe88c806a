"""Parts of an audit's report that look over all its findings: grades, the grid, risks, costs, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.core.access import THREATS
from workbench.core.blocks import Block, Intervals, Series, Table, Text
from workbench.results.audit_parts import GRADES, Cell, Finding, Grade, Policy, worst

if TYPE_CHECKING:
    from workbench.results.audit_result import AttackCost

_RISKS = (
    ("OWASP LLM08:2025 / LLM09:2026", "vector and embedding weaknesses: inversion", ("words", "whole", "personal")),
    ("MITRE ATLAS AML.T0024.001", "model inversion: content from vectors", ("words", "whole", "personal")),
    ("MITRE ATLAS AML.T0024.000", "membership inference", ("members",)),
    ("NIST AI 100-2, privacy attacks", "attribute inference and data reconstruction", ("inferred", "read, defence")),
    ("OWASP AISVS 8.4.1", "leakage targets defined, measured and gated", ("",)),
)
"""Framework, what it names, and how the measures that speak of it begin or go on."""


def grade_table(findings: Sequence[Finding], grades: Mapping[str, Grade]) -> Table:
    """A row a threat model: its grade, and the finding that it comes from."""
    rows = []
    for name, grade in grades.items():
        top = worst(tuple(each for each in findings if each.threat == name))
        assert top is not None  # a threat model is graded by its findings
        rows.append((f"{THREATS[name].id} {name}", grade, top.attack, top.measure, top.value, top.floor, top.excess))
    columns = ("threat model", "grade", "attack", "worst finding", "found", "floor", "excess")
    return Table(columns, tuple(rows), "What an attacker reads, by what they hold", digits=2)


def finding_table(findings: Sequence[Finding]) -> Table:
    """Every finding, with the smallest excess that its sample could have shown."""
    rows = tuple(
        (each.threat, each.attack, each.measure, each.value, each.floor, each.excess, each.detectable, each.grade)
        for each in findings
    )
    columns = ("threat model", "attack", "measure", "found", "floor", "excess", "detectable", "grade")
    return Table(columns, rows, "All findings; detectable: the smallest excess shown four times in five", digits=2)


def forest(findings: Sequence[Finding], policy: Policy) -> tuple[Intervals, ...]:
    """The excess of every finding with its interval, one under the other, worst first under each threat model."""
    if not findings:
        return ()
    rungs = {name: threat.id for name, threat in THREATS.items()}
    shown = sorted(findings, key=lambda each: (rungs.get(each.threat, each.threat), -each.excess.low))
    labels = tuple(f"{rungs.get(each.threat, each.threat)} {each.attack}: {each.measure}" for each in shown)
    series = Series("excess over the floor", tuple(each.excess for each in shown))
    rules = (("substantial", policy.substantial), ("severe", policy.severe))
    return (Intervals("Excess of every finding over its floor", "excess, 0 to 1", labels, (series,), 1.0, rules),)


def matrix_table(cells: Sequence[Cell]) -> Table:
    """A row an attack, a column a threat model: the worst grade where it ran, else that it did not, or cannot apply."""
    attacks = tuple(dict.fromkeys(cell.attack for cell in cells))
    place = {(cell.attack, cell.threat): cell for cell in cells}
    rows = tuple((attack, *(_state(place.get((attack, name)), name) for name in THREATS)) for attack in attacks)
    columns = ("attack", *(threat.id for threat in THREATS.values()))
    return Table(columns, rows, "Attacks by threat model; n/a: does not apply to what this attacker holds")


def _state(cell: Cell | None, threat: str) -> str:
    if cell is None or cell.state == "not run" or not THREATS[threat].vectors:
        return "not run"
    if cell.state == "not applicable":
        return "n/a"
    grade = cell.why.rpartition(": ")[2]
    return grade.partition(" at ")[0] if grade in GRADES else "run"


def grid_table(cells: Sequence[Cell]) -> Table:
    """A row a threat model: what ran, what did not and why, and what does not apply."""
    rows = []
    for name, threat in THREATS.items():
        here = [cell for cell in cells if cell.threat == name]
        ran = "; ".join(f"{cell.attack} ({cell.why})" for cell in here if cell.state == "run")
        reasons: dict[str, list[str]] = {}
        for cell in here:
            if cell.state == "not run":
                reasons.setdefault(cell.why, []).append(cell.attack)
        missed = "; ".join(f"{', '.join(names)}: {why}" for why, names in reasons.items())
        idle = ", ".join(cell.attack for cell in here if cell.state == "not applicable")
        if not threat.vectors:
            missed, idle = "not run: an application would have to be asked, and this audit has only vectors", ""
        rows.append((f"{threat.id} {name}", ran or "nothing", missed or "-", idle or "-"))
    columns = ("threat model", "run", "not run, and why", "does not apply")
    return Table(columns, tuple(rows), "What was not run has not passed")


def cost_table(costs: Sequence[AttackCost]) -> Table:
    """What the inversions took."""
    rows = tuple((each.threat, each.attack, each.n, each.seconds, each.queries) for each in costs)
    columns = ("threat model", "attack", "vectors", "seconds a vector", "queries a vector")
    return Table(columns, rows, "What the attacks cost the attacker, on the machine of this audit", digits=2)


def risk_table(findings: Sequence[Finding], grades: Mapping[str, Grade]) -> Table:
    """A row a framework's risk: the worst finding that speaks of it, or that nothing does."""
    rows = []
    for framework, risk, words in _RISKS:
        met = tuple(each for each in findings if any(each.measure.startswith(w) or w in each.measure for w in words))
        top = worst(met)
        said = f"{top.grade}: {top.measure}, {top.attack} ({top.threat})" if top else "not measured"
        inconclusive = top is not None and grades.get(top.threat) == "inconclusive"
        rows.append((framework, risk, "inconclusive" if inconclusive else said))
    return Table(("framework", "risk", "worst finding"), tuple(rows), "Risk register")


def annex_table(parts: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row a choice or fact, under the name of its part."""
    rows = [(part, key, _words(value)) for part, choices in parts.items() for key, value in choices.items()]
    return Table(("", "", ""), tuple(rows))


def rows_left_out(said: Sequence[str]) -> tuple[Block, ...]:
    """Which rows of a store this audit says nothing about."""
    return (Text(f"Rows of the store that were left out: {'; '.join(said)}.", "warn"),) if said else ()


def lossy(lost: Sequence[str]) -> tuple[Block, ...]:
    """That what was attacked is a lossy copy, and what that means for a leak that was not detected."""
    if not lost:
        return ()
    return (
        Text(
            f"The vectors that were attacked are a lossy copy of those that were embedded: {'; '.join(lost)}. Every "
            "number below holds for this copy as it was decoded. A low one, and a leak that was not detected, does not "
            "say that the vectors as they were embedded, or a better decoder of this copy, give away as little.",
            "warn",
        ),
    )


def limits() -> tuple[Block, ...]:
    """What no number of an audit says."""
    return (
        Text(
            "Every attack is a lower bound: a stronger inverter, more pairs or more time may read more. Grades hold "
            "for texts like those that were tested, for this embedder, and for attackers who hold what is stated. "
            "Whether a person can be identified depends on what else the holder of the vectors can know, so no grade "
            "here is a legal statement, and none makes vectors harmless."
        ),
        Text(
            "few-shot and unpaired map vectors to an embedder that the attacker knows (minilm unless changed); where "
            "that is the audited one itself, this is the best that the attacker can hope for."
        ),
        Text(
            "Persons were made up and planted; a real store may hold rarer or more common names. Attributes are those "
            "that were labelled. What was not run has not passed."
        ),
    )


def _words(value: Any) -> str:
    if value in ("", None):
        return "-"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
