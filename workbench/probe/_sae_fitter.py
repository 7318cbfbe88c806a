"""The learning of a top-k sparse autoencoder: a state that takes steps, saves itself, and freezes.

On a CPU the gradients touch the k active features of a vector alone: sums over them are gathered (embedding_bag), also
in the backward passes, which takes a tenth of the time of products with a dense (n m) matrix of activations.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch.nn.functional import embedding_bag

from workbench.core.errors import BadInput
from workbench.core.files import atomic_folder, read_json, write_json
from workbench.core.tensors import NO_STATE, whole_tensors
from workbench.probe.sparse_autoencoder import TopKAutoencoder

_AUX_SHARE = 1 / 32
"""Weight of the auxiliary loss beside the loss, as Gao et al. have it."""


class SaeFitter:
    """Weights, both moments of Adam, and how long each feature has been idle: all that a resumed run needs.

    Begins at random directions of norm 1 as decoder, the same as encoder (tied), and the mean of `vectors` as centre,
    which is learnt too. Vectors are measured in units of `scale`, their root mean square distance from the mean.
    A feature that `dead_after` vectors did not activate counts as dead, and the auxiliary loss works on it.
    """

    def __init__(
        self,
        vectors: Float[np.ndarray, "n d"],
        features: int,
        k: int,
        dead_after: int,
        seed: int,
        device: str = "cpu",
    ) -> None:
        self.k, self._dead_after, self._device = k, dead_after, device
        mean = vectors.mean(axis=0, dtype=np.float64)
        self.scale = float(np.sqrt(((vectors - mean) ** 2).sum(axis=1).mean()))
        if not self.scale > 0:
            raise BadInput(f"all {len(vectors)} vectors are the same; expected vectors that differ")
        rows = np.random.default_rng(seed).standard_normal((features, vectors.shape[1]))
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        self._encoder = self._parameter(rows)
        self._bias = self._parameter(np.zeros(features, np.float32))
        self._decoder = self._parameter(rows.copy())
        self._centre = self._parameter((mean / self.scale).astype(np.float32))
        self._adam = torch.optim.Adam(list(self._named.values()), lr=0.0, eps=1e-10, fused=True)
        self._idle = torch.zeros(features, dtype=torch.int64, device=device)
        self.step, self.seconds = 0, 0.0

    @property
    def dead(self) -> int:
        """How many features no vector has activated for `dead_after` vectors."""
        return int((self._idle >= self._dead_after).sum())

    def learn(self, vectors: Float[np.ndarray, "b d"], rate: float) -> float:
        """One step of Adam; gives the mean squared error as a share of the variance."""
        x = torch.from_numpy(vectors).to(self._device) / self.scale
        centred = x - self._centre
        values, places = _TopK.apply(centred, self._encoder, self._bias, self.k)
        error = embedding_bag(places, self._decoder, mode="sum", per_sample_weights=values) - centred
        loss = error.square().sum(dim=1).mean()
        self._count_idle(values, places, len(x))
        aux = self._aux_loss(centred.detach(), -error.detach())
        self._adam.zero_grad(set_to_none=True)
        (loss if aux is None else loss + _AUX_SHARE * aux).backward()
        self._project()
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.step()
        with torch.no_grad():
            self._decoder /= self._decoder.norm(dim=1, keepdim=True)
        self.step += 1
        return float(loss.detach())

    def freeze(self, embedder: str, revision: str) -> TopKAutoencoder:
        """The autoencoder as it now is, in the vectors' own units."""
        encoder, bias, decoder, centre = (tensor.detach().cpu().numpy().copy() for tensor in self._named.values())
        scale = np.float32(self.scale)
        return TopKAutoencoder(encoder, bias * scale, decoder, centre * scale, self.k, embedder, revision)

    def save(self, folder: Path) -> None:
        """Write the state, whole or not at all."""
        tensors: dict[str, torch.Tensor] = {name: tensor.detach().cpu() for name, tensor in self._named.items()}
        for name, tensor in self._named.items():
            for key, value in self._adam.state.get(tensor, {}).items():
                tensors[f"{key}.{name}"] = value.cpu()
        with atomic_folder(folder) as temporary:
            save_file({**tensors, "idle": self._idle.cpu()}, temporary / "state.safetensors")
            write_json(temporary / "progress.json", {"step": self.step, "seconds": self.seconds})

    def restore(self, folder: Path) -> None:
        """Take up a saved state in place, if there is one."""
        if not folder.is_dir():
            return
        with whole_tensors(folder, NO_STATE):
            told = read_json(folder / "progress.json")
            self.step, self.seconds = told["step"], told["seconds"]
            found = {name: tensor.to(self._device) for name, tensor in load_file(folder / "state.safetensors").items()}
            self._idle = found["idle"]
            for name, parameter in self._named.items():
                parameter.data.copy_(found[name])
                self._adam.state[parameter] = {key: found[f"{key}.{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}

    @property
    def _named(self) -> dict[str, torch.nn.Parameter]:
        names = ("encoder", "bias", "decoder", "centre")
        return {name: getattr(self, f"_{name}") for name in names}

    def _parameter(self, values: np.ndarray) -> torch.nn.Parameter:
        return torch.nn.Parameter(torch.from_numpy(values).to(self._device))

    @torch.no_grad()
    def _count_idle(self, values: torch.Tensor, places: torch.Tensor, seen: int) -> None:
        self._idle += seen
        self._idle[places[values > 0]] = 0

    def _aux_loss(self, centred: torch.Tensor, missing: torch.Tensor) -> torch.Tensor | None:
        """How badly the dead features alone explain what the living ones leave (AuxK): it brings them back to life."""
        dead = torch.nonzero(self._idle >= self._dead_after)[:, 0]
        if not len(dead):
            return None
        k = min(max(1, self._decoder.shape[1] // 2), len(dead))
        values, places = _TopK.apply(centred, self._encoder[dead], self._bias[dead], k)
        found = embedding_bag(places, self._decoder[dead], mode="sum", per_sample_weights=values)
        return (found - missing).square().sum() / missing.square().sum().clamp(min=1e-12)

    @torch.no_grad()
    def _project(self) -> None:
        """Leave out the part of the decoder's gradient that would only change the norms of its rows."""
        gradient = self._decoder.grad
        assert gradient is not None
        gradient -= (gradient * self._decoder).sum(dim=1, keepdim=True) * self._decoder


class _TopK(torch.autograd.Function):
    """The k largest entries of `weight x + bias`, those below 0 as 0, and their places.

    The backward pass sums over the active entries alone, instead of through a dense (n m) gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Float[torch.Tensor, "n d"], weight: Float[torch.Tensor, "m d"], bias: torch.Tensor, k: int
    ) -> tuple[Float[torch.Tensor, "n k"], Int[torch.Tensor, "n k"]]:
        values, places = torch.addmm(bias, x, weight.T).topk(k, sorted=False)
        values = values.relu()
        ctx.save_for_backward(x, weight, values, places)
        ctx.mark_non_differentiable(places)
        return values, places

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight, values, places = ctx.saved_tensors
        gradient = torch.where(values > 0, gradients[0], 0.0)
        to_x = None
        if ctx.needs_input_grad[0]:
            to_x = embedding_bag(places, weight, mode="sum", per_sample_weights=gradient)
        flat, m = places.flatten(), len(weight)
        order = flat.argsort(stable=True)  # the transposed sum: of each feature, the vectors that it was active in
        ends = torch.bincount(flat, minlength=m).cumsum(0)
        starts = torch.cat([ends.new_zeros(1), ends[:-1]])
        each = gradient.flatten()[order]
        to_weight = embedding_bag(order // places.shape[1], x, starts, mode="sum", per_sample_weights=each)
        to_bias = torch.zeros(m, dtype=x.dtype, device=x.device).index_add_(0, flat, gradient.flatten())
        return to_x, to_weight, to_bias, None
