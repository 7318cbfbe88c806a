"""A chat model that writes and judges: seeded sampling, and the log-odds of one answer against another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from workbench import assets
from workbench.embed._torch import pick_device

Turns = Sequence[tuple[str, str]]
"""Worked examples: what was asked, and what was answered."""


class ChatModel:
    """A causal language model with a chat template (an asset, a folder or a hub id); without one, plain turns."""

    def __init__(self, model: str = "smollm2", device: str = "auto") -> None:
        self.name = model
        self.device = pick_device(device)
        self._tokenizer, self._model, place = assets.open_language_model(model)
        self._model.to(self.device)
        self._tokenizer.padding_side = "left"
        self.revision = assets.weights_revision(place)

    def write(
        self,
        questions: Sequence[str],
        examples: Turns = (),
        most_tokens: int = 48,
        temperature: float = 0.7,
        top_p: float = 0.9,
        seed: int = 0,
    ) -> list[str]:
        """One sampled answer to each question, its first line; the same for the same questions and seed on one device.

        `temperature` 0 is greedy.
        """
        batch = self._batch([self._prompt(question, examples) for question in questions])
        sampled = {"do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0}
        drawn = sampled if temperature else {"do_sample": False}
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(seed)
            rows = self._model.generate(
                **batch, max_new_tokens=most_tokens, pad_token_id=self._tokenizer.pad_token_id, **drawn
            )
        answers = self._tokenizer.batch_decode(rows[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
        return [answer.strip().partition("\n")[0].strip() for answer in answers]

    def log_odds(
        self, questions: Sequence[str], answer: str, other: str, examples: Turns = ()
    ) -> Float[np.ndarray, " n"]:
        """log P(answer) - log P(other) for each question, by the first token in which the two answers differ."""
        ids = [self._tokenizer(text, add_special_tokens=False)["input_ids"] for text in (answer, other)]
        shared = next(i for i, pair in enumerate(zip(*ids, strict=False)) if pair[0] != pair[1])
        lead = self._tokenizer.decode(ids[0][:shared])
        batch = self._batch([self._prompt(question, examples) + lead for question in questions])
        with torch.inference_mode():
            last = self._model(**batch, logits_to_keep=1).logits[:, -1]
        return (last[:, ids[0][shared]] - last[:, ids[1][shared]]).float().cpu().numpy()

    def _prompt(self, question: str, examples: Turns) -> str:
        if self._tokenizer.chat_template is None:
            turns = "".join(f"{asked}\n{answered}\n\n" for asked, answered in examples)
            return f"{turns}{question}\n"
        turns = [
            {"role": role, "content": text}
            for pair in examples
            for role, text in zip(("user", "assistant"), pair, strict=True)
        ]
        turns.append({"role": "user", "content": question})
        return self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)

    def _batch(self, prompts: list[str]) -> Any:
        return self._tokenizer(prompts, padding=True, add_special_tokens=False, return_tensors="pt").to(self.device)
