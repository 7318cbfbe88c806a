"""A frozen language model in shares: each process keeps its part of every layer, by torch's FSDP2."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh

from workbench.core.errors import BadInput


def shard_layers(lm: Any, mesh: DeviceMesh, device: str) -> None:
    """Leave in this process its share of each layer of a causal language model, on `device`.

    A layer is gathered while it computes and let go behind it, in the forward pass and in the backward one (Zhao et
    al. 2023), so every process of `mesh` must make the same passes. No process waits for another here: each cuts its
    share out of the weights that it holds. Embeddings and head, which are read outside the layers, stay whole. Raises
    BadInput where the layers are not found.
    """
    from torch.distributed.fsdp import fully_shard

    trunk, embeddings = lm.base_model, lm.get_input_embeddings()
    found = [part for part in trunk.children() if isinstance(part, nn.ModuleList)]
    layers = next((part for part in found if len(part) == lm.config.num_hidden_layers), None)
    if layers is None:
        raise BadInput(f"the layers of a {type(lm).__name__} are not one list in its trunk; train it without FSDP")
    for whole in (embeddings, lm.get_output_embeddings()):
        whole.to(device)
    for layer in layers:
        fully_shard(layer, mesh=mesh)
    # always let go: what one process alone looks at, as the first does when it saves, must not change what is gathered
    fully_shard(trunk, mesh=mesh, reshard_after_forward=True, ignored_params={*embeddings.parameters()})


def of_the_first(ids: Int[Tensor, "..."], mesh: DeviceMesh) -> Int[Tensor, "..."]:
    """What the first process has, in all of them."""
    ids = ids.contiguous()
    torch.distributed.broadcast(ids, 0, group=mesh.get_group())
    return ids
