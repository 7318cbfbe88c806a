"""Embedders: one file each; `load_embedder` opens any of them by one line of text."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import BadInput, require
from workbench.core.lines import Line, typed_options
from workbench.core.registry import Registry

if TYPE_CHECKING:
    from workbench.embed._embedder import Embedder

__all__ = ["EMBEDDERS", "load_embedder"]

EMBEDDERS = Registry("embedder", "workbench.embed")
_NOT_OPTIONS = ("model", "device", "name")


def load_embedder(name: str = "minilm", device: str = "auto") -> Embedder:
    """The embedder that `name` says: a registered kind, the model that it opens, and options as in a web address.

    `minilm`, `mpnet`, `bge-small`, `potion`, `toy`      a model of its own (`workbench list`)
    `sentence-transformers:MODEL`             a sentence-transformers folder or hub id, as its pipeline says
    `static:MODEL`                            one that begins with static token embeddings (model2vec)
    `transformers:MODEL?pooling=mean`         a transformers folder or hub id; pooling mean, cls, last or max;
                                              `&normalise=false` for raw vectors
    `llm:MODEL?method=echo&layer=20`          a causal language model: an asset, a folder or a hub id; method last,
                                              mean, weighted-mean, prompt-eol or echo; also `instruction`, `max_tokens`
    `api:MODEL?url=https://HOST/v1`           an OpenAI-compatible endpoint; also `key_env`, `batch`, `price`, ...
    `FOLDER` or `ORGANISATION/NAME`           short for `sentence-transformers:...`

    Raises UnknownName, or BadInput for a model that cannot be loaded and for options that are not there.
    """
    require(name, str, "the embedder")
    line = _parts(name)
    kind, model = line.kind, line.where
    member = EMBEDDERS.load(kind)
    given = typed_options(member, line.options, name, _NOT_OPTIONS)
    if model:
        given["model"] = model
    parameters = inspect.signature(member).parameters
    if model and "model" not in parameters:
        raise BadInput(f"{kind} takes no model, but {name!r} names {model}")
    if "device" in parameters:
        given["device"] = device
    for key, parameter in parameters.items():
        if parameter.default is parameter.empty and key not in given:
            raise BadInput(f"{kind} needs a model: {kind}:MODEL" if key == "model" else f"{name!r} states no {key}")
    return member(**given)


def _parts(name: str) -> Line:
    """The parts of a line; a bare folder or hub id is a sentence-transformers model."""
    if Path(name).is_dir() or (name.count("/") == 1 and not set(name) & set("?:")):
        return Line("sentence-transformers", name, {})
    return Line.parse(name)
