"""What an explainer is measured by, and how it is asked many questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate, auc, mean, proportion, ratio
from workbench.core.progress import progress
from workbench.core.vectors import unit
from workbench.jobs._explain_items import Segment
from workbench.lm.soft_prompt import SoftPromptModel
from workbench.results import DescriptionScores, QuestionScores
from workbench.results.explainer_scores import ExplainerRole

TOGETHER = 64
"""Prompts between two signs of progress."""


class Told(NamedTuple):
    """What one method says of n vectors, embedded anew."""

    method: str
    role: ExplainerRole
    again: Float[np.ndarray, "n d"]


class Linear(NamedTuple):
    """Questions, each with a linear map that answers it: the larger, the likelier a yes."""

    questions: tuple[str, ...]
    coef: Float[np.ndarray, "k d"]
    intercept: Float[np.ndarray, " k"]


def partners(n: int, seed: int) -> Int[np.ndarray, " n"]:
    """For each of n items another one, drawn at random; each is drawn once."""
    if n < 2:
        raise BadInput(f"{n} items; expected at least 2, so that each has another")
    order = np.random.default_rng([seed, n]).permutation(n)
    found = np.empty(n, np.int64)
    found[order] = np.roll(order, 1)
    return found


def ranks(
    guesses: Float[np.ndarray, "n d"], pool: Float[np.ndarray, "m d"], size: int, seed: int
) -> Int[np.ndarray, " n"]:
    """Place, from 1, of the pool's vector i among those nearest to guess i by cosine, beside `size` - 1 others drawn at
    random; a tie counts against it."""
    n, m = len(guesses), len(pool)
    if not n <= m or not 2 <= size <= m:
        raise BadInput(f"{n} guesses among {size} of a pool of {m}; expected 2 <= {size} <= {m} and {n} <= {m}")
    alike = unit(guesses) @ unit(pool).T
    own, rows = alike[np.arange(n), np.arange(n)], np.arange(n)[:, None]
    lots = np.random.default_rng([seed, size]).random((n, m))
    lots[np.arange(n), np.arange(n)] = np.inf  # itself is no other
    others = np.argpartition(lots, size - 2, axis=1)[:, : size - 1]
    return 1 + (alike[rows, others] >= own[:, None]).sum(1)


def gained(
    cosine: Float[np.ndarray, " n"],
    prior: Float[np.ndarray, " n"],
    ceiling: Float[np.ndarray, " n"],
    groups: Shaped[np.ndarray, " n"] | None = None,
    seed: int = 0,
) -> Estimate | None:
    """(cosine - prior) / (ceiling - prior), each the mean over the same texts, which are resampled together; None where
    the ceiling is not clearly above the prior."""
    if mean(ceiling - prior, groups, seed).low <= 0:
        return None
    return ratio(cosine - prior, ceiling - prior, groups, seed)


def calibration_error(chances: Float[np.ndarray, " n"], true: Bool[np.ndarray, " n"], bins: int = 10) -> float:
    """Expected calibration error: the mean gap of forecast and frequency over bins of as many forecasts each."""
    if not len(chances):
        raise BadInput("no forecasts; expected at least 1")
    parts = np.array_split(np.argsort(chances, kind="stable"), min(bins, len(chances)))
    return float(sum(abs(chances[part].mean() - true[part].mean()) * len(part) for part in parts) / len(chances))


def moved(
    vectors: Float[np.ndarray, "n d"], ways: Float[np.ndarray, "w d"], steps: Float[np.ndarray, " k"]
) -> Float[np.ndarray, "n k d"]:
    """Each vector, made one long, k times moved along its way (or along the only one), and made one long again."""
    far = unit(vectors)[:, None, :] + steps[None, :, None] * unit(ways)[:, None, :]
    return (far / np.linalg.norm(far, axis=-1, keepdims=True)).astype(np.float32)


def spearman(scores: Float[np.ndarray, "n k"], steps: Float[np.ndarray, " k"]) -> Float[np.ndarray, " n"]:
    """Spearman's correlation of each row with the steps; 0 where a row does not change."""
    from scipy.stats import rankdata

    rows = rankdata(scores, axis=1)
    rows = rows - rows.mean(1, keepdims=True)
    line = rankdata(steps)
    line = line - line.mean()
    sizes = np.linalg.norm(rows, axis=1) * np.linalg.norm(line)
    return np.divide(rows @ line, sizes, out=np.zeros(len(rows)), where=sizes > 0)


def spread_out(count: int, most: int) -> slice:
    """At most `most` of `count` items in order, evenly spread."""
    return slice(None, None, max(1, -(-count // most)))


def score_descriptions(
    found: Sequence[Told],
    pool: Float[np.ndarray, "m d"],
    groups: Shaped[np.ndarray, " n"],
    sizes: tuple[int, int],
    seed: int,
) -> Iterator[DescriptionScores]:
    """Each method on the first n unit vectors of a pool, which are sought among the smaller and the larger of `sizes`;
    the last two methods are the prior and the ceiling. The larger is left out where the pool has fewer."""
    n = len(groups)
    cosines = [(told.again * pool[:n]).sum(1) for told in found]
    for told, cosine in zip(found, cosines, strict=True):
        ends = told.role in ("prior", "ceiling")  # they are 0 and 1 by definition
        few = ranks(told.again, pool, sizes[0], seed)
        many = ranks(told.again, pool, sizes[1], seed) if len(pool) >= sizes[1] else None
        yield DescriptionScores(
            told.method,
            told.role,
            mean(cosine, groups, seed),
            None if ends else gained(cosine, cosines[-2], cosines[-1], groups, seed),
            proportion(int((few <= 1).sum()), n),
            proportion(int((few <= 10).sum()), n),
            None if many is None else proportion(int((many <= 10).sum()), n),
        )


def closed_forms(
    vectors: Float[np.ndarray, "q d"], asked: Sequence[Segment], words: Linear, probes: Linear
) -> Float[np.ndarray, " q"]:
    """What linear maps hold of each question on its vector: evidence for a word, a probe's log-odds of an attribute.

    A word that cannot be read gets the mean of the others, an attribute without a probe nan.
    """
    found = np.full(len(asked), np.nan)
    said = np.array([one.task == "word" for one in asked])
    for linear, wanted in ((words, said), (probes, ~said)):
        places = {question: place for place, question in enumerate(linear.questions)}
        for row in np.flatnonzero(wanted):
            if (place := places.get(asked[int(row)].ask)) is not None:
                found[row] = vectors[row] @ linear.coef[place] + linear.intercept[place]
    unread = said & np.isnan(found)
    if (said & ~unread).any():
        found[unread] = found[said & ~unread].mean()
    return found


def score_questions(
    asked: Sequence[Segment],
    logs: Float[np.ndarray, " q"],
    blind: Float[np.ndarray, " q"],
    read: Float[np.ndarray, " q"],
    probed: Float[np.ndarray, " q"],
    probability: Callable[[np.ndarray], np.ndarray],
    least: int,
    seed: int,
) -> Iterator[QuestionScores]:
    """Words with easy and with hard noes, each attribute, and all of them; kinds of fewer than `least` questions, or
    with one answer alone, are left out. `logs` are log-odds of yes, `blind` those given another vector and `read` those
    given the text; `probability` calibrates them. What is recovered is (accuracy - blind) / (with the text - blind)."""
    true = np.array([one.answer == "yes" for one in asked])
    task, kind = np.array([one.task for one in asked]), np.array([one.kind for one in asked])
    word = task == "word"
    right, guess, known = ((probability(each) >= 0.5) == true for each in (logs, blind, read))
    kinds = {f"words, {no}": word & np.isin(kind, ("yes", no)) for no in ("easy", "hard")}
    kinds |= {each.removeprefix("attribute "): task == each for each in dict.fromkeys(task.tolist()) if each != "word"}
    kinds["all attributes"] = ~word
    for name, mine in kinds.items():
        yes, no = mine & true, mine & ~true
        if mine.sum() < least or not yes.any() or not no.any():
            continue
        told = auc(probed[yes], probed[no], seed) if np.isfinite(probed[mine]).all() else None
        error = calibration_error(probability(logs[mine]), true[mine])
        answered, guessed, best = (auc(each[yes], each[no], seed) for each in (logs, blind, read))
        more, most = (each[mine].astype(float) - guess[mine] for each in (right, known))
        share = ratio(more, most, seed=seed) if mean(most, seed=seed).low > 0 else None
        yield QuestionScores(name, answered, guessed, best, told, share, error, int(mine.sum()))


def log_odds(
    model: SoftPromptModel,
    vectors: Float[np.ndarray, "n d"],
    asked: Sequence[tuple[int, str]],
    what: str,
    texts: Sequence[str] | None = None,
) -> Float[np.ndarray, " q"]:
    """Log-odds of yes against no of questions on rows of `vectors`, or of `texts` in their place; all questions on one
    row stand behind one prompt."""
    by_row: dict[int, list[int]] = {}
    for place, (row, _) in enumerate(asked):
        by_row.setdefault(row, []).append(place)
    rows = sorted(by_row, key=lambda row: sum(len(asked[place][1]) for place in by_row[row]))
    found = np.empty(len(asked))
    with progress(what, len(asked), "questions") as advance:
        for start in range(0, len(rows), TOGETHER):
            some = rows[start : start + TOGETHER]
            asks = [[asked[place][1] for place in by_row[row]] for row in some]
            read = None if texts is None else [texts[row] for row in some]
            for row, logs in zip(some, model.choose([vectors[row][None] for row in some], asks, read), strict=True):
                found[by_row[row]] = logs[:, 0] - logs[:, 1]
            advance(sum(map(len, asks)))
    return found
