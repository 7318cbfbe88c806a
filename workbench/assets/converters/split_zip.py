"""A zip archive that was cut into numbered pieces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.assets._archive import extract
from workbench.assets.converters._join import join

__all__ = ["split_zip"]


def split_zip(pieces: Sequence[Path], into: Path, members: Sequence[str]) -> None:
    """Join the pieces in the order of their names and take `members` (shell patterns) out of the archive."""
    extract(join(pieces), tuple(members), into)
