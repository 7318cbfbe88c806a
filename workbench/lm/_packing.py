"""One soft prompt, many questions: segments that all see the prompt and none of each other, in one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

SOFT, PAD = -1, -2
"""What stands in `ids` where a soft token goes, and behind a row's end."""


@dataclass(frozen=True)
class Part:
    """A segment: tokens that are given (the question), then tokens that are learnt (the answer, which may be empty)."""

    given: tuple[int, ...]
    learnt: tuple[int, ...] = ()
    weight: float = 1.0
    """What one of its learnt tokens counts."""


@dataclass(frozen=True)
class Packed:
    """n rows of t tokens; soft tokens fill the places where `ids` is SOFT, in order."""

    ids: Int[Tensor, "n t"]
    places: Int[Tensor, "n t"]
    segment: Int[Tensor, "n t"]
    """0 in the prompt, the segment's number in its row behind it, -1 behind the row's end."""
    told: Int[Tensor, "q 2"]
    """Row and place of every token whose successor counts: the last given one, and each learnt one but the last."""
    wanted: Int[Tensor, " q"]
    """The successors; -1 behind a segment without an answer."""
    weights: Float[Tensor, " q"]
    owner: Int[Tensor, " q"]
    """Number of the segment, counted through all rows."""


def pack(rows: Sequence[tuple[Sequence[int], Sequence[Part]]]) -> Packed:
    """Rows of a prompt (token ids, SOFT for soft ones) and its segments; each segment goes on at the prompt's end."""
    length = max(len(prompt) + sum(len(p.given) + len(p.learnt) for p in parts) for prompt, parts in rows)
    ids = np.full((len(rows), length), PAD)
    places = np.zeros_like(ids)
    segment = np.full_like(ids, -1)
    told, wanted, weights, owner, number = [], [], [], [], 0
    for row, (prompt, parts) in enumerate(rows):
        end = len(prompt)
        ids[row, :end], places[row, :end], segment[row, :end] = prompt, np.arange(end), 0
        for mark, part in enumerate(parts, start=1):
            tokens = (*part.given, *part.learnt)
            stop = end + len(tokens)
            ids[row, end:stop] = tokens
            places[row, end:stop] = len(prompt) + np.arange(len(tokens))
            segment[row, end:stop] = mark
            first = end + len(part.given) - 1
            for offset, successor in enumerate(part.learnt or (-1,)):
                told.append((row, first + offset))
                wanted.append(successor)
                weights.append(part.weight)
                owner.append(number)
            number, end = number + 1, stop
    columns = (ids, places, segment, told, wanted, owner)
    ids_, places_, segment_, told_, wanted_, owner_ = (torch.from_numpy(np.asarray(c, dtype=np.int64)) for c in columns)
    return Packed(ids_, places_, segment_, told_, wanted_, torch.tensor(weights), owner_)


def sees(segment: Int[Tensor, "n t"]) -> Bool[Tensor, "n 1 t t"]:
    """Who sees whom: each place what stands before it in its own segment, and the prompt; behind a row's end, itself
    and other such places."""
    same = segment[:, :, None] == segment[:, None, :]
    prompt_too = (segment[:, None, :] == 0) & (segment[:, :, None] >= 0)
    return ((same | prompt_too).tril())[:, None]
