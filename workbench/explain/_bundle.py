"""All that an explainer is made of, on disk and in memory: the model, the probes that check it, and blind vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from scipy.special import expit

from workbench.core.errors import BadInput
from workbench.core.files import read_json, write_json
from workbench.core.tensors import whole_tensors
from workbench.core.vectors import unit
from workbench.lm.projector import ProjectorConfig
from workbench.lm.soft_prompt import SoftPromptModel

KIND = "explainer"
_PROJECTOR, _LORA, _CLAIMS, _WORDS = "projector.safetensors", "lora.safetensors", "claims.safetensors", "words.json"
_EXACT = ("mean", "whitening", "typical", "size")
"""Tensors of the projector that are kept in float32: distances in narrow directions need them."""


@dataclass(frozen=True)
class Claims:
    """Yes-or-no attributes with a question each, and a linear probe on the vectors that says how likely a yes is."""

    names: tuple[str, ...]
    questions: tuple[str, ...]
    coef: Float[np.ndarray, "k d"]
    intercept: Float[np.ndarray, " k"]

    def probe(self, vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n k"]:
        """Probability of yes by each probe."""
        return expit(unit(vectors) @ self.coef.T + self.intercept)

    def none(self) -> Claims:
        """The same without any."""
        return Claims((), (), self.coef[:0], self.intercept[:0])


@dataclass(frozen=True)
class Bundle:
    """A trained explainer. `calibration` (a, b) turns the log-odds l of yes against no into the probability
    sigmoid(a l + b) (Platt 1999), fitted on validation texts; `blind` are vectors of training texts, which stand in for
    the true one when a blind answer is asked for."""

    model: SoftPromptModel
    claims: Claims
    calibration: tuple[float, float]
    blind: Float[np.ndarray, "b d"]

    def probability(self, log_odds: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """Calibrated probability of yes."""
        a, b = self.calibration
        return expit(a * log_odds + b)

    def save(self, folder: Path, lora: Mapping[str, torch.Tensor]) -> dict[str, Any]:
        """Write its files into `folder`; gives what `load` needs, for the card."""
        state = self.model.projector.state_dict()
        save_file({name: _kept(name, value) for name, value in state.items()}, folder / _PROJECTOR)
        if lora:
            save_file({name: _kept(name, value) for name, value in lora.items()}, folder / _LORA)
        table = {"coef": self.claims.coef, "intercept": self.claims.intercept, "blind": self.blind}
        tensors = {name: torch.from_numpy(np.ascontiguousarray(each, np.float32)) for name, each in table.items()}
        save_file(tensors, folder / _CLAIMS)
        write_json(folder / _WORDS, self.model.words)
        return {
            "model": self.model.name,
            "model_revision": self.model.revision,
            "projector": asdict(self.model.projector.config),
            "calibration": list(self.calibration),
            "claims": [*zip(self.claims.names, self.claims.questions, strict=True)],
        }

    @classmethod
    def load(cls, folder: Path, config: Mapping[str, Any], device: str) -> Bundle:
        """Read what `save` wrote. Raises BadInput naming what does not fit."""
        with whole_tensors(folder, "is not a whole explainer"):
            words = read_json(folder / _WORDS)
            table = {name: tensor.numpy() for name, tensor in load_file(folder / _CLAIMS).items()}
            state = {name: tensor.float() for name, tensor in load_file(folder / _PROJECTOR).items()}
            lora = load_file(folder / _LORA) if (folder / _LORA).exists() else {}
            sizes = ProjectorConfig(**config["projector"])
            names, questions = zip(*config["claims"], strict=True) if config["claims"] else ((), ())
            a, b = config["calibration"]
        model = SoftPromptModel(config["model"], words, sizes, device)
        if model.revision != config["model_revision"]:
            raise BadInput(
                f"{folder.name} was trained on {model.name} with weights {config['model_revision']}; the ones here are "
                f"{model.revision}"
            )
        with whole_tensors(folder / _PROJECTOR, "does not fit its card"):
            model.projector.load_state_dict(state)
            model.merge_lora(lora)
            model.projector.eval()
            return cls(model, Claims(names, questions, table["coef"], table["intercept"]), (a, b), table["blind"])


def _kept(name: str, value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu().contiguous()
    return value.float() if name in _EXACT else value.to(torch.bfloat16)
