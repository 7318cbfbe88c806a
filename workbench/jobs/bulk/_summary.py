"""What a bulk run did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class BulkSummary:
    """Counts of a whole run, also of what former calls did. `sha256` is of all rows; "" where parts are missing."""

    verb: str
    out: str
    rows: int
    quarantined: int
    parts: int
    unreadable: tuple[str, ...]
    """Why whole files were left out."""
    failed: tuple[str, ...]
    """Parts that were given up, and why."""
    sha256: str
    rows_now: int
    """Rows that this call did."""
    seconds: float
    lance: str = ""
    """The dataset of all rows, if one was asked for and no part is missing."""

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)

    def lines(self) -> Sequence[str]:
        """For the person who watches."""
        speed = f", {self.rows_now / max(self.seconds, 1e-9):,.0f} rows/s" if self.rows_now else ""
        before = "" if self.rows_now == self.rows + self.quarantined else f" ({self.rows_now:,} of them now)"
        found = [f"{self.rows:,} rows in {self.parts:,} parts{before}{speed} -> {self.out}"]
        if self.quarantined:
            found.append(f"{self.quarantined:,} rows set aside, with reasons: {self.out}/quarantine")
        found += [f"left out: {each}" for each in self.unreadable]
        found += [f"not done: {each}" for each in self.failed]
        if self.lance:
            found.append(f"all rows as one Lance dataset: {self.lance}")
        found.append(f"content sha256 {self.sha256}" if self.sha256 else "give the same command again to go on")
        return found
