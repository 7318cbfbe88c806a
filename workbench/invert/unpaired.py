"""No pairs at all: the shape of the stolen cloud alone maps it to an embedder that the attacker knows."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.access import Access
from workbench.core.errors import BadInput
from workbench.invert._align import LinearMap
from workbench.invert._aligned import Aligned, public_vectors
from workbench.invert._inverter import Attacker
from workbench.invert._relational import FEWEST, fit_unpaired_map

__all__ = ["Unpaired"]


class Unpaired(Aligned):
    """Alignment without pairs (the setting of vec2vec, Jha et al. 2025), by independent components that are matched.

    The stolen vectors are laid over those of public texts that the attacker embeds itself, which should be texts of the
    same kind. Some thousands of vectors do; it cannot tell by itself whether it worked.
    """

    name: ClassVar[str] = "unpaired"
    needs: ClassVar[Access] = Access.SAMPLES

    @classmethod
    def require(cls, attacker: Attacker) -> None:
        """A store of some size."""
        size = len(attacker.store) if attacker.store is not None else 0
        if size < FEWEST:
            raise BadInput(
                f"unpaired needs a store of at least {FEWEST} stolen vectors, better thousands; got {size} (with "
                "--texts, --pair-texts N adds the vectors of N public texts)"
            )

    @classmethod
    def fit(cls, own: Attacker) -> LinearMap:
        """From the stolen vectors to those of public texts."""
        assert own.store is not None
        return fit_unpaired_map(own.store.vectors, public_vectors(own), own.seed)
