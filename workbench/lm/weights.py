"""A decoder, its bag of words and its vocabulary on disk: safetensors in bf16, and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from workbench.core.errors import UnknownName
from workbench.core.tensors import whole_tensors
from workbench.lm.bag_of_words import BagOfWords
from workbench.lm.causal import CausalDecoder, CausalDecoderConfig
from workbench.lm.decoder import ConditionedDecoder, DecoderConfig
from workbench.lm.lexicon import Lexicon
from workbench.lm.text_decoder import EOS, TextDecoder
from workbench.lm.vocabulary import Vocabulary
from workbench.lm.word_shifts import WordShifts

DECODER, BAG, VOCABULARY = "decoder.safetensors", "bag_of_words.safetensors", "vocabulary.json"
SHIFTS, LEXICON = "word_shifts.safetensors", "lexicon.safetensors"
ARCHITECTURES = ("film", "causal", "t5")


def make_decoder(architecture: str, **sizes: Any) -> TextDecoder:
    """An untrained decoder of one of the ARCHITECTURES, with the sizes of its configuration."""
    match architecture:
        case "film":
            return ConditionedDecoder(DecoderConfig(**sizes))
        case "causal":
            return CausalDecoder(CausalDecoderConfig(**sizes))
        case "t5":
            from workbench.lm.t5 import T5Decoder, T5DecoderConfig

            return T5Decoder(T5DecoderConfig(**sizes))
    raise UnknownName("architecture", architecture, ARCHITECTURES)


def config_of(decoder: TextDecoder) -> dict[str, Any]:
    """What `make_decoder` needs to make one like it."""
    names = {"ConditionedDecoder": "film", "CausalDecoder": "causal", "T5Decoder": "t5"}
    sizes: Any = decoder.config
    return {"architecture": names[type(decoder).__name__], **asdict(sizes)}


@dataclass(frozen=True)
class Fitted:
    """What stays as it is in training: the bag of words, the vocabulary, and what ranks the edits of a search."""

    bag: BagOfWords
    vocabulary: Vocabulary
    shifts: WordShifts | None = None
    lexicon: Lexicon | None = None

    def save(self, folder: Path) -> None:
        """Write its files into `folder`."""
        if self.shifts is not None:
            _save(_tensors(self.shifts), folder / SHIFTS)
        if self.lexicon is not None:
            save_lexicon(folder, self.lexicon)
        _save(_tensors(self.bag), folder / BAG)
        self.vocabulary.save(folder / VOCABULARY)

    @classmethod
    def load(cls, folder: Path) -> Fitted:
        """Read what `save` wrote. Raises BadInput naming the damaged file."""
        bag, vocabulary = load_bag(folder)
        return cls(bag, vocabulary, _load_shifts(folder), load_lexicon(folder, len(vocabulary)))


@dataclass(frozen=True)
class TextModel:
    """All that turns vectors into text: the decoder, the bag of words that it leans on, and their vocabulary.

    `shifts` and `lexicon` rank the edits of a search; a model can do without.
    """

    decoder: TextDecoder
    bag: BagOfWords
    vocabulary: Vocabulary
    shifts: WordShifts | None = None
    lexicon: Lexicon | None = None

    def save(self, folder: Path) -> dict[str, Any]:
        """Write its files into `folder`; gives the decoder's configuration as JSON, for the card."""
        _save(self.decoder.state_dict(), folder / DECODER)
        Fitted(self.bag, self.vocabulary, self.shifts, self.lexicon).save(folder)
        return config_of(self.decoder)

    @classmethod
    def load(cls, folder: Path, config: dict[str, Any], device: str) -> TextModel:
        """Read what `save` wrote, in float32, ready to decode. Raises BadInput naming the damaged file."""
        fitted = Fitted.load(folder)
        state = _load(folder / DECODER)
        with whole_tensors(folder / DECODER, "does not fit its card"):
            _require_room(config, state)
            decoder = make_decoder(**{"architecture": "film", **config})
            decoder.load_state_dict(state)
            decoder.set_bag_of_words(fitted.bag)
        return cls(decoder.to(device).eval(), fitted.bag, fitted.vocabulary, fitted.shifts, fitted.lexicon)


def _require_room(config: Mapping[str, Any], state: Mapping[str, torch.Tensor]) -> None:
    """Raise ValueError for a size that these weights cannot have: a card may state any, and it would be made first."""
    numbers = sum(tensor.numel() for tensor in state.values())
    for name, size in config.items():
        most = len(state) if "layers" in name else numbers
        if isinstance(size, int) and size > most:
            raise ValueError(f"{name} is over {most:,}, which these weights cannot hold")


def load_bag(folder: Path) -> tuple[BagOfWords, Vocabulary]:
    """The bag of words and the vocabulary alone, without the decoder."""
    state = _load(folder / BAG)
    with whole_tensors(folder / BAG, "is not a bag of words"):
        bag = BagOfWords(**{name: tensor.numpy() for name, tensor in state.items()})
    return bag, Vocabulary.load(folder / VOCABULARY)


def _load_shifts(folder: Path) -> WordShifts | None:
    if not (folder / SHIFTS).exists():
        return None
    with whole_tensors(folder / SHIFTS, "is not a table of word shifts"):
        return WordShifts(**{name: tensor.numpy() for name, tensor in _load(folder / SHIFTS).items()})


def save_lexicon(folder: Path, lexicon: Lexicon) -> None:
    """Write the lexicon: shifts in steps of 1/127 of each word's largest, for there are many."""
    scale = np.abs(lexicon.shift).max(1, initial=1e-12) / 127
    pieces = np.array([piece for word in lexicon.words for piece in word], dtype=np.int32)
    arrays = {
        "shift": np.rint(lexicon.shift / scale[:, None]).astype(np.int8),
        "scale": scale.astype(np.float32),
        "pieces": pieces,
        "lengths": np.array([len(word) for word in lexicon.words], dtype=np.int32),
    }
    save_file({name: torch.from_numpy(array) for name, array in arrays.items()}, folder / LEXICON)


def load_lexicon(folder: Path, size: int) -> Lexicon | None:
    """The lexicon of a vocabulary of `size` pieces, or None where a checkpoint has none."""
    if not (folder / LEXICON).exists():
        return None
    with whole_tensors(folder / LEXICON, "is not a lexicon"):
        state = {name: tensor.numpy() for name, tensor in load_file(folder / LEXICON).items()}
        pieces, lengths, shift = state["pieces"], state["lengths"], state["shift"]
        if (pieces.ndim, lengths.ndim, shift.ndim) != (1, 1, 2) or lengths.sum() != len(pieces):
            raise ValueError("its tensors do not fit each other")
        if (lengths < 1).any() or (pieces <= EOS).any() or (pieces >= size).any():
            raise ValueError("its words are not of this vocabulary")
        shift = shift.astype(np.float32)
        shift *= state["scale"].reshape(len(lengths), 1)
        flat, ends = pieces.tolist(), np.cumsum(lengths).tolist()
        return Lexicon(tuple(tuple(flat[start:end]) for start, end in pairwise([0, *ends])), shift)


def _tensors(arrays: BagOfWords | WordShifts) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in vars(arrays).items()}


def _save(state: dict[str, torch.Tensor], path: Path) -> None:
    # tied weights (T5's embeddings) are written under each of their names: safetensors refuses shared memory
    whole = {name: tensor.detach().to("cpu", torch.bfloat16).clone().contiguous() for name, tensor in state.items()}
    save_file(whole, path)


def _load(path: Path) -> dict[str, torch.Tensor]:
    with whole_tensors(path):
        return {name: tensor.float() for name, tensor in load_file(path).items()}
