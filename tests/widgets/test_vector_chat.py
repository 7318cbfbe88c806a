"""VectorChat: answers stand beside their evidence, stream, can be given up, and are kept."""

from __future__ import annotations

import html
import re
import threading
import time

import pytest

from tests.widgets.more_samples import CLAIMS, QUESTIONS, READ, answer, vector_chat
from workbench.core.errors import BadInput
from workbench.results import Claim, Explanation, Explanations
from workbench.widgets import Progress, VectorChat
from workbench.widgets._answers import final


def whole(question, chance=None, blind=None, text="yes", **more):
    return Explanation("0", "", (), None, "", None, question, text, chance, blind, **more)


def last(chat, question):
    return final(chat._turn, question)[1]


def test_an_answer_stands_beside_what_was_read_off_the_vector():
    turn = last(VectorChat(answer, READ), QUESTIONS[0])
    assert (turn["answer"], turn["probability"], turn["blind_probability"]) == ("yes", 0.92, 0.47)
    assert (turn["cosine"], turn["blind_cosine"], turn["own"]) == (0.61, 0.18, False)
    assert len(turn["claims"]) == sum(claim.probe is not None for claim in CLAIMS)


def test_a_claim_that_the_probe_contradicts_is_flagged():
    chat = VectorChat(answer, READ)
    assert last(chat, QUESTIONS[0])["probe"] == {
        "question": QUESTIONS[0],
        "answer": "yes",
        "probability": 0.92,
        "probe": 0.08,
        "contradicted": True,
    }
    assert not last(chat, QUESTIONS[1])["probe"]["contradicted"]
    assert not last(chat, QUESTIONS[3])["probe"]["contradicted"], "who abstains is never contradicted"
    assert last(chat, "What is it about?")["probe"] is None
    assert last(chat, "is it ABOUT sport")["probe"] is None, "only words were said, so there is nothing to contradict"


def test_evidence_of_the_answer_comes_before_that_of_the_vector():
    own = Claim("x", "Is it x?", "no", 0.1, 0.2)
    row = Explanation("0", "of x", (), 0.9, "of y", 0.3, "Is it x?", "no", 0.1, 0.4, (own,))
    turn = last(VectorChat(lambda q: Explanations("t", "e", "m", "c", (READ, row), 0.1), READ), "Is it x?")
    assert (turn["answer"], turn["cosine"], turn["own"], turn["own_claims"]) == ("no", 0.9, True, True)
    assert [claim["question"] for claim in turn["claims"]] == ["Is it x?"]


def test_the_blind_answer_is_asked_where_none_came():
    asked = []

    def blind(question):
        asked.append(question)
        return whole(question, None, None, "people talk")

    chat = VectorChat(lambda q: whole(q, 0.7, 0.4) if q.startswith("Is") else "words", blind=blind)
    assert last(chat, "Is it so?")["blind_answer"] == ""
    assert last(chat, "What is it?")["blind_answer"] == "people talk"
    assert asked == ["What is it?"]


def test_it_streams_the_answer_so_far():
    def slowly(question):
        yield Progress(1, 2)
        yield "a"
        yield "a report"

    items = list(VectorChat(slowly)._turn("What?"))
    assert items[0] == Progress(1, 2)
    assert [item["answer"] for item in items[1:]] == ["a", "a report"]


def test_what_was_said_is_kept_and_shown_without_a_script():
    chat = vector_chat()
    assert [turn["question"] for turn in chat.turns] == list(QUESTIONS[:3])
    text = chat._static_text()
    for question in QUESTIONS[:3]:
        assert question in text
    assert "0.92" in text
    assert QUESTIONS[0] in VectorChat(answer, questions=QUESTIONS)._static_text()


def test_a_question_waits_for_the_evidence():
    """Both may use one model, and an answer needs the claims."""
    reading, go = threading.Event(), threading.Event()

    def read():
        reading.set()
        go.wait(5)
        return READ

    chat = VectorChat(answer, read)
    assert chat.content["open"] == ["ask", "evidence"]
    first = threading.Thread(target=final, args=(chat._read_off, 0))
    first.start()
    reading.wait(5)
    threading.Thread(target=lambda: (time.sleep(0.05), go.set())).start()
    assert last(chat, QUESTIONS[0])["cosine"] == 0.61
    first.join()


def test_evidence_that_was_given_up_lets_questions_through():
    def read():
        yield Progress(0, 2)
        yield Progress(1, 2)
        yield READ

    chat = VectorChat(answer, read)
    given_up = chat._read_off(0)
    next(given_up)
    given_up.close()
    assert last(chat, QUESTIONS[0])["cosine"] is None
    assert final(chat._read_off, 0)[1]["cosine"] == 0.61
    assert last(chat, QUESTIONS[0])["cosine"] == 0.61


def test_the_page_holds_answers_and_no_turn_that_nobody_asked(tmp_path):
    chat = VectorChat(answer, lambda: READ, questions=QUESTIONS)
    chat.export_html(tmp_path / "a.html")
    assert chat.turns == []
    page = (tmp_path / "a.html").read_text()
    keys = re.findall(r'"\[\\"(ask|evidence)\\",', page)
    assert sorted(keys) == ["ask"] * 4 + ["evidence"]


@pytest.mark.parametrize("question", ["", "   ", None, 3, "x" * 501, ["a"]])
def test_what_is_no_question_is_refused_in_words(question):
    kind, words = final(VectorChat(answer)._turn, question)
    assert kind == "failed"
    assert "the question" in words


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda q: None, "ask gave NoneType"),
        (lambda q: 0.7, "ask gave float"),
        (lambda q: iter(()), "ask yielded nothing"),
        (lambda q: Explanations("t", "e", "m", "c", (), 0.1), "ask gave Explanations"),
        (lambda q: whole(q, 1.2), "probability 1.2"),
        (lambda q: whole(q, float("nan")), "probability nan"),
        (lambda q: 1 / 0, "division by zero"),
    ],
)
def test_faults_of_ask_are_words(ask, words):
    kind, told = final(VectorChat(ask)._turn, "What?")
    assert kind == "failed"
    assert words in told


def test_input_that_cannot_be_used_is_said_in_words():
    for chat, words in (
        (VectorChat(answer, Explanations("t", "e", "m", "c", (), 0.1)), "evidence gave Explanations"),
        (VectorChat(answer, questions=("What?", " ")), "the question is ' '"),
    ):
        assert words in chat.problem
        assert html.escape(chat.problem) in chat._static_html()
        with pytest.raises(BadInput, match="nothing to export"):
            chat.export_html("never.html")
