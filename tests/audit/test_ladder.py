"""The ladder, the gate, the ledger and the comparison: what was not looked at has not passed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.audit import attribute_inference, membership, payload
from workbench.audit._ledger import Ledger
from workbench.audit.gate import Gate
from workbench.audit.ladder import ATTACKS, admit, grid, needs
from workbench.audit.plan import AuditPlan
from workbench.core.access import THREATS
from workbench.core.blocks import Block
from workbench.core.errors import AccessDenied, BadInput, UnknownName
from workbench.core.estimate import difference, proportion
from workbench.core.result import Result
from workbench.invert import INVERTERS
from workbench.results._audit_pages import matrix_table
from workbench.results.audit_diff import Change
from workbench.results.audit_parts import GRADES, Finding, Policy, worst


def finding(hits, n=200, threat="known-encoder", attack="search", measure="personal data: email", floor=0):
    value, least = proportion(hits, n), proportion(floor, n)
    excess = difference(value, least)
    return Finding(threat, attack, measure, value, least, excess, Policy().grade(excess))


@dataclass(frozen=True)
class Small(Result):
    number: int

    def blocks(self) -> tuple[Block, ...]:
        return ()


def test_threats_have_the_ids_of_the_ladder():
    assert [threat.id for threat in THREATS.values()] == [f"T{n}" for n in range(9)]


@pytest.mark.parametrize(
    ("threat", "attack", "why"),
    [
        ("stolen-store", "hypothesis", "hypothesis needs QUERY; threat model 'stolen-store' grants SAMPLES"),
        ("known-encoder", "white-box", "white-box needs WEIGHTS; threat model 'known-encoder' grants QUERY"),
        ("public-text", "few-shot", "few-shot needs PAIRS; threat model 'public-text' grants SAMPLES"),
        ("search-scores", "membership", "membership needs the vectors; threat model 'search-scores' holds none"),
        ("known-encoder", "attribute-inference", "needs labels of some rows"),
    ],
)
def test_access_is_enforced_by_name(threat, attack, why):
    with pytest.raises(AccessDenied, match=why):
        admit(THREATS[threat], attack)
    with pytest.raises(AccessDenied, match=why):
        AuditPlan(also={threat: (attack,)}).admit()


def test_a_plan_that_names_no_attack_is_told_which_there_are():
    with pytest.raises(BadInput, match="no attack is called 'serch'; expected one of payload"):
        AuditPlan.of({"also": {"known-encoder": ["serch"]}})
    with pytest.raises(UnknownName, match="Did you mean 'search'"):
        AuditPlan(attack="serch").admit()
    with pytest.raises(UnknownName, match="no attack is called 'membership'"):
        AuditPlan(attack="membership").admit()


def test_what_an_attack_needs_is_stated_once():
    own = {"payload": payload.NEEDS, "membership": membership.NEEDS, "attribute-inference": attribute_inference.NEEDS}
    assert {name: needs(name) for name in own} == own
    inverters = {name for name, attack in ATTACKS.items() if attack.inverts}
    assert inverters == set(INVERTERS.names()) - set(AuditPlan().floors)
    assert all(needs(name) is INVERTERS.load(name).needs for name in inverters)


def test_every_cell_of_the_grid_says_what_happened():
    plan = AuditPlan()
    skipped = {("stolen-store", "payload"): "could not run: there is no store"}
    cells = grid(plan.asked(), skipped, [finding(50, attack="hypothesis")])
    assert len(cells) == len(THREATS) * len(ATTACKS)
    assert all(cell.why for cell in cells)
    by_place = {(cell.threat, cell.attack): cell for cell in cells}
    assert by_place["known-encoder", "hypothesis"].state == "run"
    assert by_place["stolen-store", "payload"].state == "not run"
    assert by_place["search-scores", "search"].state == "not applicable"
    assert by_place["known-encoder", "search"].why == "the plan does not ask for it"
    drawn = matrix_table(cells)
    assert [row[0] for row in drawn.rows] == list(ATTACKS) and len(drawn.columns) == 1 + len(THREATS)
    rows = {row[0]: dict(zip(THREATS, row[1:], strict=True)) for row in drawn.rows}
    assert rows["hypothesis"]["known-encoder"] == "substantial" and rows["payload"]["stolen-store"] == "not run"
    assert rows["white-box"]["leaked-pairs"] == "n/a" and rows["search"]["search-scores"] == "not run"
    assert not any(cell in ("", None) for row in drawn.rows for cell in row), "a blank never looks like a pass"
    ran = {place for place, cell in by_place.items() if cell.state == "run"}
    asked = {(threat, name) for threat, names in plan.asked().items() for name in names}
    assert ran == asked - set(skipped)


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_grade_goes_by_the_lower_bound(hits, floor):
    found = finding(hits, floor=floor)
    low = found.excess.low
    expected = "severe" if low >= 0.25 else "substantial" if low >= 0.1 else "limited" if low > 0 else GRADES[3]
    assert found.grade == expected
    assert found.detectable > 0


def test_the_worst_finding_decides():
    mild, bad = finding(12), finding(150, measure="personal data: phone")
    assert worst((mild, bad)) == bad
    assert worst(()) is None


def test_a_gate_names_the_broken_line(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text('[[limit]]\nmeasure = "personal data"\nmost = 0.3\n')
    gate = Gate.read(path)
    assert gate.broken((finding(20),)) == []
    (line,) = gate.broken((finding(20), finding(100, measure="personal data: phone")))
    assert line.startswith(
        "personal data: at most 0.3 (value), but known-encoder, search, personal data: phone has 0.5"
    )
    weaker = Gate.read(path).model_copy(update={"limit": (gate.limit[0].model_copy(update={"most": 0.6}),)})
    assert weaker.broken((finding(100),)) == []


def test_a_limit_on_what_was_not_measured_is_broken(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text('[[limit]]\nthreat = "insider"\nmost = 0.1\n')
    assert Gate.read(path).broken((finding(0),)) == ["insider: at most 0.1 (value): nothing of the kind was measured"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "limit is .*Field required"),
        ("limit = []", "at least 1 item"),
        ("[[limit]]\nmost = 2\n", "limit.0.most is 2"),
        ('[[limit]]\nmost = 0.1\nbound = "middle"\n', "limit.0.bound is 'middle'"),
        ("[[limit]]\nmost = 0.1\nmore = 1\n", "limit.0.more is 1"),
        ("[[", "is not TOML"),
    ],
)
def test_limits_are_checked(tmp_path, content, message):
    path = tmp_path / "limits.toml"
    path.write_text(content)
    with pytest.raises(BadInput, match=message):
        Gate.read(path)


def test_a_finished_step_is_not_done_again(tmp_path):
    made = []

    def make():
        made.append(1)
        return Small(len(made))

    assert Ledger(tmp_path, {"a": 1}).step("one", make) == Small(1)
    again = Ledger(tmp_path, {"a": 1})
    assert again.step("one", make) == Small(1)
    assert again.found == 1
    assert Ledger(tmp_path, {"a": 2}).step("one", make) == Small(2)  # another plan
    for path in tmp_path.glob("*/one.json"):
        path.write_text(path.read_text()[:5])  # cut short
    assert Ledger(tmp_path, {"a": 1}).step("one", make) == Small(3)
    assert {folder.stat().st_mode & 0o777 for folder in tmp_path.iterdir()} == {0o700}, "its owner's alone"
    assert Ledger(None, {}).step("one", make) == Small(4)


def test_a_shift_within_noise_is_called_so():
    a, b = finding(100), finding(104)
    same = Change(*a.key, a.excess, b.excess, difference(b.excess, a.excess), a.grade, b.grade)
    assert not same.beyond_noise
    far = finding(180)
    more = replace(same, after=far.excess, shift=difference(far.excess, a.excess))
    assert more.beyond_noise
