"""Embedders: one file each; `load_embedder` opens any of them by one line of text."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from workbench.core.errors import BadInput
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
    kind, model, query = _parts(name)
    member = EMBEDDERS.load(kind)
    given: dict[str, Any] = _options(member, dict(parse_qsl(query)), name)
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


def _parts(name: str) -> tuple[str, str, str]:
    """Kind, model and query of a line; a bare folder or hub id is a sentence-transformers model."""
    if Path(name).is_dir() or (name.count("/") == 1 and not set(name) & set("?:")):
        return "sentence-transformers", name, ""
    whole, _, query = name.partition("?")
    kind, _, model = whole.partition(":")
    return kind, model, query


def _options(member: Callable[..., Any], query: dict[str, str], name: str) -> dict[str, Any]:
    """The query's values, as the types that the member's parameters have."""
    parameters = inspect.signature(member, eval_str=True).parameters
    known = {key: parameter.annotation for key, parameter in parameters.items() if key not in _NOT_OPTIONS}
    found = {}
    for key, value in query.items():
        if key not in known:
            raise BadInput(f"{name!r} has the option {key}; known: {', '.join(known) or 'none'}")
        found[key] = _value(value, known[key], key)
    return found


def _value(text: str, kind: type, key: str) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise BadInput(f"{key} is {text!r}; expected true or false")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError:
        raise BadInput(f"{key} is {text!r}; expected {'a whole number' if kind is int else 'a number'}") from None
