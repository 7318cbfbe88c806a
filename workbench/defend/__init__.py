"""Defences: vectors in, disturbed vectors out. One file each; `open_defence` opens one by a line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import BadInput
from workbench.core.registry import Registry

if TYPE_CHECKING:
    import numpy as np

    from workbench.core.embedding_set import EmbeddingSet, SetLike
    from workbench.defend._defence import Defence, Fitter

__all__ = ["DEFENCES", "defend_store", "open_defence", "open_fitter"]

DEFENCES = Registry("defence", "workbench.defend")


def open_defence(line: str) -> Defence:
    """A defence that has nothing to learn, by a registered name, its strength, and options as in a web address.

    `noise:0.1`                         Gaussian noise, as a share of the norm; `?release=stored&key=@FILE`
    `int8`, `binary`                    quantisation
    `truncation:0.25`, `truncation:64`  the first dimensions, by share or number; `?renormalise=false`
    `rotation?key=@FILE`                a secret rotation; `permutation?key=@FILE` likewise
    `metric-dp:300`                     multivariate Laplace noise of that epsilon

    Raises UnknownName; BadInput for what it cannot have, for a missing key, and for those that must be fitted first
    (`open_fitter`).
    """
    from workbench.defend._defence import Fitter
    from workbench.defend._line import options_of, parts, without_key

    member = DEFENCES.load(parts(line)[0])
    if isinstance(member, type) and issubclass(member, Fitter):
        raise BadInput(f"{without_key(line)!r} has to learn from vectors; expected a defence that needs no fit")
    return member(**options_of(member, line))


def open_fitter(line: str) -> Fitter:
    """What makes any defence from vectors: those of `open_defence`, whose key is drawn where none is given, and
    `pca:0.25`, `product-quantisation:8` (dimensions a byte) and `leace:ATTRIBUTE+ATTRIBUTE`."""
    from workbench.defend._defence import Fitter
    from workbench.defend._key import NeedsKey
    from workbench.defend._line import Ready, WithDrawnKey, options_of, parts

    member = DEFENCES.load(parts(line)[0])
    options = options_of(member, line)
    if isinstance(member, type) and issubclass(member, Fitter):
        return member(**options)
    try:
        return Ready(member(**options))
    except NeedsKey:
        return WithDrawnKey(member, options)


def defend_store(store: SetLike, line: str, random: np.random.Generator | None = None) -> EmbeddingSet:
    """A defended copy of a store: ids, texts and labels stay, and the provenance says what was done (never a key).

    What has to learn learns from the store. Chance is the system's own unless `random` is given: noise whose seed is
    known can be taken off again. Raises BadInput for a keyed defence without a key, which would be lost.
    """
    from workbench.core.embedding_set import EmbeddingSet
    from workbench.defend._store import defended

    return defended(EmbeddingSet.of(store), line, random)
