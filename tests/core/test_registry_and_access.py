"""The folder is the registry; access is part of a method's contract."""

from __future__ import annotations

import pytest

from workbench.core.access import KNOWN_ENCODER, SEARCH_SCORES, STOLEN_STORE, Access
from workbench.core.errors import AccessDenied, UnknownName
from workbench.core.registry import Registry


def test_every_file_without_underscore_is_a_member():
    registry = Registry("inverter", "workbench.invert")
    assert set(registry.names()) == {
        "bag-of-words",
        "correction",
        "few-shot",
        "hypothesis",
        "nearest",
        "search",
        "unpaired",
        "white-box",
        "zero-shot",
    }


def test_a_near_miss_is_answered_with_a_proposal():
    with pytest.raises(UnknownName, match=r"no inverter is called 'hypotesis'\. Did you mean 'hypothesis'\?"):
        Registry("inverter", "workbench.invert").load("hypotesis")


def test_access_levels_include_those_below():
    assert Access.SAMPLES < Access.PAIRS < Access.QUERY < Access.WEIGHTS
    for needs in Access:
        if needs <= KNOWN_ENCODER.grants:
            KNOWN_ENCODER.admit("a method", needs)
        else:
            with pytest.raises(AccessDenied, match="a method needs WEIGHTS; threat model 'known-encoder' grants QUERY"):
                KNOWN_ENCODER.admit("a method", needs)
    with pytest.raises(AccessDenied, match="grants SAMPLES"):
        STOLEN_STORE.admit("correction", Access.QUERY)
    with pytest.raises(AccessDenied, match="nearest needs the vectors; threat model 'search-scores' holds none"):
        SEARCH_SCORES.admit("nearest", Access.QUERY)
