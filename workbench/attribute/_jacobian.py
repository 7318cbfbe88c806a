"""Sums of Jacobian products along a path: one vector for each token, by forward or by backward differentiation."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from jaxtyping import Float

from workbench.attribute._path import ROWS, Path
from workbench.attribute._quadrature import Rule
from workbench.embed._torch import plain_attention


def token_contributions(path: Path, rule: Rule) -> Float[np.ndarray, "t d"]:
    """P_i = sum_s w_s J(h_s) (x_i - r_i) for the t tokens of a text, J the Jacobian of its unit vector.

    T tokens need T Jacobian-vector products a node, the full Jacobian d vector-Jacobian products of about twice the
    cost: forward-mode is taken until T exceeds d / 3.
    """
    active = path.step.abs().amax(1).nonzero()[:, 0]  # specials stay what they are at the first layer
    dim = path.ends.shape[1]
    way = _forward if len(active) <= dim / 3 else _backward
    out = path.step.new_zeros(path.length, dim)
    weights = torch.from_numpy(rule.weights).to(path.step)
    states = path.at(torch.from_numpy(rule.nodes))
    with plain_attention():
        out[active] = way(path, states, weights, active)
    return out.double().cpu().numpy()


def _forward(path: Path, states: torch.Tensor, weights: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
    """One Jacobian-vector product a token and node, many at once."""
    together = max(1, ROWS // (path.length * max(len(active), 1)))  # nodes whose tangents all fit
    tangents = path.step.new_zeros(len(active), *path.step.shape)
    tangents[range(len(active)), active] = path.step[active]
    out = path.step.new_zeros(len(active), path.ends.shape[1])
    for here, weight in zip(states.split(together), weights.split(together), strict=True):
        chunk = max(1, ROWS // (path.length * len(here)))
        found = torch.func.vmap(partial(path.slopes, here), chunk_size=chunk)(tangents)  # a s d
        out += torch.einsum("asd,s->ad", found, weight)
    return out


def _backward(path: Path, states: torch.Tensor, weights: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
    """One vector-Jacobian product a dimension and node."""
    dim = path.ends.shape[1]
    out = path.step.new_zeros(len(active), dim)
    basis = torch.eye(dim, device=path.step.device, dtype=path.step.dtype)
    chunk = max(1, ROWS // path.length)
    for here, weight in zip(states.split(1), weights, strict=True):
        pull = torch.func.vjp(path.vectors, here)[1]
        for start in range(0, dim, chunk):
            rows = basis[start : start + chunk, None]
            gradients = torch.func.vmap(lambda row, pull=pull: pull(row)[0])(rows)[:, 0, active]  # c a h
            out[:, start : start + chunk] += weight * torch.einsum("cah,ah->ac", gradients, path.step[active])
    return out.detach()
