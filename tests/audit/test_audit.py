"""The audit as a whole: plans, the main job, the ladder, failed controls, a store of one's own."""

from __future__ import annotations

import re
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from workbench.audit._groups import group_scores
from workbench.audit.plan import AuditPlan
from workbench.audit.run import _labels, _without, run_audit
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import AccessDenied, BadInput
from workbench.core.result import Result
from workbench.data import corpora
from workbench.embed import load_embedder
from workbench.report import Report
from workbench.results import AuditDiff


def test_plans_are_checked(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text('sentences = 40\ntitle = "Mine"\n')
    plan = AuditPlan.read(path, records=50)
    assert (plan.sentences, plan.records, plan.title) == (40, 50, "Mine")
    for content, message in (
        ("sentences = 3", "sentences is 3; .*greater than or equal to 30"),
        ("sentence = 300", "sentence is 300; Extra inputs are not permitted"),
        ('threat = "nobody"', "threat is 'nobody'"),
        ("a = ", "is not TOML"),
    ):
        path.write_text(content)
        with pytest.raises(BadInput, match=message):
            AuditPlan.read(path)
    with pytest.raises(BadInput, match="cannot read the plan"):
        AuditPlan.read(tmp_path / "none.toml")


def test_a_threat_model_that_grants_too_little_is_refused():
    with pytest.raises(AccessDenied, match="hypothesis needs QUERY; threat model 'stolen-store' grants SAMPLES"):
        run_audit(AuditPlan(threat="stolen-store", also={}), "cpu")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The main job, small, on the real embedder, the real checkpoint and real text."""
    plan = AuditPlan(
        corpus="cfpb",
        sentences=45,
        records=40,
        attacker_texts=1000,
        beams=4,
        max_words=20,
        deep=12,
        pairs=300,
        members=300,
        also={"known-encoder": ("membership",), "leaked-pairs": ("few-shot",), "stolen-store": ("payload",)},
    )
    return run_audit(plan, "cpu", tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="module")
def audited(whole):
    return whole.result


def test_the_main_job(audited):
    attack, *floors, prior = audited.sentences.scores
    assert audited.verdict == "done"
    assert attack.role == "attack"
    assert prior.role == "prior"
    assert [floor.method for floor in floors] == [
        "nearest",
        "bag-of-words",
        "most frequent words",
        "hypothesis, random encoder",
    ]
    assert [control.name for control in audited.controls] == [
        "round trip",
        "canaries",
        "strangers",
        "shuffled vectors",
        "random encoder",
    ]
    assert floors[-1].token_f1.value < prior.token_f1.high + 0.05, "vectors that say nothing give what the prior gives"
    for other in (*floors, prior):
        assert attack.token_f1.value > other.token_f1.value
        assert attack.cosine.value > other.cosine.value
    assert prior.cosine.value < 0.3
    assert prior.exact.value == 0.0
    methods = {
        "hypothesis",
        "nearest",
        "bag-of-words",
        "hypothesis, shuffled vectors",
        "most frequent value",
    }
    assert {r.method for r in audited.recoveries} == {each.method for each in audited.persons} == methods
    own = next(each for each in audited.persons if each.method == "hypothesis")
    assert own.anything.value >= own.linked.value and own.anything_excess.low > 0
    assert {each.by for each in audited.groups} == {"length"}, "one corpus is no group"


def test_the_ladder_is_climbed(whole, audited):
    assert [type(detail).__name__ for detail in whole.details] == ["Membership"]
    assert audited.grades() == {"known-encoder": "severe", "leaked-pairs": "substantial"}
    states = {(cell.threat, cell.attack): cell for cell in audited.cells}
    assert states["known-encoder", "membership"].state == "run"
    assert states["stolen-store", "payload"].state == "not run"
    assert "an embedder is audited, not a store" in states["stolen-store", "payload"].why
    assert {cost.attack for cost in audited.costs} == {"hypothesis", "few-shot"}
    report = Report("audit", (audited, *whole.details))
    jsonschema.validate(report.to_json(), Report.schema())
    page = report.to_markdown().casefold()
    assert not re.search(r"\b(anonymous|compliant|safe)\b", page)
    assert "what was not run has not passed" in page


def test_nothing_changed_between_an_audit_and_itself(audited):
    same = AuditDiff.of(audited, audited)
    assert len(same.changes) == len(audited.findings)
    assert not same.worse
    assert not same.plan
    weaker = replace(audited, findings=tuple(_halved(each) for each in audited.findings))
    assert len(AuditDiff.of(weaker, audited).worse) > 0


def _halved(each):
    half = replace(each.excess, **{part: getattr(each.excess, part) / 4 for part in ("value", "low", "high")})
    return replace(each, excess=half)


def test_the_result_survives_json(audited, tmp_path):
    audited.save(tmp_path / "a.json")
    assert Result.load(tmp_path / "a.json").to_json() == audited.to_json()


def test_a_failed_control_is_never_a_result(audited):
    failed = replace(audited, controls=(replace(audited.controls[0], passed=False), *audited.controls[1:]))
    assert failed.verdict == "inconclusive"
    assert any("Inconclusive" in getattr(block, "text", "") for block in failed.blocks())
    page = re.sub(r"severe from|limited above|plan \| severe", "", Report("audit", (failed,)).to_markdown())
    assert "inconclusive" in page
    assert not re.search(r"\b(severe|limited|not detected)\b", page)


@pytest.mark.slow
def test_a_store_is_audited_with_its_own_vectors_and_labels(tmp_path):
    """A store of complaints: payload and labels are looked at, and a step that was finished is not done again."""
    minilm = load_embedder("minilm", "cpu")
    texts = list(corpora.load("cfpb", "test", 400).texts)
    topics = np.array(["card" if "card" in text else "other" for text in texts], dtype=object)
    held = minilm.embed_set([f"doc-{n:04}" for n in range(400)], texts)
    replace(held, labels={"topic": topics, "agent": np.array(["a@example.org"] * 400, dtype=object)}).save(
        tmp_path / "store.parquet"
    )
    plan = AuditPlan(
        store=str(tmp_path / "store.parquet"),
        sentences=40,
        records=40,
        attacker_texts=1000,
        beams=2,
        members=200,
        also={"known-encoder": ("membership",), "stolen-store": ("payload",), "insider": ("attribute-inference",)},
    )
    whole = run_audit(plan, "cpu", tmp_path / "parts")
    assert whole.result.verdict == "done"
    assert [type(detail).__name__ for detail in whole.details] == ["Membership", "Payload", "AttributeInference"]
    found = {finding.measure: finding for finding in whole.result.findings}
    assert found["rows with personal data in plain sight"].value.value == 1.0
    assert found["members found at 1% false alarms"].grade == "severe"
    again = run_audit(plan, "cpu", tmp_path / "parts")
    assert again.result.seconds < whole.result.seconds / 2
    assert again.result.findings == whole.result.findings


@pytest.mark.parametrize("gap", [None, float("nan"), " "])
def test_hidden_sentences_without_a_label_are_in_no_group_and_counted(gap):
    texts = tuple(f"text number {row} of the store" for row in range(60))
    topics = np.array(["card", "loan"] * 30, dtype=object)
    topics[::6] = gap
    ids = tuple(f"row {row}" for row in range(60))
    store = EmbeddingSet(np.array(ids, object), np.ones((60, 3)), np.array(texts, object), labels={"topic": topics})
    hidden = corpora.Corpus("store", ids, texts, ids)
    plan = AuditPlan(store="store.parquet", label="topic")
    labels = _labels(plan, store, hidden)
    groups = {group.group: group.n for group in group_scores(hidden, texts, texts, labels) if group.by == "topic"}
    assert groups == {"card": 20, "loan": 30}
    assert _without(labels) == ("label 'topic': 10 of 60 hidden sentences have no value and are left out",)
    none = replace(store, labels={"topic": np.array([gap] * 60, dtype=object)})
    assert not [each for each in group_scores(hidden, texts, texts, _labels(plan, none, hidden)) if each.by == "topic"]
    assert "60 of 60" in _without(_labels(plan, none, hidden))[0]


def test_a_store_without_texts_cannot_be_scored(tmp_path):
    load_embedder("minilm", "cpu").embed_set(["a", "b"], ["one text", "another"]).without_texts().save(
        tmp_path / "bare.parquet"
    )
    with pytest.raises(BadInput, match="holds no texts, so nothing that is read from it can be scored"):
        run_audit(AuditPlan(store=str(tmp_path / "bare.parquet")), "cpu")
