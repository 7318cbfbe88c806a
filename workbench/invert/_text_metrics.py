"""Score a text against the true one: token F1, BLEU and chrF, by words or letters as the true text's script asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import regex

from workbench.core.text import normalise, tokens, unspaced

PLAIN = "13a"
"""sacrebleu's tokeniser of scripts that set blanks between words."""
_KANA = regex.compile(r"[\p{scx=Hiragana}\p{scx=Katakana}&&[\p{L}]]", regex.V1)
_CHINESE = regex.compile(
    r"[\u2e80-\u2fdf\u3000-\u303f\u3100-\u312f\u31a0-\u31bf\u3400-\u4db5\u4e00-\u9fbb\uf900-\ufad9]\p{M}*"
)
"""Letters that sacrebleu's `zh` cuts; ideographs beyond the basic plane (U+20000 and above) stay joined in it."""
_PICTURE = regex.compile(r"\p{So}")
_TIBETAN = regex.compile(r"\p{Tibetan}")


def exact_match(guesses: Sequence[str], truth: Sequence[str]) -> np.ndarray:
    """Whether each text is read whole, in its normal form."""
    return np.array([normalise(guess) == normalise(text) for guess, text in zip(guesses, truth, strict=True)])


def string_match(guesses: Sequence[str], truth: Sequence[str]) -> np.ndarray:
    """Whether each text is read to the letter: equality of the strings, which vec2text reports as exact match."""
    return np.array([guess == text for guess, text in zip(guesses, truth, strict=True)])


def token_f1(guesses: Sequence[str], truth: Sequence[str]) -> np.ndarray:
    """F1 of the multisets of normalised tokens, for each text, in 0 .. 1. Two texts without tokens agree."""
    out = np.empty(len(truth))
    for i, (guess, text) in enumerate(zip(guesses, truth, strict=True)):
        a, b = Counter(tokens(guess)), Counter(tokens(text))
        total = a.total() + b.total()
        out[i] = 2 * (a & b).total() / total if total else 1.0
    return out


def tokeniser_of(text: str) -> str:
    """The sacrebleu tokeniser that fits the script of a true text.

    `13a` for scripts that set blanks between words. Where at least half of the tokens are letters of a script without
    blanks, or pictures such as emoji: `zh` for Chinese, `ja-mecab` for Japanese where MeCab is installed, else `char`.
    """
    if text.isascii():
        return PLAIN
    if _TIBETAN.search(text):
        inside = sum(map(len, _TIBETAN.findall(text)))
        return "char" if 2 * inside >= len("".join(text.split())) else PLAIN
    letters, found = unspaced(text), tokens(text)
    joined = len(letters) + sum(bool(_PICTURE.match(token)) for token in found)
    if not joined or 2 * joined < len(found):
        return PLAIN
    if _KANA.search(text):
        return "ja-mecab" if _has_mecab() else "char"
    return "zh" if letters and all(map(_CHINESE.fullmatch, letters)) else "char"


def sentence_bleu(guesses: Sequence[str], truth: Sequence[str]) -> np.ndarray:
    """Sentence BLEU of sacrebleu, lower-cased, in 0 .. 1, each with the tokeniser of its true text."""
    pairs = zip(guesses, truth, strict=True)
    return np.array([_bleu(tokeniser_of(t)).sentence_score(g, [t]).score / 100 for g, t in pairs])


def sentence_chrf(guesses: Sequence[str], truth: Sequence[str]) -> np.ndarray:
    """Sentence chrF of sacrebleu (Popović 2015: F2 of character n-grams up to 6), lower-cased, in 0 .. 1."""
    metric = _chrf()
    return np.array([metric.sentence_score(g, [t]).score / 100 for g, t in zip(guesses, truth, strict=True)])


def bleu_signature(truth: Sequence[str] = ()) -> str:
    """sacrebleu's signature of `sentence_bleu` on these true texts; a mixed set counts the texts of each tokeniser."""
    counts = Counter(map(tokeniser_of, truth)) or Counter([PLAIN])
    (first, _), *rest = counts.most_common()
    said = str(_signed(_bleu(first)))
    if not rest:
        return said
    shares = ", ".join(f"{name} for {count} of {len(truth)} texts" for name, count in counts.most_common())
    return f"{said.replace(f'tok:{first}', 'tok:by script')} ({shares})"


def chrf_signature() -> str:
    """sacrebleu's signature of `sentence_chrf`."""
    return str(_signed(_chrf()))


def _signed(metric: Any) -> Any:
    metric.sentence_score("a", ["a"])
    return metric.get_signature()


@cache
def _bleu(tokeniser: str) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(lowercase=True, effective_order=True, tokenize=tokeniser)


@cache
def _chrf() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(lowercase=True)


@cache
def _has_mecab() -> bool:
    try:
        _bleu("ja-mecab")
    except (ImportError, RuntimeError):  # sacrebleu says which packages are missing
        return False
    return True
