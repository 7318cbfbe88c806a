"""Bulk runs: Parquet or Lance in and out, part by part, by one process, several, or a Ray cluster. One stage a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.lazy import public_names
from workbench.core.registry import Registry

if TYPE_CHECKING:
    from workbench.jobs.bulk._plan import columns_of, maker_of
    from workbench.jobs.bulk._run import Hands, run_bulk
    from workbench.jobs.bulk._summary import BulkSummary

__all__ = ["STAGES", "BulkSummary", "Hands", "columns_of", "maker_of", "run_bulk"]

STAGES = Registry("stage", "workbench.jobs.bulk")
_HOMES = {
    "BulkSummary": "workbench.jobs.bulk._summary",
    "Hands": "workbench.jobs.bulk._run",
    "columns_of": "workbench.jobs.bulk._plan",
    "maker_of": "workbench.jobs.bulk._plan",
    "run_bulk": "workbench.jobs.bulk._run",
}
__getattr__, __dir__ = public_names(__name__, _HOMES)
