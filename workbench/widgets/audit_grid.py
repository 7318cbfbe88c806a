"""A grid of threats and attacks: what was measured, what could not be, and what nobody has tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import traitlets

from workbench.core.blocks import Block, Cell, Heading, Table, Text
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.widgets._widget import Widget, require

State = Literal["run", "not applicable", "not run"]
_STATES: tuple[State, ...] = get_args(State)
_TOLD = {"not applicable": "not applicable", "not run": "NOT RUN"}
_GAP = "No cell was given for this pair, so it counts as not run."


@dataclass(frozen=True)
class GridCell:
    """One attack under one threat model. `headline` is there exactly where `state` is `run`; `detail` is plain text."""

    row: str
    column: str
    state: State
    headline: Estimate | None = None
    detail: str = ""


class AuditGrid(Widget):
    """The cells as a grid with a row for each threat model and a column for each attack; a click shows the evidence.

    Rows and columns stand in the order in which they are first named. A cell that was run shows its estimate over a
    bar from 0 to `highest` (or the largest upper limit); a pair without a cell is shown as not run, never as a pass.
    `measure` says in words what the estimates are, for instance "share of personal data recovered". The widget says
    in words which cell is at fault: two for one pair, an unknown state, a headline without a run or the reverse.
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
            limits = [cell.headline.high for cell in found.values() if cell.headline]
            self._title, self._measure = title, measure
            content.update(
                title=title,
                measure=measure,
                highest=float(highest) if highest is not None else max(limits, default=1.0) or 1.0,
                rows=self._rows,
                columns=self._columns,
                cells=list(self._cells.values()),
            )

    def blocks(self) -> tuple[Block, ...]:
        """The grid as a table, and the evidence of every cell that was run."""
        rows = tuple((row, *(_cell(self._cells[row, column]) for column in self._columns)) for row in self._rows)
        evidence = tuple(
            (cell.row, cell.column, cell.headline, cell.detail) for cell in self._cells.values() if cell.headline
        )
        return (
            Heading(self._title),
            Text(f"Each number is {self._measure}, with its 95% interval. What was not run has not passed."),
            Table(("", *self._columns), rows),
            *((Table(("threat", "attack", "headline", "evidence"), evidence, "Evidence"),) if evidence else ()),
        )


def _cell(cell: GridCell) -> Cell:
    return cell.headline if cell.headline is not None else _TOLD[cell.state]


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
        if (cell.state == "run") != isinstance(cell.headline, Estimate):
            raise BadInput(
                f"{where} is {cell.state!r} and its headline is {cell.headline!r}; an estimate goes with 'run'"
            )
        if (cell.row, cell.column) in found:
            raise BadInput(f"{where} is there twice; expected one cell a pair")
        found[cell.row, cell.column] = cell
    return found
