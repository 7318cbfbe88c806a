"""Embedders: one file each; `load_embedder` opens any of them by one line of text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from workbench.core.errors import BadInput
from workbench.core.registry import Registry

if TYPE_CHECKING:
    from workbench.embed._embedder import Embedder

__all__ = ["EMBEDDERS", "load_embedder"]

EMBEDDERS = Registry("embedder", "workbench.embed")


def load_embedder(name: str = "minilm", device: str = "auto") -> Embedder:
    """The embedder that `name` says.

    `minilm`, `toy`, ...                      a registered name (`workbench list`)
    `sentence-transformers:MODEL`             a sentence-transformers folder or hub id
    `transformers:MODEL?pooling=mean`         a transformers folder or hub id; pooling mean, cls, last or max;
                                              `&normalise=false` for raw vectors
    `FOLDER` or `ORGANISATION/NAME`           short for `sentence-transformers:...`

    Raises UnknownName, or BadInput for a model that cannot be loaded.
    """
    kind, colon, rest = name.partition(":")
    if colon and kind in ("sentence-transformers", "transformers"):
        model, _, query = rest.partition("?")
        options = dict(parse_qsl(query))
        if kind == "sentence-transformers":
            _refuse_unknown(options, set(), name)
            return EMBEDDERS.load(kind)(model, device=device)
        _refuse_unknown(options, {"pooling", "normalise"}, name)
        if "pooling" not in options:
            raise BadInput(f"{name!r} states no pooling; write {kind}:{model}?pooling=mean (or cls, last, max)")
        normalise = options.get("normalise", "true").lower()
        if normalise not in ("true", "false"):
            raise BadInput(f"normalise is {normalise!r}; expected true or false")
        return EMBEDDERS.load(kind)(model, options["pooling"], normalise=normalise == "true", device=device)
    if Path(name).is_dir() or (name.count("/") == 1 and name not in EMBEDDERS.names()):
        return EMBEDDERS.load("sentence-transformers")(name, device=device)
    if name in ("sentence-transformers", "transformers"):
        raise BadInput(f"{name} needs a model: {name}:FOLDER_OR_HUB_ID")
    return EMBEDDERS.load(name)(device=device)


def _refuse_unknown(options: dict[str, str], known: set[str], name: str) -> None:
    if unknown := set(options) - known:
        raise BadInput(
            f"{name!r} has the option {', '.join(sorted(unknown))}; known: {', '.join(sorted(known)) or 'none'}"
        )
