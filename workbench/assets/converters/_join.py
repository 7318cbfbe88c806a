"""Files that were cut into pieces."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path


def join(pieces: Sequence[Path]) -> Path:
    """One file out of `pieces`, in the order of their file names; a single piece is the file itself.

    Each piece is removed once it is copied, so that no more than one of them lies on the disk twice.
    """
    first, *rest = sorted(pieces, key=lambda path: path.name)
    with open(first, "ab") as whole:
        for piece in rest:
            with open(piece, "rb") as source:
                shutil.copyfileobj(source, whole, 1 << 20)
            piece.unlink()
    return first
