"""The processes of one training run, as `accelerate launch` starts them; a run alone is a world of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from workbench.core.errors import BadInput
from workbench.core.progress import quiet as quiet_bars
from workbench.embed._torch import quick_in_bf16


class Ranks:
    """Every process holds the whole model and learns from its own batches; gradients are averaged before each step.

    The averaging is ours rather than DistributedDataParallel's: some weights learn in a part of the steps alone, and
    losses are called on the model's own methods, which a wrapper hides. Raises BadInput where weights should be sharded
    (FSDP): these models fit one device many times over.
    """

    def __init__(self, device: str) -> None:
        from accelerate import Accelerator
        from accelerate.utils import DistributedType

        cuda = device.startswith("cuda")
        self._accelerator = Accelerator(cpu=not cuda, mixed_precision="bf16" if quick_in_bf16(device) else "no")
        kind = self._accelerator.distributed_type
        if kind in (DistributedType.FSDP, DistributedType.DEEPSPEED):
            raise BadInput(f"accelerate is set up for {kind.value}; expected plain data parallelism: --multi_gpu")
        self.rank, self.world = self._accelerator.process_index, self._accelerator.num_processes
        self.device = device  # accelerate has made this process' own GPU the current one
        if not self.leads:
            quiet_bars.set(True)

    @property
    def leads(self) -> bool:
        """Whether this process writes files and the log."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[None]:
        """Mixed precision, where the device learns in it."""
        return self._accelerator.autocast()

    @contextmanager
    def one_first(self) -> Iterator[None]:
        """The leading process goes through first, so that the others find its files."""
        with self._accelerator.main_process_first():
            yield

    def same(self, value: float) -> float:
        """The leading process' value: what depends on a clock must not differ between processes."""
        if self.world == 1:
            return value
        told = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(told, 0)
        return float(told)

    def average(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace each gradient by its mean over all processes; a weight without one must be without one in all."""
        if self.world == 1:
            return
        for parts in _by_type(part.grad for part in parameters if part.grad is not None):
            together = torch.cat([part.flatten() for part in parts])
            torch.distributed.all_reduce(together)
            together /= self.world
            for part, mean in zip(parts, together.split([part.numel() for part in parts]), strict=True):
                part.copy_(mean.view_as(part))

    def wait(self) -> None:
        """Until all processes are here."""
        self._accelerator.wait_for_everyone()


def _by_type(tensors: Iterable[torch.Tensor]) -> Iterable[list[torch.Tensor]]:
    found: dict[torch.dtype, list[torch.Tensor]] = {}
    for tensor in tensors:
        found.setdefault(tensor.dtype, []).append(tensor)
    return found.values()
