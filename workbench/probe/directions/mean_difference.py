"""Mean difference: from the mean of one class to the mean of the other"""

from __future__ import annotations

from workbench.probe.directions._finder import Finder, Found, Sides

__all__ = ["MeanDifference"]


class MeanDifference(Finder):
    """The difference of class means: no fit, so nothing to tune, and steering along it moves one mean onto the other.

    Of all directions it moves the class means furthest apart; Belrose (2023) and Marks & Tegmark (2023) find that it
    steers better than the weight of a probe, which discounts dimensions that vary a lot within the classes.
    """

    name = "mean-difference"

    def find(self, sides: Sides) -> Found:
        """Mean of the positives less mean of the others."""
        positive, table = sides.learnt_positive, sides.learnt
        return Found(table[positive].mean(0) - table[~positive].mean(0))
