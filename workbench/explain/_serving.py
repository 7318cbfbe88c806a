"""What can run the language model of an explainer that is opened to be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.lm._server import Server
from workbench.lm._torch_server import TorchServer


def _by_torch(lm: Any) -> Server:
    return TorchServer(lm, guesses=True)


def _by_llamacpp(lm: Any) -> Server:
    from workbench.lm.llamacpp import LlamaCppServer

    return LlamaCppServer.of(lm)


SERVERS: Mapping[str, Callable[[Any], Server]] = {"torch": _by_torch, "llamacpp": _by_llamacpp}
