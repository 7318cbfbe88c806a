"""The language model served by llama.cpp, through the low-level half of llama-cpp-python (an extra)."""

from __future__ import annotations

import importlib
import logging
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.core.errors import BadInput
from workbench.lm._gguf import gguf_of
from workbench.lm._packing import Packed
from workbench.lm._server import Server, Told, Writing, first_segments

_FLOAT32 = 0
"""ggml's number for the type."""
_MOST_SEGMENTS = 256
"""LLAMA_MAX_SEQ."""


class LlamaCppServer(Server):
    """A Llama in float32, run by llama.cpp on the CPU with as many threads as torch has.

    Everything goes in as embeddings (`llama_batch.embd`), soft tokens and words alike. The segments of a prompt are
    sequences of one batch, and the prompt's own tokens belong to all of them, so it is read once here too. Rows are
    worked on one after the other.
    """

    def __init__(self, path: Path, embeddings: torch.nn.Module) -> None:
        llama = _library()
        self._llama, self._embeddings = llama, embeddings
        logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL)  # it calls warnings errors
        llama.llama_backend_init()
        self._model = llama.llama_model_load_from_file(str(path).encode(), llama.llama_model_default_params())
        if not self._model:
            raise BadInput(f"llama.cpp cannot read {path}; delete it and it is written anew")
        weakref.finalize(self, llama.llama_model_free, self._model)
        self._v = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self._model))
        self._context: Any = None
        self._room = (0, 0)

    @classmethod
    def of(cls, lm: Any) -> LlamaCppServer:
        """Serve a model of transformers; its weights are written as GGUF into the cache, the first time."""
        _library()
        return cls(gguf_of(lm), lm.get_input_embeddings())

    @torch.inference_mode()
    def tell(self, x: Float[Tensor, "n t h"], packed: Packed, writing: Writing | None = None) -> Told:
        """See `Server.tell`."""
        rows, written = [], []
        firsts = first_segments(packed)
        for row in range(len(x)):
            told = packed.told[packed.told[:, 0] == row, 1]
            rows.append(self._read(x[row], packed, row, told.tolist(), 0 if writing is None else writing.most_tokens))
            if writing is not None:
                first = writing.first(rows[-1][:1])
                place = int(packed.places[row, packed.told[firsts[row], 1]]) + 1
                written.append(self._go_on(int(first), place, writing))
        return Told(torch.cat(rows), written)

    def _read(
        self, x: Float[Tensor, "t h"], packed: Packed, row: int, told: list[int], more: int
    ) -> Float[Tensor, "q v"]:
        """Logits behind the tokens `told` of one row; what was read before is forgotten, all but the first segment is
        forgotten afterwards."""
        segment = packed.segment[row]
        t, k = int((segment >= 0).sum()), int(segment.max())
        self._make_room(t + more, k)
        sequences = [list(range(k)) if mark == 0 else [mark - 1] for mark in segment[:t].tolist()]
        self._decode(x[:t], packed.places[row, :t].tolist(), sequences, told)
        logits = torch.stack([self._logits(place) for place in told])
        memory = self._llama.llama_get_memory(self._context)
        for sequence in range(1, k):
            self._llama.llama_memory_seq_rm(memory, sequence, -1, -1)
        return logits

    def _go_on(self, token: int, place: int, writing: Writing) -> list[int]:
        """The greedy text behind the first segment."""
        out: list[int] = []
        while token != writing.end:
            out.append(token)
            if len(out) == writing.most_tokens:
                break
            self._decode(self._embeddings(torch.tensor([token])), [place], [[0]], [0])
            token, place = int(self._logits(0).argmax()), place + 1
        return out

    def _decode(self, x: Float[Tensor, "t h"], places: list[int], sequences: list[list[int]], told: list[int]) -> None:
        """Run tokens, each of them in the sequences that hold it; logits are made behind those at `told`."""
        llama, (t, hidden) = self._llama, x.shape
        batch = llama.llama_batch_init(t, hidden, max(map(len, sequences)))
        try:
            batch.n_tokens = t
            np.ctypeslib.as_array(batch.embd, (t, hidden))[:] = x.float().cpu().numpy()
            for i, (place, members) in enumerate(zip(places, sequences, strict=True)):
                batch.pos[i], batch.n_seq_id[i], batch.logits[i] = place, len(members), 0
                for j, member in enumerate(members):
                    batch.seq_id[i][j] = member
            for i in told:
                batch.logits[i] = 1
            if (code := llama.llama_decode(self._context, batch)) != 0:
                raise RuntimeError(f"llama_decode gave {code} for {t} tokens")
        finally:
            llama.llama_batch_free(batch)

    def _logits(self, place: int) -> Float[Tensor, " v"]:
        values = self._llama.llama_get_logits_ith(self._context, place)
        return torch.from_numpy(np.ctypeslib.as_array(values, (self._v,)).copy())

    def _make_room(self, tokens: int, segments: int) -> None:
        """An empty context for so many tokens and segments."""
        llama = self._llama
        if segments > _MOST_SEGMENTS:
            raise BadInput(f"{segments} questions on one vector; llama.cpp takes at most {_MOST_SEGMENTS}")
        if self._context and tokens <= self._room[0] and segments <= self._room[1]:
            llama.llama_memory_clear(llama.llama_get_memory(self._context), False)
            return
        if self._context:
            self._forget()
        room = max(512, 1 << (tokens - 1).bit_length()), max(16, 1 << (segments - 1).bit_length())
        wanted = llama.llama_context_default_params()
        wanted.n_ctx = wanted.n_batch = wanted.n_ubatch = room[0]
        wanted.n_seq_max, wanted.kv_unified = room[1], True
        wanted.type_k = wanted.type_v = _FLOAT32
        wanted.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_DISABLED  # it works in half precision
        wanted.n_threads = wanted.n_threads_batch = torch.get_num_threads()
        self._context = llama.llama_init_from_model(self._model, wanted)
        if not self._context:
            raise RuntimeError(f"llama.cpp has no context of {room[0]} tokens for {room[1]} sequences")
        self._room, self._forget = room, weakref.finalize(self, llama.llama_free, self._context)


def _library() -> Any:
    try:
        return importlib.import_module("llama_cpp")  # type checkers need not have it
    except ImportError as error:
        raise BadInput(
            'llama.cpp is not here: pip install "embedding-workbench[llamacpp]" (it is compiled, which takes a C++ '
            "compiler and some minutes), or serve with torch"
        ) from error
