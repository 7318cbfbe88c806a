"""Examples that show what was read without showing personal data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from workbench.audit._planted import holds
from workbench.core.blocks import Example, Segment
from workbench.core.text import normalise
from workbench.data.personal import PersonalCorpus, Span

_WORD = re.compile(r"\w+|\W+")


def sentence_examples(
    truth: Sequence[str], guesses: Sequence[str], cosines: Float[np.ndarray, " n"], n: int
) -> list[Example]:
    """Every k-th sentence in order of cosine, so that good and bad ones are shown alike; shared words are marked."""
    order = sorted(range(len(truth)), key=lambda i: -cosines[i])
    picks = [order[int((k + 0.5) * len(order) / n)] for k in range(n)] if n else []
    return [
        Example(_marked(truth[i], guesses[i]), _marked(guesses[i], truth[i]), f"cosine {cosines[i]:.3f}") for i in picks
    ]


def record_examples(
    records: PersonalCorpus, guesses: Sequence[str], cosines: Float[np.ndarray, " n"], n: int
) -> list[Example]:
    """Records with most recovered first; every planted value, and every trace of it in the guess, is masked."""
    texts = records.corpus.texts
    hits = [
        sum(holds(guess, text[s.start : s.end]) for s in spans)
        for text, spans, guess in zip(texts, records.spans, guesses, strict=True)
    ]
    order = sorted(range(len(texts)), key=lambda i: (-hits[i], -cosines[i]))[:n]
    return [
        Example(
            _masked_truth(texts[i], records.spans[i]),
            _masked_guess(guesses[i], texts[i], records.spans[i]),
            f"{hits[i]} of {len(records.spans[i])} values whole, cosine {cosines[i]:.3f}",
        )
        for i in order
    ]


def _marked(text: str, other: str) -> tuple[Segment, ...]:
    shared = set(normalise(other).split())
    return _merge(Segment(t, "same" if normalise(t) in shared and normalise(t) else "") for t in _WORD.findall(text))


def _masked_truth(text: str, spans: Sequence[Span]) -> tuple[Segment, ...]:
    out, place = [], 0
    for span in spans:
        out += [Segment(text[place : span.start]), Segment(f"[{span.kind}]", "mask")]
        place = span.end
    return tuple(segment for segment in (*out, Segment(text[place:])) if segment.text)


def _masked_guess(guess: str, text: str, spans: Sequence[Span]) -> tuple[Segment, ...]:
    """Words of any planted value are masked in the guess; a mark says whether the whole value was found."""
    secret = {}
    for span in spans:
        value = text[span.start : span.end]
        mark = f"[{span.kind}: found]" if holds(guess, value) else f"[part of {span.kind}]"
        secret |= dict.fromkeys(normalise(value).split(), mark)
    rest = set(normalise(_without(text, spans)).split())
    out: list[Segment] = []
    for piece in _WORD.findall(guess):
        word = normalise(piece)
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
