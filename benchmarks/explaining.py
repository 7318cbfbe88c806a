"""Seconds for the explanation of one vector, once all is loaded: as served, by transformers' `generate`, by llama.cpp.

    python benchmarks/explaining.py                    # torch and generate
    python benchmarks/explaining.py --llamacpp         # and llama.cpp, where the extra is installed

An explanation is `Explainer.describe` of one vector: description, keywords, its cosine when embedded anew, all claims.
Every held-out text is explained by each in turn, so that they share whatever else the machine does. Prints one JSON row
for each way: median and 95th percentile of seconds and of CPU-seconds, tokens of descriptions (ends count) per second,
and how many descriptions are those of `generate`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.explain import Explainer, open_explainer
from workbench.lm._packing import Packed
from workbench.lm._server import Server, Told, Writing, first_segments
from workbench.lm._torch_server import TorchServer


class GenerateServer(Server):
    """The baseline: transformers' own `generate` for the text, and one pass more for the questions."""

    def __init__(self, lm: Any) -> None:
        self._lm, self._reader = lm, TorchServer(lm)

    @torch.inference_mode()
    def tell(self, x: Float[Tensor, "n t h"], packed: Packed, writing: Writing | None = None) -> Told:
        """See `Server.tell`."""
        logits = self._reader.tell(x, packed).logits
        if writing is None:
            return Told(logits, [])
        firsts = first_segments(packed)
        start = x[:, : int(packed.told[firsts[0], 1]) + 1]

        def rule(ids: Tensor, scores: Tensor) -> Tensor:
            if ids.shape[1]:
                return scores
            return torch.zeros_like(scores).scatter_(1, writing.first(scores)[:, None], 1.0)

        ids = self._lm.generate(
            inputs_embeds=start,
            attention_mask=torch.ones(start.shape[:2], dtype=torch.long),
            max_new_tokens=writing.most_tokens,
            do_sample=False,
            logits_processor=[rule],
            eos_token_id=writing.end,
            pad_token_id=writing.end,
        )
        rows = [row[: row.index(writing.end)] if writing.end in row else row for row in ids.tolist()]
        return Told(logits, rows)


def main() -> None:
    """All ways, in turn for each text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=30, help="held-out texts")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--corpus", default="conservative")
    parser.add_argument("--llamacpp", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    embedder = load_embedder("minilm", "cpu")
    texts = corpora.load(options.corpus, "test", options.n).texts[: options.n]
    hidden = embedder.embed_set([str(i) for i in range(len(texts))], texts).without_texts()
    bundle = open_explainer(embedder, device="cpu").bundle
    model = bundle.model
    servers: dict[str, Server] = {"generate": GenerateServer(model.lm), "torch": model.server}
    if options.llamacpp:
        from workbench.lm.llamacpp import LlamaCppServer

        servers["llamacpp"] = LlamaCppServer.of(model.lm)
    explainers = {name: Explainer(load_embedder("minilm", "cpu"), bundle) for name in servers}  # memos of their own
    wall: dict[str, list[float]] = {name: [] for name in servers}
    cpu: dict[str, list[float]] = {name: [] for name in servers}
    said: dict[str, list[str]] = {name: [] for name in servers}
    for i in (0, *range(len(hidden))):  # the first one twice: once to load what is loaded on first use
        for name, server in servers.items():
            model.server = server
            began = time.perf_counter(), time.process_time()
            found = explainers[name].describe(hidden.select(slice(i, i + 1)))
            wall[name].append(time.perf_counter() - began[0])
            cpu[name].append(time.process_time() - began[1])
            said[name].append(found.rows[0].description)
    for name in servers:
        tokens = [len(model.tokenizer(text, add_special_tokens=False).input_ids) + 1 for text in said[name][1:]]
        row = {
            "benchmark": "explaining",
            "served": name,
            "n": len(hidden),
            "threads": options.threads,
            "median_s": round(float(np.median(wall[name][1:])), 3),
            "p95_s": round(float(np.percentile(wall[name][1:], 95)), 3),
            "median_cpu_s": round(float(np.median(cpu[name][1:])), 3),
            "p95_cpu_s": round(float(np.percentile(cpu[name][1:], 95)), 3),
            "tokens_per_second": round(sum(tokens) / sum(wall[name][1:]), 1),
            "same_descriptions": sum(a == b for a, b in zip(said[name][1:], said["generate"][1:], strict=True)),
            "load_average": round(os.getloadavg()[0], 1),
        }
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
