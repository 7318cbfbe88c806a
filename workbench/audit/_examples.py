"""Examples that show what was read without showing personal data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from workbench.audit._fuzzy import NEAR, similarity
from workbench.audit._patterns import mask
from workbench.audit._planted import holds, value_words
from workbench.core.blocks import Example, Segment
from workbench.core.text import pieces, tokens
from workbench.data.personal import PersonalCorpus, Span

_LONGEST = 400
_LONG = 4
"""Letters from which a word that is nearly a planted one gives it away."""


def sentence_examples(
    truth: Sequence[str],
    guesses: Sequence[str],
    cosines: Float[np.ndarray, " n"],
    n: int,
    seed: int = 0,
    masked: bool = False,
) -> list[Example]:
    """The best, the median and random sentences by cosine; shared words are marked, and `masked` shows shapes alone."""
    order = sorted(range(len(truth)), key=lambda i: -cosines[i])
    out = []
    for i, why in chosen(order, n, seed):
        hidden, read = _marked(truth[i], guesses[i]), _marked(guesses[i], truth[i])
        if masked:
            hidden, read = tuple(map(_shape, hidden)), tuple(map(_shape, read))
        out.append(Example(hidden, read, f"{why}: cosine {cosines[i]:.3f}"))
    return out


def record_examples(
    records: PersonalCorpus,
    guesses: Sequence[str],
    cosines: Float[np.ndarray, " n"],
    n: int,
    seed: int = 0,
    plaintext: bool = False,
) -> list[Example]:
    """The best, the median and random records by values found; every planted value, and every trace of it in the guess,
    is masked unless `plaintext` is asked for."""
    texts = records.corpus.texts
    hits = [
        sum(holds(guess, text[s.start : s.end]) for s in spans)
        for text, spans, guess in zip(texts, records.spans, guesses, strict=True)
    ]
    order = sorted(range(len(texts)), key=lambda i: (-hits[i], -cosines[i]))
    out = []
    for i, why in chosen(order, n, seed):
        note = f"{why}: {hits[i]} of {len(records.spans[i])} values whole, cosine {cosines[i]:.3f}"
        if plaintext:
            out.append(Example(_marked(texts[i], guesses[i]), _marked(guesses[i], texts[i]), note))
        else:
            hidden = _masked_truth(texts[i], records.spans[i])
            out.append(Example(hidden, _masked_guess(guesses[i], texts[i], records.spans[i]), note))
    return out


def chosen(order: Sequence[int], n: int, seed: int = 0) -> list[tuple[int, str]]:
    """`n` of the rows in `order`, which begins with the best: a quarter the best, a quarter around the median, the rest
    at random from what is left, each with the name of its rule."""
    n = min(n, len(order))
    best = n // 4
    middle = (n + 3) // 4
    rest = list(order[best:])
    start = max(0, min(len(order) // 2 - middle // 2 - best, len(rest) - middle))
    median, left = rest[start : start + middle], rest[:start] + rest[start + middle :]
    drawn = np.random.default_rng(seed).permutation(len(left))[: n - best - middle]
    ruled = [("best", list(order[:best])), ("median", median), ("random", [left[place] for place in drawn])]
    return [(row, why) for why, rows in ruled for row in rows]


def _shape(segment: Segment) -> Segment:
    return Segment(mask(segment.text, _LONGEST), segment.mark)


def _marked(text: str, other: str) -> tuple[Segment, ...]:
    shared = set(tokens(other))
    return _merge(Segment(each, "same" if shared.issuperset(tokens(each) or [""]) else "") for each in pieces(text))


def _masked_truth(text: str, spans: Sequence[Span]) -> tuple[Segment, ...]:
    out, place = [], 0
    for span in spans:
        out += [Segment(text[place : span.start]), Segment(f"[{span.kind}]", "mask")]
        place = span.end
    return tuple(segment for segment in (*out, Segment(text[place:])) if segment.text)


def _masked_guess(guess: str, text: str, spans: Sequence[Span]) -> tuple[Segment, ...]:
    """Words of planted values, and those near one, are masked in the guess; a mark says what was found whole."""
    secret = {}
    for span in spans:
        value = text[span.start : span.end]
        mark = f"[{span.kind}: found]" if holds(guess, value) else f"[part of {span.kind}]"
        secret |= dict.fromkeys(value_words(value), mark)
    rest = set(value_words(_without(text, spans)))
    out: list[Segment] = []
    for piece in pieces(guess):
        word = next((each for each in value_words(piece) if each in secret), "".join(value_words(piece)))
        if word and word not in secret and word not in rest:
            word = next((each for each in secret if len(each) >= _LONG and similarity(word, each) >= NEAR), word)
        if word in secret and (word not in rest or any(c.isdigit() for c in word)):
            if not (out and out[-1].text == secret[word]):
                if len(out) > 1 and out[-2].text == secret[word]:
                    out.pop()  # the blank or mark between two words of one value
                else:
                    out.append(Segment(secret[word], "mask"))
        else:
            out.append(Segment(piece))
    return _merge(out)


def _without(text: str, spans: Sequence[Span]) -> str:
    for span in reversed(spans):
        text = f"{text[: span.start]} {text[span.end :]}"
    return text


def _merge(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Join neighbours that have the same mark; masks stay apart."""
    out: list[Segment] = []
    for segment in segments:
        if out and out[-1].mark == segment.mark and segment.mark != "mask":
            out[-1] = Segment(out[-1].text + segment.text, segment.mark)
        else:
            out.append(segment)
    return tuple(out)
