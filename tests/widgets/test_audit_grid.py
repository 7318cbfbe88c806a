"""The grid of an audit, from its result."""

from __future__ import annotations

import subprocess
import sys

from workbench.audit import ladder
from workbench.core.access import THREATS
from workbench.core.blocks import Table
from workbench.core.estimate import Estimate, proportion
from workbench.results import AuditResult, Finding, ScoreTable
from workbench.widgets import AuditGrid, GridCell


def estimate(value):
    return Estimate(value, value - 0.1, value + 0.1, 40, "made up")


def test_a_run_without_a_number_is_shown_as_run():
    grid = AuditGrid([GridCell("a", "x", "run", None, "see its section"), GridCell("a", "y", "run", estimate(0.2))])
    assert grid.problem == ""
    table = next(block for block in grid.blocks() if isinstance(block, Table))
    assert table.rows[0][:2] == ("a", "run")
    assert "see its section" in grid._static_text()


def test_the_grid_of_an_audit():
    """Every threat model and attack; those that nobody could try are no passes, findings keep their intervals."""
    floor, excess = proportion(2, 40), estimate(0.4)
    finding = Finding("known-encoder", "hypothesis", "words", estimate(0.5), floor, excess, "severe")
    asked = {"known-encoder": ("hypothesis", "membership"), "stolen-store": ("payload",)}
    cells = tuple(ladder.grid(asked, {("known-encoder", "membership"): "too few texts"}, [finding]))
    table = ScoreTable("none", (), "")
    result = AuditResult("An audit", {}, {}, {}, (), table, (), (), (), (), (), 0.0, {}, (finding,), cells)
    grid = AuditGrid.of(result)
    assert grid.problem == ""
    found = {(cell["row"], cell["column"]): cell for cell in grid.content["cells"]}
    assert len(found) == len(THREATS) * len(ladder.ATTACKS)
    assert grid.content["title"] == "An audit"
    read = found["T2 known-encoder", "hypothesis"]
    assert (read["state"], read["headline"]["value"], read["detail"]) == ("run", excess.value, "words: severe")
    assert (
        found["T6 stolen-store", "payload"] | {"state": "run", "headline": None, "detail": "see its section"}
        == (found["T6 stolen-store", "payload"])
    )
    missed = found["T2 known-encoder", "membership"]
    assert (missed["state"], missed["detail"]) == ("not run", "too few texts")
    assert found["T6 stolen-store", "hypothesis"]["state"] == "not applicable"
    for (row, _), cell in found.items():
        if row.startswith(("T0", "T1")):
            assert cell["state"] == "not run"


def test_what_is_no_audit_is_refused_in_words():
    """In a process without the type checker of the tests."""
    code = "from workbench.widgets import AuditGrid\nAuditGrid.of([1])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "BadInput: result is of type list; expected AuditResult" in done.stderr
