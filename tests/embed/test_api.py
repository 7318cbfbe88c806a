"""The HTTP endpoint: a real server on this machine, with faults injected."""

from __future__ import annotations

import logging
import time

import pytest

from workbench.core.errors import BadInput, FetchError
from workbench.embed import load_embedder

TEXTS = [f"Text number {n}." for n in range(20)]


def open_it(endpoint, options=""):
    return load_embedder(f"api:toy-2?url={endpoint.url}&timeout=1{options}")


def test_vectors_in_the_order_of_the_texts_whatever_order_they_come_in(endpoint, toy):
    embedder = open_it(endpoint, "&batch=3&parallel=4")
    assert embedder.embed(TEXTS) == pytest.approx(toy.embed(TEXTS), abs=1e-6)
    assert max(len(request["input"]) for request in endpoint.requests[1:]) == 3
    assert len(endpoint.requests) == 1 + 7
    assert embedder.spec.revision == "toy-2"
    assert embedder.spec.normalised


@pytest.mark.parametrize("fault", ["429", "500", "hang", "short", "broken"])
def test_what_may_pass_is_asked_again(endpoint, toy, fault):
    embedder = open_it(endpoint)
    endpoint.faults = [fault, fault]
    began = time.monotonic()
    assert embedder.embed(TEXTS[:4]) == pytest.approx(toy.embed(TEXTS[:4]), abs=1e-6)
    assert len(endpoint.requests) == 4
    if fault == "429":
        assert time.monotonic() - began >= 2, "Retry-After is heeded"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("401", r"answers 401: fault 401; the key is read from \$OPENAI_API_KEY"),
        ("404", "answers 404: fault 404"),
        ("wrong dimension", r"sends vectors of shape \(63,\); expected \(64,\)"),
        ("nan", "NaN or infinity"),
    ],
)
def test_what_cannot_get_better_fails_at_once(endpoint, fault, message):
    embedder = open_it(endpoint)
    endpoint.faults = [fault]
    with pytest.raises(FetchError, match=message):
        embedder.embed(TEXTS[:4])
    assert len(endpoint.requests) == 2


def test_a_server_that_stays_away(endpoint):
    embedder = open_it(endpoint, "&retries=1")
    endpoint.faults = ["500"] * 5
    with pytest.raises(FetchError, match="failed 2 times; the last time: status 500: fault 500"):
        embedder.embed(["x"])
    with pytest.raises(FetchError, match="failed 1 times"):
        load_embedder("api:x?url=http://127.0.0.1:9/v1&retries=0")


def test_the_key_is_sent_and_never_written(endpoint, monkeypatch, caplog):
    monkeypatch.setenv("MY_KEY", "sk-secret")
    embedder = open_it(endpoint, "&key_env=MY_KEY")
    assert endpoint.keys == ["Bearer sk-secret"]
    made = embedder.embed_set(["a"], ["text"])
    assert "secret" not in repr(made.provenance) + repr(embedder.spec) + embedder.estimate(["x"]) + caplog.text
    open_it(endpoint, "&key_env=NO_SUCH_KEY")
    assert endpoint.keys[-1] == ""


def test_requests_keep_their_distance(endpoint):
    embedder = open_it(endpoint, "&batch=1&parallel=4&per_minute=600")
    embedder.embed(TEXTS[:5])
    times = sorted(endpoint.times)[1:]
    assert times[-1] - times[0] > 0.35, "five requests, a tenth of a second apart"


def test_the_cost_is_shown_before_a_long_run_and_can_be_limited(endpoint, caplog):
    embedder = open_it(endpoint, "&price=2")
    with caplog.at_level(logging.INFO, "workbench"):
        embedder.embed([f"{n} " * 40 for n in range(1000)])
    assert "1,000 texts, about" in caplog.text
    assert "at 2 a million" in caplog.text
    tight = open_it(endpoint, "&price=2&max_cost=0.0001")
    asked = len(endpoint.requests)
    with pytest.raises(BadInput, match=r"max_cost is 0\.00"):
        tight.embed(["word " * 1000])
    assert len(endpoint.requests) == asked, "nothing was sent"


def test_shorter_vectors_where_they_are_asked_for(endpoint):
    embedder = open_it(endpoint, "&dimensions=16")
    assert embedder.embed(["x"]).shape == (1, 16)
    assert not embedder.spec.normalised, "the toy server cuts and does not normalise again"


def test_empty_text_is_sent_as_a_space(endpoint):
    open_it(endpoint).embed([""])
    assert endpoint.requests[-1]["input"] == [" "]
