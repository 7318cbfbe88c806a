"""Many logistic probes on the same vectors, fitted as one batched problem."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from workbench.core.errors import BadInput
from workbench.core.vectors import require_finite
from workbench.embed._torch import pick_device
from workbench.probe._design import Design

__all__ = ["BatchedLogistic"]

_MEMORY = 10
"""Former steps that L-BFGS keeps."""
_RENEWAL = 4
"""Steps before the preconditioner is made anew; the items that are settled by then no longer bend the loss."""
_HALVINGS = 12
_ARMIJO = 1e-4


class BatchedLogistic(BaseEstimator):
    """k yes-or-no probes on the same n vectors, with the loss of scikit-learn's `LogisticRegression` after its
    `StandardScaler`, as one problem.

    All probes share every product with the vectors. Each runs its own L-BFGS (Liu & Nocedal 1989) from the share of
    its `True` labels, preconditioned by the Hessian there, p (1 - p) XX' + 1/C, which is diagonal for all of them in
    the vectors' principal axes, and after a few steps by the diagonal of the Hessian where it stands. `C` is the
    inverse penalty: one number, or one for each probe, so that a path of penalties is one fit too. Works in single
    precision, which allows a `tol` of about 1e-5.
    After `fit`, `coef_` (k, d) and `intercept_` (k,) apply to vectors as they are given, not to standardised ones.
    """

    def __init__(
        self,
        C: float | Float[np.ndarray, " k"] = 1.0,  # noqa: N803 - scikit-learn's name
        tol: float = 1e-4,
        max_iter: int = 200,
        device: str = "auto",
    ) -> None:
        self.C = C
        self.tol = tol
        self.max_iter = max_iter
        self.device = device

    def fit(self, vectors: Float[np.ndarray, "n d"], labels: Bool[np.ndarray, "n k"]) -> BatchedLogistic:
        """Fit all probes. Raises BadInput for shapes that do not fit, bad numbers, or a probe of one class only."""
        vectors, labels = np.asarray(vectors), np.asarray(labels)
        _require(vectors, labels)
        strength = np.broadcast_to(np.asarray(self.C, dtype=np.float64), labels.shape[1:])
        if not (np.isfinite(strength) & (strength > 0)).all():
            raise BadInput(f"C is {self.C}; expected numbers above 0")
        device = pick_device(self.device)
        design = Design(vectors, device)
        mean, scale = design.mean, design.scale
        wanted = torch.from_numpy(labels.astype(np.float32)).to(device)
        penalty = torch.from_numpy(1.0 / strength).float().to(device)
        with torch.no_grad():
            found, self.n_iter_, self.converged_ = _solve(design, wanted, penalty, self.tol, self.max_iter)
        weights = found.double().cpu().numpy()
        self.coef_ = (weights[:-1] / scale[:, None]).T
        self.intercept_ = weights[-1] - self.coef_ @ mean
        self.n_features_in_ = vectors.shape[1]
        return self

    def decision_function(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
        """Log-odds of every vector under every probe."""
        check_is_fitted(self)
        vectors = np.asarray(vectors)
        if vectors.ndim != 2 or vectors.shape[1] != self.n_features_in_:
            raise BadInput(f"vectors has shape {vectors.shape}; expected (n, {self.n_features_in_}) as in fit")
        return vectors @ self.coef_.T + self.intercept_

    def predict(self, vectors: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, "n k"]:
        """The likelier class of every vector under every probe."""
        return self.decision_function(vectors) > 0

    def predict_proba(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
        """Probability of `True` of every vector under every probe."""
        from scipy.special import expit

        return expit(self.decision_function(vectors))


def _require(vectors: np.ndarray, labels: np.ndarray) -> None:
    if vectors.ndim != 2 or labels.ndim != 2 or len(vectors) != len(labels) or not labels.size:
        raise BadInput(f"vectors has shape {vectors.shape} and labels {labels.shape}; expected (n, d) and (n, k)")
    require_finite(vectors)
    if not np.isin(labels, (0, 1)).all():
        raise BadInput("labels hold something else than true and false; expected one column for each yes-or-no probe")
    shares = labels.mean(0)
    if (lone := np.flatnonzero((shares == 0) | (shares == 1))).size:
        raise BadInput(f"labels of probe {int(lone[0])} are all {bool(shares[lone[0]])}; expected both classes")


def _solve(
    design: Design,
    wanted: Float[torch.Tensor, "n k"],
    penalty: Float[torch.Tensor, " k"],
    tol: float,
    most: int,
) -> tuple[Float[torch.Tensor, "d_plus_1 k"], int, Bool[np.ndarray, " k"]]:
    """Weights of standardised vectors (the last row is the bias), steps taken, and which probes reached `tol`.

    `tol` bounds the largest entry of the gradient of the mean loss, as in scikit-learn.
    """
    n, k = wanted.shape
    spread, axes = design.turn()
    shrink = torch.cat([penalty.expand(len(spread), k), penalty.new_zeros(1, k)])  # the bias has no penalty
    share = wanted.mean(0)
    spreads = torch.cat([spread.clamp(min=0), spread.new_tensor([float(n)])])[:, None]
    weights = torch.zeros_like(shrink)
    weights[-1] = torch.logit(share)
    state = _State(design, weights, wanted, shrink, share * (1 - share) * spreads + shrink)
    steps: list[tuple[torch.Tensor, ...]] = []
    rows = torch.arange(k, device=wanted.device)  # probes that still move; the others cost nothing any more
    found, done, taken = weights.clone(), torch.zeros(k, dtype=torch.bool, device=wanted.device), 0
    stuck = torch.zeros_like(done)
    while True:
        near = state.gradient.abs().amax(0) <= tol * n
        ended = near | stuck | (taken == most)
        if ended.any():
            found[:, rows], done[rows] = state.weights, near
            rows, state = rows[~ended], state.where(~ended)
            steps = [tuple(part[..., ~ended] for part in each) for each in steps]
        if not len(rows):
            break
        taken += 1
        if taken == _RENEWAL:
            state.renew_curvature(design)
        direction = -_inverse_hessian(state.gradient, steps, state.curvature)
        step, change, stuck = state.line_search(direction, design.times(direction))
        state.weights, state.logits = state.weights + step, state.logits + change
        before, state.gradient = state.gradient, state.slopes(design)
        turn = state.gradient - before
        steps = [*steps[-_MEMORY + 1 :], (step, turn, (step * turn).sum(0))]
    return torch.cat([axes @ found[:-1], found[-1:]]), taken, done.cpu().numpy()


class _State:
    """Where the probes stand; all tensors have one column for each."""

    def __init__(
        self,
        design: Design,
        weights: torch.Tensor,
        wanted: torch.Tensor,
        shrink: torch.Tensor,
        curvature: torch.Tensor,
    ) -> None:
        self.weights, self.wanted, self.shrink, self.curvature = weights, wanted, shrink, curvature
        self.logits = design.times(weights)
        self.loss = _loss(self.logits, wanted, weights, shrink)
        self.gradient = self.slopes(design)

    def slopes(self, design: Design) -> torch.Tensor:
        """The gradient of each probe's loss at its weights."""
        return design.back(torch.sigmoid(self.logits) - self.wanted) + self.shrink * self.weights

    def renew_curvature(self, design: Design) -> None:
        """The diagonal of each probe's Hessian at its weights."""
        chances = torch.sigmoid(self.logits)
        self.curvature = design.squared_back(chances - chances.square()) + self.shrink

    def where(self, keep: torch.Tensor) -> _State:
        """The probes that a mask picks."""
        other = object.__new__(_State)
        vars(other).update({name: part[..., keep] for name, part in vars(self).items()})
        return other

    def line_search(
        self, direction: torch.Tensor, change: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Steps of the weights and the logits, halved until the loss falls enough, and which probes cannot move."""
        slope = (self.gradient * direction).sum(0, dtype=torch.float64)
        length = torch.ones_like(self.loss)
        step, moved, short, loss = direction, change, slope > 0, self.loss
        for _ in range(_HALVINGS):
            loss = _loss(self.logits + moved, self.wanted, self.weights + step, self.shrink)
            short = loss > self.loss + _ARMIJO * length * slope
            if not short.any():
                break
            length = torch.where(short, length / 2, length)
            step, moved = length.float() * direction, length.float() * change
        self.loss = torch.where(short, self.loss, loss)
        return step * ~short, moved * ~short, short  # single precision ends here


def _loss(logits: torch.Tensor, wanted: torch.Tensor, weights: torch.Tensor, shrink: torch.Tensor) -> torch.Tensor:
    """Summed loss of each probe, in double precision, which tells small gains near the end."""
    fit = (F.softplus(logits) - wanted * logits).sum(0, dtype=torch.float64)
    return fit + (shrink * weights.square()).sum(0, dtype=torch.float64) / 2


def _inverse_hessian(
    gradient: torch.Tensor, steps: list[tuple[torch.Tensor, ...]], curvature: torch.Tensor
) -> torch.Tensor:
    """The two loops of L-BFGS, a column a probe; a step without curvature is passed over."""
    found, kept = gradient, []
    for step, turn, inner in reversed(steps):
        rate = torch.where(inner > 0, (step * found).sum(0) / inner.clamp(min=1e-30), 0.0)
        found = found - rate * turn
        kept.append(rate)
    found = found / curvature
    for (step, turn, inner), rate in zip(steps, reversed(kept), strict=True):
        back = torch.where(inner > 0, (turn * found).sum(0) / inner.clamp(min=1e-30), 0.0)
        found = found + step * (rate - back)
    return found
