"""A grid of threats and attacks: what was measured, what could not be, and what nobody has tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import traitlets

from workbench.core.access import THREATS
from workbench.core.blocks import Block, Cell, Heading, Table, Text
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.results import AuditResult
from workbench.results import audit_parts as parts
from workbench.widgets._widget import Widget, require

State = Literal["run", "not applicable", "not run"]
_STATES: tuple[State, ...] = get_args(State)
_TOLD = {"run": "run", "not applicable": "not applicable", "not run": "NOT RUN"}
_NOBODY = "An application would have to be asked, and an audit has vectors alone."
_GAP = "No cell was given for this pair, so it counts as not run."


@dataclass(frozen=True)
class GridCell:
    """One attack under one threat model. `headline` is there only where `state` is `run`; `detail` is plain text, and
    says what came of a run without a headline."""

    row: str
    column: str
    state: State
    headline: Estimate | None = None
    detail: str = ""


class AuditGrid(Widget):
    """The cells as a grid with a row for each threat model and a column for each attack; a click shows the evidence.

    Rows and columns stand in the order in which they are first named. A cell that was run shows its estimate over a
    bar from 0 to `highest` (or the largest upper limit); a pair without a cell is shown as not run, never as a pass.
    `AuditGrid.of(result)` is the grid of an audit.
    `measure` says in words what the estimates are, for instance "share of personal data recovered". The widget says
    in words which cell is at fault: two for one pair, an unknown state, a headline without a run, a silent run.
    """

    _script = "audit_grid.js"
    selected = traitlets.Unicode().tag(sync=True)
    """`row | column` of the cell whose evidence is open; empty if none is."""

    def __init__(
        self,
        cells: Sequence[GridCell],
        measure: str = "what the attack recovers",
        title: str = "Threats and attacks",
        highest: float | None = None,
    ) -> None:
        super().__init__()
        with self.filling() as content:
            found = _checked(cells)
            self._rows = list(dict.fromkeys(cell.row for cell in found.values()))
            self._columns = list(dict.fromkeys(cell.column for cell in found.values()))
            self._cells = {
                (row, column): found.get((row, column), GridCell(row, column, "not run", None, _GAP))
                for row in self._rows
                for column in self._columns
            }
            limits = [cell.headline.shown()[1] for cell in found.values() if cell.headline]
            self._title, self._measure = title, measure
            content.update(
                title=title,
                measure=measure,
                highest=float(highest) if highest is not None else max(limits, default=1.0) or 1.0,
                rows=self._rows,
                columns=self._columns,
                cells=list(self._cells.values()),
            )

    @classmethod
    def of(cls, result: AuditResult, title: str = "") -> AuditGrid:
        """The grid of an audit: each attack by its worst finding's excess over the floor, or why it did not run.

        Threat models that hold no vectors were not tried, which their cells say. Raises BadInput for what is no
        `AuditResult`; `run_audit` returns one as `.result`.
        """
        require(result, AuditResult, "result")
        cells = [_of_audit(cell) for cell in result.cells]
        measure = "the excess of the worst finding over its floor, which is had without the vectors"
        return cls(cells, measure, title or result.title)

    def blocks(self) -> tuple[Block, ...]:
        """The grid as a table, and the evidence of every cell that was run."""
        rows = tuple((row, *(_cell(self._cells[row, column]) for column in self._columns)) for row in self._rows)
        evidence = tuple(
            (cell.row, cell.column, cell.headline, cell.detail) for cell in self._cells.values() if cell.state == "run"
        )
        return (
            Heading(self._title),
            Text(f"Each number is {self._measure}, with its 95% interval. What was not run has not passed."),
            Table(("", *self._columns), rows),
            *((Table(("threat", "attack", "headline", "evidence"), evidence, "Evidence"),) if evidence else ()),
        )


def _cell(cell: GridCell) -> Cell:
    return cell.headline if cell.headline is not None else _TOLD[cell.state]


def _of_audit(cell: parts.Cell) -> GridCell:
    threat = THREATS[cell.threat]
    row = f"{threat.id} {threat.name}"
    if not threat.vectors:  # the ladder calls it not applicable, which would look like a pass
        return GridCell(row, cell.attack, "not run", None, _NOBODY)
    return GridCell(row, cell.attack, cell.state, cell.excess, cell.why)


def _checked(cells: Sequence[GridCell]) -> dict[tuple[str, str], GridCell]:
    require(cells, (list, tuple), "cells")
    if not cells:
        raise BadInput("cells is empty; expected at least one GridCell")
    found: dict[tuple[str, str], GridCell] = {}
    for place, cell in enumerate(cells):
        require(cell, GridCell, f"cells[{place}]")
        where = f"cells[{place}] ({cell.row!r}, {cell.column!r})"
        if cell.state not in _STATES:
            raise BadInput(f"{where} has the state {cell.state!r}; expected one of {', '.join(_STATES)}")
        ran = isinstance(cell.headline, Estimate) or (cell.headline is None and bool(cell.detail))
        if not (ran if cell.state == "run" else cell.headline is None):
            raise BadInput(
                f"{where} is {cell.state!r} and its headline is {cell.headline!r}; an estimate goes with 'run'"
            )
        if (cell.row, cell.column) in found:
            raise BadInput(f"{where} is there twice; expected one cell a pair")
        found[cell.row, cell.column] = cell
    return found
