"""Logistic: the weight of a logistic probe, in the space of the vectors as they are"""

from __future__ import annotations

from workbench.probe._estimators import linear_probe
from workbench.probe.directions._finder import Finder, Found, Sides

__all__ = ["Logistic"]

_UNTUNED = 1e-2


class Logistic(Finder):
    """What a linear probe looks at: it tells the classes apart best, but need not lie along what differs most.

    The probe standardises vectors; its weight is divided by the standard deviations, so that it applies to raw ones.
    The penalty is tuned on the validation rows; C = 0.01 where these do not hold both classes.
    """

    name = "logistic"

    def find(self, sides: Sides) -> Found:
        """The weight of the fitted probe."""
        validated = sides.learnt_positive[sides.validation]
        trained = sides.learnt_positive[~sides.validation]
        table = sides.learnt[:, sides.live]
        grid = linear_probe(sides.validation, sides.seed)
        if all(len(part) and part.any() and not part.all() for part in (validated, trained)):
            probe = grid.fit(table, sides.learnt_positive).best_estimator_
        else:
            probe = grid.estimator.set_params(logisticregression__C=_UNTUNED)
            probe.fit(table, sides.learnt_positive)
        return Found(sides.widened(probe["logisticregression"].coef_[0] / probe["standardscaler"].scale_))
