"""A quantised GGUF language model, as a transformers folder of safetensors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from workbench.assets._quiet import quiet_loading
from workbench.assets._tokenizer import save_tokenizer
from workbench.assets.converters._join import join
from workbench.core.errors import CannotWrite, FetchError, first_line

__all__ = ["gguf"]


def gguf(pieces: Sequence[Path], into: Path) -> None:
    """Join the pieces, undo the quantisation and save weights, configuration, tokenizer and chat template.

    transformers reads the file with the package `gguf`; that takes seconds to minutes. The weights are saved in
    float32, as they are used: then they are mapped into memory and neither read nor cast when the model opens.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, modeling_gguf_pytorch_utils

    reader: Any = modeling_gguf_pytorch_utils
    reader.tqdm = partial(reader.tqdm, disable=True)  # a bar of its own, that nothing else silences
    path = join(pieces)
    try:
        with quiet_loading():
            tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
            model = AutoModelForCausalLM.from_pretrained(
                path.parent,
                gguf_file=path.name,
                dtype=torch.float32,
                quantization_config=GgufConfig(dequantize=True),
            )
            model.save_pretrained(into)
            save_tokenizer(tokenizer, into)
    except CannotWrite:
        raise
    except Exception as error:  # the reader takes its numbers as they come: any kind of error may follow
        raise FetchError(f"{path.name} cannot be read as a GGUF model: {first_line(error)}") from error
