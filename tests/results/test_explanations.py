"""Explanations: what they say of themselves, that they come back whole, and that nothing in them can become markup."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.whole import comes_back_and_shows
from workbench.core import render
from workbench.core.blocks import Facts, Table, Text
from workbench.results import Claim, Explanation, Explanations

TRUE = Claim("tense", "Is it in the past tense?", "yes", 0.9, 0.8)
FALSE = Claim("person", "Does it name a person?", "yes", 0.8, 0.1)
ALONE = Claim("money", "Is it about money?", "no", 0.2, None)


def row(place, **changes):
    plain = Explanation(
        id=f"v{place}",
        description=f"a bank closes account {place}",
        keywords=(("bank", 0.9), ("account", 0.6)),
        cosine=0.6,
        blind="somebody travels",
        blind_cosine=0.2,
        claims=(TRUE, FALSE, ALONE),
    )
    return replace(plain, **changes)


def explanations(*rows):
    return Explanations("Vectors, explained", "minilm", "smollm2", "minilm-explainer", tuple(rows), 1.5)


def asked(place, **changes):
    question = {"question": "Is it about money?", "answer": "yes", "probability": 0.9, "blind_probability": 0.4}
    return row(place, **{**question, **changes})


def tables(found):
    return {block.columns: block for block in found.blocks() if isinstance(block, Table)}


def facts(found):
    (items,) = [block.items for block in found.blocks() if isinstance(block, Facts)]
    return {fact.label: fact for fact in items}


@pytest.mark.parametrize(
    "found",
    [
        explanations(),
        explanations(row(0)),
        explanations(asked(0), row(1, cosine=None, blind_cosine=None, keywords=(), claims=(), text="hidden")),
        explanations(*(asked(place) for place in range(300))),
    ],
    ids=lambda found: f"{len(found)} rows",
)
def test_they_come_back_whole_and_show_themselves_in_every_form(found, tmp_path):
    comes_back_and_shows(found, tmp_path)


@pytest.mark.parametrize(
    ("answer", "probability", "probe", "contradicted"),
    [
        ("yes", 0.9, 0.24, True),
        ("yes", 0.9, 0.25, False),
        ("yes", 0.5, 0.1, True),
        ("no", 0.1, 0.76, True),
        ("no", 0.1, 0.75, False),
        ("no", 0.1, 0.1, False),
        ("yes", 0.9, None, False),
        ("unclear", 0.9, 0.0, False),
        ("unclear", 0.1, 1.0, False),
    ],
)
def test_a_claim_is_contradicted_by_a_probe_that_is_sure(answer, probability, probe, contradicted):
    assert Claim("tense", "?", answer, probability, probe).contradicted is contradicted


def test_contradicted_claims_are_counted_and_marked():
    found = explanations(row(0), row(1, claims=(TRUE,)))
    assert [(each.id, claim.name) for each, claim in found.contradictions()] == [("v0", "person")]
    assert found.claims_table().strong == (1,)
    assert facts(found)["claims contradicted"].value == "1 of 3", "a claim without a probe does not count"


def test_records_are_json_and_say_nothing_of_a_question_that_was_not_asked():
    plain, answered = json.loads(json.dumps(explanations(row(0), asked(1)).records()))
    assert plain["answer"] is None and plain["probability"] is None
    assert answered["answer"] == "yes" and answered["probability"] == 0.9
    assert list(plain) == ["id", "description", "keywords", "answer", "probability", "cosine", "blind", "claims"]
    assert plain["keywords"] == ["bank", "account"]
    assert plain["claims"][1] == {
        "name": "person",
        "answer": "yes",
        "probability": 0.8,
        "probe": 0.1,
        "contradicted": True,
    }


def test_what_the_model_would_not_describe_is_counted_apart():
    found = explanations(row(0), row(1, cosine=0.8), row(2, description="unclear", cosine=0.0))
    assert facts(found)["abstained"].value == "1 of 3"
    assert facts(found)["mean cosine of the descriptions"].value == "0.70"
    assert "mean cosine of the descriptions" not in facts(explanations(row(0, cosine=None)))


def test_descriptions_are_good_only_if_they_are_nearer_than_the_blind_ones():
    name = "mean cosine of the descriptions"
    assert facts(explanations(*map(row, range(20))))[name].tone == "good"
    assert facts(explanations(*(row(place, blind_cosine=0.9) for place in range(20))))[name].tone == "bad"
    assert facts(explanations(row(0)))[name].tone == "plain", "one vector tells nothing"


def test_columns_stand_only_where_there_is_something():
    bare = explanations(row(0, blind_cosine=None, claims=()))
    ((columns, _),) = tables(bare).items()
    assert columns == ("id", "description", "keywords", "cosine", "said of another vector")
    full = explanations(asked(0, text="The bank closed my account."))
    assert all(columns[1] == "hidden text" for columns in list(tables(full))[:2])
    assert len(tables(full)) == 3 and "Is it about money?" in full.answers().caption


def test_a_page_says_that_it_may_be_invented_and_how_many_it_shows():
    found = explanations(*map(row, range(300)))
    assert any("may be invented" in block.text for block in found.blocks() if isinstance(block, Text))
    assert any("may be invented" in block.text for block in found.brief() if isinstance(block, Text))
    assert found.table().caption == "Descriptions (the first 200 of 300 vectors)"
    assert found[299].id == "v299"


def test_what_a_model_writes_can_never_become_markup():
    evil = "<script>alert(1)</script>"
    claim = Claim(evil, evil, "yes", 0.9, 0.1)
    words = ((evil, 0.5),)
    found = explanations(asked(0, id=evil, description=evil, blind=evil, question=evil, text=evil, keywords=words))
    found = replace(found, title=evil, rows=(replace(found[0], claims=(claim,)),))
    for html in (render.to_html(found.blocks()), render.to_html(found.brief()), found._repr_html_()):
        assert "&lt;script&gt;" in html and "<script" not in html
