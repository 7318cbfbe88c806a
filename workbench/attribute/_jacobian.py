"""Sums of Jacobian products along a path: a vector for each piece of a text, in forward or backward mode."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float

from workbench.attribute._path import Path
from workbench.attribute._quadrature import Rule
from workbench.embed._torch import plain_attention

Pieces = Sequence[Sequence[int]]
"""The tokens of each piece of a text."""


def token_contributions(path: Path, rule: Rule) -> Float[np.ndarray, "t d"]:
    """P_i = sum_s w_s J(h_s) (x_i - r_i) for the t tokens of a text, J the Jacobian of its unit vector."""
    return piece_contributions(path, rule, [[place] for place in range(path.length)])[0]


def piece_contributions(
    path: Path, rule: Rule, pieces: Pieces, share_out: bool = False
) -> tuple[Float[np.ndarray, "p d"], Float[np.ndarray, " d"]]:
    """The same for pieces of several tokens: the sum over a piece's tokens, at the cost of one token. Second, what the
    rule misses of the whole sum.

    p pieces need p Jacobian-vector products a node, the full Jacobian d vector-Jacobian products of about the same
    cost: forward mode is taken unless more than d pieces move.

    With `share_out` the sum is made complete. What the rule misses of it is known, for the sum is g(x) - g(r); each
    piece takes the fraction a_i of it that makes a_i g'(s) fit the piece's own products best over all nodes (a control
    variate: the a_i sum to 1, and a piece that moves along with the whole text carries the whole text's error).
    """
    moving = path.step.abs().amax(1) > 0  # specials stay what they are at the first layer
    active = [number for number, members in enumerate(pieces) if moving[list(members)].any()]
    out = path.step.new_zeros(len(pieces), path.ends.shape[1])
    if active:
        way = _forward if len(active) <= out.shape[1] else _backward
        weights = torch.from_numpy(rule.weights).to(path.step)
        states = path.at(torch.from_numpy(rule.nodes))
        with torch.no_grad(), plain_attention():
            found, fractions = way(path, states, weights, [pieces[number] for number in active])
        out[active] = found
        missed = path.ends[1] - path.ends[0] - found.sum(0)
        if share_out:
            out[active] += fractions[:, None] * missed
    else:
        missed = path.ends[1] - path.ends[0]
    return out.double().cpu().numpy(), missed.double().cpu().numpy()


def directed_contributions(path: Path, rule: Rule, directions: Float[np.ndarray, "k d"]) -> Float[np.ndarray, "t k"]:
    """P u for k directions u, by one vector-Jacobian product a node and direction; P itself is never built."""
    weights = torch.from_numpy(rule.weights).to(path.step)
    states = path.at(torch.from_numpy(rule.nodes))
    aims = torch.from_numpy(np.ascontiguousarray(directions)).to(path.step)
    out = path.step.new_zeros(path.length, len(aims))
    with torch.no_grad(), plain_attention():
        for here, weight in zip(states.split(1), weights, strict=True):
            pull = torch.func.vjp(path.vectors, here)[1]
            for start in range(0, len(aims), path.together):
                rows = aims[start : start + path.together, None]
                gradients = torch.func.vmap(lambda row, pull=pull: pull(row)[0])(rows)[:, 0]  # c t h
                out[:, start : start + len(rows)] += weight * torch.einsum("cth,th->tc", gradients, path.step)
    return out.double().cpu().numpy()


def _forward(
    path: Path, states: torch.Tensor, weights: torch.Tensor, pieces: Pieces
) -> tuple[torch.Tensor, torch.Tensor]:
    """One Jacobian-vector product a piece and node, many at once; their weighted sums, and each piece's fraction."""
    nodes = max(1, path.together // max(len(pieces), 1))  # nodes whose tangents all fit
    chunk = max(1, path.together // nodes)
    out = path.step.new_zeros(len(pieces), path.ends.shape[1])
    along, whole = path.step.new_zeros(len(pieces)), path.step.new_zeros(())
    for here, weight in zip(states.split(nodes), weights.split(nodes), strict=True):
        parts = []
        for start in range(0, len(pieces), chunk):
            group = pieces[start : start + chunk]
            tangents = path.step.new_zeros(len(group), *path.step.shape)
            for number, members in enumerate(group):
                tangents[number, list(members)] = path.step[list(members)]
            parts.append(torch.func.vmap(partial(path.slopes, here))(tangents))  # p s d
        found = torch.cat(parts)
        total = found.sum(0)
        out += torch.einsum("psd,s->pd", found, weight)
        along += torch.einsum("psd,sd,s->p", found, total, weight)
        whole += torch.einsum("sd,sd,s->", total, total, weight)
    return out, along / whole.clamp(min=torch.finfo(whole.dtype).tiny)


def _backward(
    path: Path, states: torch.Tensor, weights: torch.Tensor, pieces: Pieces
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same by one vector-Jacobian product a dimension and node. Without a graph of the parameters: with one, every
    product of every node would stay in memory."""
    dim = path.ends.shape[1]
    owner = torch.zeros(len(pieces), path.length, dtype=path.step.dtype, device=path.step.device)
    for number, members in enumerate(pieces):
        owner[number, list(members)] = 1
    basis = torch.eye(dim, device=path.step.device, dtype=path.step.dtype)
    out = path.step.new_zeros(len(pieces), dim)
    along, whole = path.step.new_zeros(len(pieces)), path.step.new_zeros(())
    for here, weight in zip(states.split(1), weights, strict=True):
        pull = torch.func.vjp(path.vectors, here)[1]
        found = path.step.new_zeros(len(pieces), dim)
        for start in range(0, dim, path.together):
            rows = basis[start : start + path.together, None]
            gradients = torch.func.vmap(lambda row, pull=pull: pull(row)[0])(rows)[:, 0]  # c t h
            found[:, start : start + len(rows)] = owner @ torch.einsum("cth,th->tc", gradients, path.step)
        total = found.sum(0)
        out += weight * found
        along += weight * (found @ total)
        whole += weight * (total @ total)
    return out, along / whole.clamp(min=torch.finfo(whole.dtype).tiny)
