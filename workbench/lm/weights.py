"""A decoder, its bag of words and its vocabulary on disk: safetensors in bf16, and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from workbench.core.errors import BadInput, first_line
from workbench.lm.bag_of_words import BagOfWords
from workbench.lm.decoder import ConditionedDecoder, DecoderConfig
from workbench.lm.vocabulary import Vocabulary

DECODER, BAG, VOCABULARY = "decoder.safetensors", "bag_of_words.safetensors", "vocabulary.json"


@dataclass(frozen=True)
class TextModel:
    """All that turns vectors into text: the decoder, the bag of words that it leans on, and their vocabulary."""

    decoder: ConditionedDecoder
    bag: BagOfWords
    vocabulary: Vocabulary

    def save(self, folder: Path) -> dict[str, Any]:
        """Write three files into `folder`; gives the decoder's configuration as JSON, for the card."""
        _save(self.decoder.state_dict(), folder / DECODER)
        save_bag(folder, self.bag, self.vocabulary)
        return asdict(self.decoder.config)

    @classmethod
    def load(cls, folder: Path, config: dict[str, Any], device: str) -> TextModel:
        """Read what `save` wrote, in float32, ready to decode. Raises BadInput naming the damaged file."""
        bag, vocabulary = load_bag(folder)
        state = _load(folder / DECODER)
        try:
            decoder = ConditionedDecoder(DecoderConfig(**config))
            decoder.load_state_dict(state)
        except (RuntimeError, TypeError) as error:
            raise BadInput(f"{folder / DECODER} does not fit its card: {first_line(error)}") from error
        decoder.set_bag_of_words(bag)
        return cls(decoder.to(device).eval(), bag, vocabulary)


def save_bag(folder: Path, bag: BagOfWords, vocabulary: Vocabulary) -> None:
    """Write what stays as it is in training: the bag of words and the vocabulary."""
    _save({name: torch.from_numpy(array) for name, array in vars(bag).items()}, folder / BAG)
    vocabulary.save(folder / VOCABULARY)


def load_bag(folder: Path) -> tuple[BagOfWords, Vocabulary]:
    """The bag of words and the vocabulary alone, without the decoder."""
    state = _load(folder / BAG)
    return BagOfWords(**{name: tensor.numpy() for name, tensor in state.items()}), Vocabulary.load(folder / VOCABULARY)


def _save(state: dict[str, torch.Tensor], path: Path) -> None:
    save_file({name: tensor.detach().to("cpu", torch.bfloat16).contiguous() for name, tensor in state.items()}, path)


def _load(path: Path) -> dict[str, torch.Tensor]:
    try:
        return {name: tensor.float() for name, tensor in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise BadInput(f"{path} cannot be loaded: {first_line(error)}") from error
