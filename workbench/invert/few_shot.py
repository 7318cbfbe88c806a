"""A few known pairs map the vectors to an embedder that the attacker knows; its inverter then reads them."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.access import Access
from workbench.core.errors import BadInput
from workbench.invert._align import LinearMap, fit_paired_map
from workbench.invert._aligned import Aligned, public_vectors
from workbench.invert._inverter import Attacker
from workbench.invert._relational import fit_seeded_map

__all__ = ["FewShot"]

_STORE = 1000
"""Stolen vectors from which their shape is worth looking at."""


class FewShot(Aligned):
    """Alignment by pairs (the setting of ALGEN, Chen et al. 2025): the victim's embedder is neither known nor asked.

    The map is ridge or Procrustes, whichever foretells left-out pairs better. Some tens of pairs undo a rotation. Who
    holds a store of 1,000 vectors or more besides can do with ten: pairs begin a map that the shapes of the store and
    of public texts then refine, as in `unpaired`, and the better of both maps is used.
    """

    name: ClassVar[str] = "few-shot"
    needs: ClassVar[Access] = Access.PAIRS

    @classmethod
    def require(cls, attacker: Attacker) -> None:
        """Pairs with texts, two at least, of as many dimensions as the store."""
        pairs = attacker.pairs
        if pairs is None:
            raise BadInput(
                "few-shot needs pairs: some texts with the victim's vectors of them (--pairs FILE, as `workbench "
                "embed` writes it; with --texts also --pair-texts N)"
            )
        if pairs.texts is None:
            raise BadInput("few-shot needs pairs, but these vectors come without their texts")
        if len(pairs) < 2:
            raise BadInput(f"few-shot needs at least 2 pairs; got {len(pairs)}")
        if attacker.store is not None:
            attacker.store.require_dim(pairs.dim, "the map of these pairs")

    @classmethod
    def fit(cls, own: Attacker) -> LinearMap:
        """From the victim's vectors of the pairs to the known embedder's vectors of the same texts."""
        assert own.pairs is not None
        assert own.pairs.texts is not None
        known = own.embedder.embed(list(own.pairs.texts), what="embed the pairs")
        paired = fit_paired_map(own.pairs.vectors, known, own.seed)
        if own.store is None or len(own.store) < _STORE:
            return paired
        seeded = fit_seeded_map(own.pairs.vectors, known, own.store.vectors, public_vectors(own), own.seed)
        return max(paired, seeded, key=lambda each: each.held_out)
