"""What each token of a batch is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Int

from workbench.core.errors import BadInput
from workbench.embed._grad_embedder import Features, TokenBatch
from workbench.embed._reading import Reading, require_characters

_BLANK = "\u2581\u0120\u010a\u0109\u010d "
"""What stands for blanks in the tokens of Unigram and byte-level vocabularies."""
_UNLIMITED = 1_000_000
"""From here on a stated length means that there is no limit."""
_FEW = 8
"""Tokens up to which it is looked whether all of them are blank."""


def read_tokens(tokenizer: Any, texts: Sequence[str], limit: int = 0, prompt: str = "") -> Reading:
    """Count the tokens of `prompt` + text, by a transformers tokenizer, a tokenizers.Tokenizer or one of word vectors.

    A limit of 0 means that nothing is cut.
    """
    frame, *rows = _ids(tokenizer, [prompt, *(prompt + text for text in require_characters(texts))])
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    own = np.maximum(lengths - len(frame), 0)
    cut = np.minimum(np.maximum(lengths - limit, 0), own) if limit else np.zeros_like(lengths)
    known = known_tokens(tokenizer, rows) - known_tokens(tokenizer, [frame])[0]
    return Reading(lengths, cut, own, np.clip(known, 0, own))


def known_tokens(tokenizer: Any, rows: Sequence[Sequence[int]]) -> Int[np.ndarray, " n"]:
    """Tokens of each text that are neither unknown, nor special, nor blank."""
    if not hasattr(tokenizer, "convert_ids_to_tokens"):
        return np.array([len(row) for row in rows], dtype=np.int64)  # word vectors leave out what they do not know
    nothing = {id for id in (*tokenizer.all_special_ids, tokenizer.unk_token_id) if id is not None}
    out = []
    for ids in rows:
        good = [id for id in ids if id not in nothing]
        if 0 < len(good) <= _FEW:
            good = [name for name in tokenizer.convert_ids_to_tokens(good) if str(name).strip(_BLANK)]
        out.append(len(good))
    return np.array(out, dtype=np.int64)


def token_limit(module: Any) -> int:
    """Tokens that a module without layers reads of a text; 0: all. A tokenizer.json may hold a truncation of its own,
    which sentence-transformers follows and does not mention."""
    tokenizer = getattr(module, "tokenizer", None)
    own = getattr(tokenizer, "truncation", None)
    stated = getattr(module, "max_seq_length", None) or 0
    limits = [int(own["max_length"])] if own else []
    limits += [int(stated)] if 0 < stated < _UNLIMITED else []
    return min(limits, default=0)


def uncut(tokenizer: Any) -> Any:
    """The same tokenizer without a truncation or padding of its own, for counting."""
    if not hasattr(tokenizer, "to_str"):
        return tokenizer
    copy = type(tokenizer).from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def _ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    if hasattr(tokenizer, "encode_batch"):
        return [row.ids for row in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
    if hasattr(tokenizer, "convert_ids_to_tokens"):
        return tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
    return [list(tokenizer.tokenize(text)) for text in texts]


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
