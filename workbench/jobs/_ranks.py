"""The processes of one training run, as `accelerate launch` starts them; a run alone is a world of one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import torch
from torch.distributed.device_mesh import init_device_mesh

from workbench.core.errors import BadInput
from workbench.core.progress import quiet as quiet_bars
from workbench.embed._torch import quick_in_bf16

if TYPE_CHECKING:
    from accelerate import Accelerator


class Ranks:
    """Every process holds all weights that learn, and learns from its own batches; gradients are averaged before each
    step.

    The averaging is ours rather than DistributedDataParallel's: some weights learn in a part of the steps alone, and
    losses are called on the model's own methods, which a wrapper hides. Weights that do not learn can lie in shares
    (`accelerate launch --use_fsdp`): `mesh` are the processes that share them, or None. Raises BadInput where
    accelerate is set up for what this training cannot do; `frozen` says whether it has weights that do not learn.
    """

    def __init__(self, device: str, frozen: bool = False) -> None:
        from accelerate import Accelerator
        from accelerate.utils import DistributedType

        cuda = device.startswith("cuda")
        self._accelerator = Accelerator(cpu=not cuda, mixed_precision="bf16" if quick_in_bf16(device) else "no")
        self.rank, self.world = self._accelerator.process_index, self._accelerator.num_processes
        if self._accelerator.distributed_type == DistributedType.DEEPSPEED:
            raise BadInput("accelerate is set up for DeepSpeed; expected --multi_gpu or, for shares, --use_fsdp")
        shares = self.world > 1 and _wants_shares(self._accelerator)
        if shares and not frozen:
            raise BadInput(
                "accelerate is set up for FSDP, which would share out weights that do not learn; here all weights "
                "learn, and they fit one device many times over: use --multi_gpu"
            )
        if shares:  # or transformers may leave the weights out in all processes but the first
            os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"
        self.mesh = init_device_mesh("cuda" if cuda else "cpu", (self.world,)) if shares else None
        self.device = device  # accelerate has made this process' own GPU the current one
        if not self.leads:
            quiet_bars.set(True)

    @property
    def leads(self) -> bool:
        """Whether this process writes files and the log."""
        return self.rank == 0

    @property
    def measures(self) -> bool:
        """Whether this process runs the model where one would do: the first does, and all that hold a share of it."""
        return self.leads or self.mesh is not None

    def autocast(self) -> AbstractContextManager[None]:
        """Mixed precision, where the device learns in it."""
        return self._accelerator.autocast()

    @contextmanager
    def one_first(self) -> Iterator[None]:
        """The leading process goes through first, so that the others find its files."""
        with self._accelerator.main_process_first():
            yield

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """As `one_first`; where there are shares one process of each machine at a time, so that a machine's memory need
        hold but one whole model."""
        if self.mesh is None:
            with self.one_first():
                yield
            return
        turns = int(os.environ.get("LOCAL_WORLD_SIZE", str(self.world)))  # launchers start as many on each machine
        for _ in range(self._accelerator.local_process_index):
            self.wait()
        yield
        for _ in range(turns - self._accelerator.local_process_index):
            self.wait()

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


def _wants_shares(accelerator: Accelerator) -> bool:
    """On CPUs accelerate takes no notice of what `--use_fsdp` leaves in the environment."""
    from accelerate.utils import DistributedType, parse_flag_from_env

    kind = accelerator.distributed_type
    return kind == DistributedType.FSDP or (
        kind == DistributedType.MULTI_CPU and parse_flag_from_env("ACCELERATE_USE_FSDP")
    )


def _by_type(tensors: Iterable[torch.Tensor]) -> Iterable[list[torch.Tensor]]:
    found: dict[torch.dtype, list[torch.Tensor]] = {}
    for tensor in tensors:
        found.setdefault(tensor.dtype, []).append(tensor)
    return found.values()
