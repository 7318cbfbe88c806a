"""The tokens of a causal language model that a corpus needs, as a vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from workbench.core.errors import BadInput
from workbench.lm.text_decoder import EOS, UNK
from workbench.lm.vocabulary import SPECIALS, Vocabulary

_BLANKS = ("Ġ", "▁")
"""How byte-level and sentence-piece tokenizers write the blank before a word."""


class TokenVocabulary(Vocabulary):
    """Ids 0 to 2 as in any vocabulary, then tokens; `base` holds their ids in the language model.

    Every text is read and written as what follows a blank, so that its first word is the same token as anywhere else.
    """

    def __init__(self, tokenizer: Any, base: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self.base = np.array([-1] * len(SPECIALS) + list(base), dtype=np.int64)
        tokens = tokenizer.convert_ids_to_tokens(list(base))
        said = [tokenizer.decode([id], clean_up_tokenization_spaces=False) for id in base]
        blank = np.array([token.startswith(_BLANKS) for token in tokens])
        letter = np.array([text.strip()[:1].isalnum() for text in said])
        none = np.zeros(len(SPECIALS), dtype=bool)
        self.pieces = (*SPECIALS, *(text.strip() for text in said))
        self.continues = np.concatenate([none, ~blank & letter])
        self.is_word = np.concatenate([none, blank & letter])
        names: dict[str, int] = {}
        self.kin = np.array([names.setdefault(piece.casefold() or piece, len(names)) for piece in self.pieces])
        """Number of the word that each token spells, whatever its case and the blank before it."""
        self._place = np.full(int(max(base, default=0)) + 1, UNK, dtype=np.int64)
        self._place[list(base)] = np.arange(len(SPECIALS), len(self.base))

    @classmethod
    def of(cls, tokenizer: Any, texts: Sequence[str], size: int) -> TokenVocabulary:
        """The `size` tokens that are most used in `texts`; those that hold a line break are none of them."""
        counts = Counter(id for row in _ids(tokenizer, texts) for id in row)
        usable = [id for id, _ in counts.most_common() if "\n" not in tokenizer.decode([id])]
        return cls(tokenizer, sorted(usable[: size - len(SPECIALS)]))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, no specials; a token that is not in the vocabulary is unknown."""
        last = len(self._place)
        return [[int(self._place[id]) if id < last else UNK for id in row] for row in _ids(self._tokenizer, texts)]

    def decode(self, ids: Sequence[int] | Int[np.ndarray, " t"]) -> str:
        """Text of ids, up to the first end."""
        row = [int(id) for id in ids]
        row = row[: row.index(EOS)] if EOS in row else row
        tokens = [int(self.base[id]) for id in row if id > EOS]
        return " ".join(self._tokenizer.decode(tokens, clean_up_tokenization_spaces=False).split())

    def save(self, path: Path) -> None:
        """Refused: the tokens belong to the language model, which is named instead."""
        raise BadInput(f"{path}: a language model's tokens are not saved; name the model")


def _ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    return tokenizer([f" {text.strip()}" for text in texts], add_special_tokens=False)["input_ids"] if texts else []
