"""Fixtures of the jobs' tests."""

from __future__ import annotations

import pytest
from _bulk import RECIPE


@pytest.fixture
def trap(tmp_path_factory, monkeypatch):
    """The recipe of a stage that another distribution registers (`_bulk_trap.py`); its `marks` folder is new."""
    place = tmp_path_factory.mktemp("distribution")
    info = place / "bulk_trap-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bulk-trap\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[workbench.jobs.bulk]\ntrap = _bulk_trap:Trap\n")
    monkeypatch.syspath_prepend(str(place))
    return {**RECIPE, "marks": str(tmp_path_factory.mktemp("marks"))}
