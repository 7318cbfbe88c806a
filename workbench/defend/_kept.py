"""How many dimensions are kept."""

from __future__ import annotations

import math

from workbench.core.errors import BadInput


def require_keep(keep: float) -> None:
    """Raise BadInput unless `keep` is a share below 1, or a number of dimensions."""
    if not (0 < keep < 1 or (keep >= 1 and math.isfinite(keep) and keep == int(keep))):
        raise BadInput(f"keep is {keep:g}; expected a share between 0 and 1, or a whole number of dimensions")


def kept_dimensions(keep: float, d: int) -> int:
    """The number of dimensions: a share of d (at least one) or the number itself. Raises BadInput for more than d."""
    if keep < 1:
        return max(1, round(keep * d))
    if keep > d:
        raise BadInput(f"keep is {keep:g} but vectors have {d} dimensions; expected at most {d}")
    return int(keep)
