"""A word-piece vocabulary cut to the pieces that a corpus needs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from workbench.core.errors import BadInput, WorkbenchError, first_line
from workbench.core.files import read_json
from workbench.lm.text_decoder import EOS

SPECIALS = ("[PAD]", "[UNK]", "[EOS]")


class Vocabulary:
    """Ids and pieces of a WordPiece tokenizer; id 0 pads, 1 is unknown, 2 ends a text.

    `base` holds, for every piece, its id in the tokenizer it was cut from (-1 for the three specials), so that a
    model can start from that tokenizer's embeddings.
    """

    def __init__(self, pieces: Sequence[str], base: Sequence[int], normaliser: dict[str, Any]) -> None:
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

        if tuple(pieces[: len(SPECIALS)]) != SPECIALS or len(base) != len(pieces):
            raise BadInput(f"a vocabulary begins with {' '.join(SPECIALS)} and has one base id for each piece")
        self.pieces, self.base, self.normaliser = tuple(pieces), np.asarray(base, dtype=np.int64), normaliser
        index = {piece: place for place, piece in enumerate(self.pieces)}
        self._tokenizer = Tokenizer(models.WordPiece(index, unk_token="[UNK]", max_input_chars_per_word=64))
        self._tokenizer.normalizer = normalizers.BertNormalizer(**normaliser)
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        self.continues = np.array([piece.startswith("##") for piece in self.pieces])
        """True for pieces that go on with the word before them."""
        self.is_word = np.array([piece[:1].isalnum() for piece in self.pieces])
        """True for pieces that begin a word or number."""

    def __len__(self) -> int:
        return len(self.pieces)

    @classmethod
    def cut(cls, model_folder: Path, texts: Iterable[str], size: int) -> Vocabulary:
        """The `size` most useful pieces of a BERT-like model's tokenizer on `texts`: all single characters first."""
        from tokenizers import Tokenizer

        settings = _settings(model_folder)
        known = settings["model"]["vocab"]
        tokenizer = Tokenizer.from_file(str(Path(model_folder) / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        counts: Counter[int] = Counter()
        for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
            counts.update(encoding.ids)
        usable = {piece: id for piece, id in known.items() if not piece.startswith("[")}
        letters = [
            piece for piece in usable if len(piece.removeprefix("##")) == 1 and piece.removeprefix("##").isascii()
        ]
        by_use = sorted(usable, key=lambda piece: (-counts[usable[piece]], usable[piece]))
        chosen = list(dict.fromkeys([*letters, *by_use]))[: size - len(SPECIALS)]
        normaliser = {key: value for key, value in (settings["normalizer"] or {}).items() if key != "type"}
        return cls([*SPECIALS, *chosen], [-1] * len(SPECIALS) + [usable[piece] for piece in chosen], normaliser)

    @classmethod
    def learn(cls, model_folder: Path, texts: Iterable[str], size: int) -> Vocabulary:
        """`size` cased pieces learnt from `texts`, so that John is told from john.

        The `base` of a piece is the BERT-like model's piece of its lower-cased form.
        """
        from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

        known = _settings(model_folder)["model"]["vocab"]
        normaliser = {"clean_text": True, "handle_chinese_chars": True, "strip_accents": False, "lowercase": False}
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(**normaliser)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=list(SPECIALS), show_progress=False)
        tokenizer.train_from_iterator(texts, trainer)
        found = sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
        pieces = [piece for piece, _ in found if piece not in SPECIALS]
        return cls(
            [*SPECIALS, *pieces],
            [-1] * len(SPECIALS) + [known.get(piece.lower(), -1) for piece in pieces],
            normaliser,
        )

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, no specials."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def decode(self, ids: Sequence[int] | Int[np.ndarray, " t"]) -> str:
        """Text of ids, up to the first end; spaces are put back by rule, for a vector does not tell of them."""
        words: list[str] = []
        for id in ids:
            if id == EOS:
                break
            piece = self.pieces[id]
            if piece.startswith("##") and words:
                words[-1] += piece[2:]
            elif id > EOS:
                words.append(piece.removeprefix("##"))
        return tidy(" ".join(words))

    def save(self, path: Path) -> None:
        """Write JSON."""
        content = {"pieces": self.pieces, "base": self.base.tolist(), "normaliser": self.normaliser}
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read what `save` wrote."""
        try:
            content = read_json(path)
            return cls(content["pieces"], content["base"], content["normaliser"])
        except WorkbenchError:
            raise
        except Exception as error:  # a key that is missing, or what the tokenizer says of its settings
            raise BadInput(f"{path} is not a vocabulary: {first_line(error)}") from error


def _settings(model_folder: Path) -> dict[str, Any]:
    """tokenizer.json of a BERT-like model. Raises BadInput where it is not WordPiece."""
    settings = json.loads((Path(model_folder) / "tokenizer.json").read_text(encoding="utf-8"))
    if settings["model"].get("type", "WordPiece") != "WordPiece":
        raise BadInput(f"{model_folder} has a {settings['model']['type']} tokenizer; expected WordPiece")
    return settings


_TIDY = tuple(
    (re.compile(pattern), repair)
    for pattern, repair in (
        (r" ([.,;:?!%)\]}])", r"\1"),
        (r"([(\[{$£€#]) ", r"\1"),
        (r"(\w) ' (s|t|re|ve|ll|d|m)\b", r"\1'\2"),
        (r"\bn ' t\b", "n't"),
        (r"(?<=\d)([:./-]) (?=\d)", r"\1"),
        (r"(?<=\d), (?=\d{3}(?!\d))", ","),
        (r"(?<=\w) ([-/]) (?=\w)", r"\1"),
        (r"(\w) ?([@_]) (?=\w)", r"\1\2"),
        (r"(?<=[\w-])\. (?=[\w-]+@)", "."),
        (r"(@[\w-]+)\. (?=(?:com|org|net|edu|gov|io|co)\b)", r"\1."),
        (r'" ([^"]*?) ?"', r'"\1"'),
    )
)


def tidy(text: str) -> str:
    """Put word pieces' text back in the shape that people write: no blank before a comma, none inside a date."""
    for pattern, repair in _TIDY:
        text = pattern.sub(repair, text)
    return text
