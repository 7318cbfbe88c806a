"""What embedders that run on torch share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int

from workbench.core.errors import BadInput


def pick_device(device: str) -> str:
    """`auto` means the first accelerator, or the CPU. Raises BadInput for a device that this machine does not have."""
    if device == "auto":
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return accelerator.type if accelerator else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BadInput(f"device {device!r} cannot be used here; expected cpu, cuda, mps or auto") from error
    return device


def weights_revision(model: str) -> str:
    """Short hash of a local model's weights; for a hub id the id itself, for the hub keeps the revision."""
    digest = hashlib.sha256()
    weights = sorted(Path(model).rglob("*.safetensors")) if Path(model).is_dir() else []
    for path in weights:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12] if weights else model


def token_counts(tokenizer: Any, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
    """Tokens of each text by a transformers tokenizer, specials included, before any truncation."""
    ids = tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
    return np.array([len(row) for row in ids], dtype=np.int64)


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Hold back transformers' own bars and notices while a model loads."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
