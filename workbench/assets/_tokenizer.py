"""Save a language model's tokenizer so that it opens from one file, read once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_CONFIG, _TOKENIZER, _TEMPLATE = "tokenizer_config.json", "tokenizer.json", "chat_template.jinja"
_FILE_IS_WHOLE = "whole_file"
"""Key of the configuration: the tokenizer's file holds all, and no class of transformers adds to it."""
_KEPT = ("bos_token", "eos_token", "unk_token", "pad_token", "mask_token", "padding_side", "model_max_length")


def save_tokenizer(tokenizer: Any, into: Path) -> None:
    """Write a transformers tokenizer with what its class knows and its files do not say: the side of the padding."""
    tokenizer.save_pretrained(into)
    config = json.loads((into / _CONFIG).read_text(encoding="utf-8"))
    config |= {"padding_side": tokenizer.padding_side, _FILE_IS_WHOLE: True}
    (into / _CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")


def open_tokenizer(place: Path) -> Any:
    """The tokenizer of a folder, or of a hub id.

    transformers' own way reads a vocabulary several times: 3 s for Gemma's 262,144 pieces, where one reading takes 1 s.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    path = place / _CONFIG
    config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if _FILE_IS_WHOLE not in config:
        return AutoTokenizer.from_pretrained(str(place), trust_remote_code=False)
    template = place / _TEMPLATE
    return PreTrainedTokenizerFast(
        tokenizer_file=str(place / _TOKENIZER),
        chat_template=template.read_text(encoding="utf-8") if template.is_file() else None,
        **{key: config[key] for key in _KEPT if key in config},
    )
