"""The layers of a transformers model: hidden states read out at one, and put in at one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import nn

from workbench.core.errors import BadInput


class _Reached(Exception):
    """The layer whose states are wanted was reached; what follows it need not run."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output


def _stop_before(_module: nn.Module, args: Any, kwargs: Any) -> None:
    raise _Reached(args[0] if args else kwargs["hidden_states"])


def _stop_after(_module: nn.Module, _args: Any, output: Any) -> None:
    raise _Reached(output)


class LayerStack:
    """Layer k's state is what enters layer k; the last state is what leaves the last layer, before any final norm.

    States are put in by changing the layers' `forward` for the time of one call: the layers below hand on what they
    get, at no cost, and the one at the place gets (or gives) the states. So masks, positions and rotary embeddings
    come from the model itself, and any model whose layers hand on hidden states alone will do. One call at a time.
    """

    def __init__(self, model: nn.Module) -> None:
        depth = getattr(model.config, "num_hidden_layers", 0)
        stacks = (part for part in model.modules() if isinstance(part, nn.ModuleList) and len(part) == depth)
        self.layers = next(stacks, nn.ModuleList())
        self._kind = type(model).__name__
        self._gives_tuple: bool | None = None

    def __len__(self) -> int:
        return len(self.layers)

    def read(self, layer: int, run: Callable[[], Any]) -> Float[torch.Tensor, "n t h"]:
        """The states at `layer` during `run`, a call of the model."""
        if not self.layers:
            raise BadInput(f"no list of layers was found in {self._kind}; its token states cannot be read")
        if layer == 0:
            hook = self.layers[0].register_forward_pre_hook(_stop_before, with_kwargs=True)
        else:
            hook = self.layers[layer - 1].register_forward_hook(_stop_after)
        try:
            run()
        except _Reached as reached:
            return self._states_of(reached.output) if layer else reached.output
        finally:
            hook.remove()
        raise BadInput(f"{self._kind} does not call its layer {layer}; its token states cannot be read")

    @contextmanager
    def fed(self, layer: int, states: Float[torch.Tensor, "n t h"], run: Callable[[], Any]) -> Iterator[None]:
        """While this is open, the model computes from `states` at `layer`. `run` shows once what layers give."""
        if self._gives_tuple is None:
            with torch.no_grad():
                self.read(1, run)
        give = (lambda value: (value,)) if self._gives_tuple else (lambda value: value)
        changed = []
        try:
            if layer == 0:
                first = self.layers[0]
                original = first.forward
                changed.append(first)
                first.forward = lambda hidden_states, *args, **kwargs: original(states, *args, **kwargs)
            for number in range(layer):
                part = self.layers[number]
                changed.append(part)
                if number == layer - 1:
                    part.forward = lambda hidden_states, *args, **kwargs: give(states)
                else:
                    part.forward = lambda hidden_states, *args, **kwargs: give(hidden_states)
            yield
        finally:
            for part in changed:
                del part.forward  # the class's own is seen again

    def _states_of(self, output: Any) -> torch.Tensor:
        if torch.is_tensor(output):
            self._gives_tuple = False
            return output
        if any(rest is not None for rest in output[1:]):
            raise BadInput("the layers hand on more than hidden states (as in T5); their states cannot be replaced")
        self._gives_tuple = True
        return output[0]
