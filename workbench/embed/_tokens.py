"""What each token of a batch is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Int

from workbench.core.errors import BadInput
from workbench.embed._grad_embedder import Features, TokenBatch


def token_counts(tokenizer: Any, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
    """Tokens of each text by a transformers tokenizer, specials included, before any truncation."""
    ids = tokenizer(list(texts), truncation=False, verbose=False)["input_ids"] if len(texts) else []
    return np.array([len(row) for row in ids], dtype=np.int64)


def fillers(tokenizer: Any) -> dict[str, int]:
    """Ids of the tokens that stand for nothing: padding (the end of text where there is none), and the mask."""
    found = {"pad": tokenizer.pad_token_id, "mask": tokenizer.mask_token_id}
    if found["pad"] is None:
        found["pad"] = tokenizer.eos_token_id
    return {name: int(id) for name, id in found.items() if id is not None}


def describe(features: Features, tokenizer: Any, texts: Sequence[str], prompt: str = "") -> TokenBatch:
    """A TokenBatch out of the features that a transformers tokenizer made of `prompt` + text.

    Raises BadInput where the tokenizer gives no character spans (one that is not a "fast" tokenizer), or where the
    pipeline changes the text before it is tokenised.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise BadInput(f"{type(tokenizer).__name__} gives no character spans; expected a fast tokenizer")
    ids, mask = features["input_ids"], features["attention_mask"]
    rows = tokenizer(
        [prompt + text for text in texts],
        truncation=True,
        max_length=ids.shape[1],
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    spans = torch.zeros(*ids.shape, 2, dtype=torch.long)
    tokens = [[""] * ids.shape[1] for _ in texts]
    for row, text in enumerate(texts):
        places = mask[row].nonzero()[:, 0].tolist()
        if [int(ids[row, place]) for place in places] != rows["input_ids"][row]:
            raise BadInput(
                f"the pipeline changes text {row} before it is tokenised, so its tokens have no places in it"
            )
        names = tokenizer.convert_ids_to_tokens(rows["input_ids"][row])
        marks = zip(places, names, rows["offset_mapping"][row], rows["special_tokens_mask"][row], strict=True)
        for place, name, (start, end), special in marks:
            start, end = max(start - len(prompt), 0), max(end - len(prompt), 0)  # noqa: PLW2901
            if not special and end > start:
                spans[row, place] = torch.tensor([start, end])
            tokens[row][place] = text[start:end] or name
    content = spans[..., 1] > spans[..., 0]
    return TokenBatch(features, content.to(ids.device), spans, tuple(map(tuple, tokens)))
