"""The form of saved results is stated, holds what is written, and another version is refused by name."""

from __future__ import annotations

import json
from dataclasses import dataclass

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.blocks import Block
from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate, exact_proportion
from workbench.core.result import OtherVersion, Result
from workbench.core.schema import DRAFT, result_schema
from workbench.report import Report
from workbench.results import AuditResult


@dataclass(frozen=True, eq=False)
class Specimen(Result):
    name: str
    share: Estimate
    pairs: tuple[tuple[str, float], ...]
    values: np.ndarray
    maybe: Estimate | None = None

    def blocks(self) -> tuple[Block, ...]:
        return ()


SAMPLE = Specimen("a", exact_proportion(1, 3), (("b", 0.5),), np.array([1.0, 2.0]))
SCHEMA = jsonschema.Draft202012Validator(result_schema(Specimen))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1, 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def reads(value):
    try:
        Specimen.from_json(value)
    except BadInput:
        return False
    return True


def test_what_is_written_has_the_form():
    assert SCHEMA.is_valid(SAMPLE.to_json()) and reads(SAMPLE.to_json())
    assert SAMPLE.to_json()["schema_version"] == 1


@given(st.sampled_from([*SAMPLE.to_json(), "more"]), JSON)
def test_what_the_form_refuses_is_not_read(key, value):
    """A field that was put in place of another: where the schema says no, so does the reader."""
    changed = {**SAMPLE.to_json(), key: value}
    assert SCHEMA.is_valid(changed) >= reads(changed)


@pytest.mark.parametrize("key", ["type", "name", "share", "pairs", "values"])
def test_a_missing_field_is_missed_by_both(key):
    cut = {name: value for name, value in SAMPLE.to_json().items() if name != key}
    assert not SCHEMA.is_valid(cut) and not reads(cut)
    assert SCHEMA.is_valid({**SAMPLE.to_json(), "maybe": None})


def test_another_version_is_refused_by_name():
    with pytest.raises(OtherVersion, match="Specimen has schema_version 7; this workbench reads 1"):
        Result.from_json({**SAMPLE.to_json(), "schema_version": 7})
    unversioned = {name: value for name, value in SAMPLE.to_json().items() if name != "schema_version"}
    assert isinstance(Result.from_json(unversioned), Specimen), "the first version did not say so"
    with pytest.raises(OtherVersion, match="AuditResult has schema_version 1; this workbench reads 2"):
        Result.from_json({"type": "AuditResult"})
    with pytest.raises(OtherVersion, match=r"a\.json has schema_version None"):
        Report.from_json({"report": 1, "results": []}, "a.json")


def test_the_form_of_a_report_is_a_schema_of_its_draft():
    schema = Report.schema()
    assert schema["$schema"] == DRAFT
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    whole = Report("title", ()).to_json()
    assert validator.is_valid(whole) and not validator.is_valid({**whole, "results": [{"type": "AuditResult"}]})
    assert f"results.{AuditResult.__name__}" in schema["$defs"] and "Specimen" not in json.dumps(schema["$defs"])
