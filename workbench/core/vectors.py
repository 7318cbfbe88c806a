"""What every room does with tables of vectors."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from workbench.core.errors import BadInput


def require_finite(table: Float[np.ndarray, "n d"], what: str = "vectors") -> None:
    """Raise BadInput with the first row that holds NaN or infinity."""
    finite = np.isfinite(table).all(axis=1)
    if not finite.all():
        raise BadInput(f"row {int(np.flatnonzero(~finite)[0])} of {what} holds NaN or infinity; leave such rows out")


def unit(vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Vectors of length 1; a zero vector stays."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
