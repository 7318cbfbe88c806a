"""Questions to one vector: every answer beside the evidence for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import traitlets

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.errors import BadInput
from workbench.core.text import normalise, squeeze
from workbench.results import Claim, Explanation, Explanations
from workbench.widgets._answers import Progress
from workbench.widgets._widget import Widget, require

Told = Explanation | Explanations | str
Ask = Callable[[str], Any]
"""Takes a question; returns what an explainer says (`Told`), or is a generator of it, and of `Progress`."""
_LONGEST = 500
"""Characters of a question."""


class VectorChat(Widget):
    """Ask a vector: answers with their calibrated probability of yes, and beside each what speaks for and against it.

    `ask(question)` returns an `Explanation`, an `Explanations` (the row that answers) or text; a generator may yield
    what there is so far, every item the whole answer, and `Progress`. `evidence` is what was read off the vector
    beforehand, or a callable that reads it when the widget opens: its description embedded anew (cosine), and its
    claims beside linear probes. An answer that brings its own evidence shows that. `blind(question)` asks the same of
    another vector, for answers that bring no blind one: what both say, the model says of anything.

    An exported page holds the transcript and the answers to `questions`, which are buttons. Probabilities lie between
    0 and 1, cosines between -1 and 1. For instance, with an explainer and `one`, a set of one vector without texts:

        VectorChat(lambda q: explainer.answer(one.vectors[0], q), evidence=lambda: explainer.describe(one))
    """

    _script = "vector_chat.js"
    turns = traitlets.List().tag(sync=True)
    """The transcript, the oldest first: what was asked, said, and stood beside it."""

    def __init__(
        self,
        ask: Ask,
        evidence: Explanation | Explanations | Callable[[], Any] | None = None,
        blind: Ask | None = None,
        questions: Sequence[str] = (),
        title: str = "Ask a vector",
    ) -> None:
        super().__init__()
        self._ask, self._blind, self._title = ask, blind, title
        self._held: Explanation | None = None
        self._turns_to_speak = threading.Lock()
        self._reads = None if isinstance(evidence, (Explanation, Explanations)) or not callable(evidence) else evidence
        self.answers(ask=self._turn, evidence=self._read_off if self._reads else None)
        with self.filling() as content:
            for name, value in (("ask", ask), *((("blind", blind),) if blind is not None else ())):
                if not callable(value):
                    raise BadInput(f"{name} is of type {type(value).__name__}; expected a callable of a question")
            require(questions, (list, tuple), "questions")
            self._questions = [_question(question) for question in questions]
            if evidence is not None and self._reads is None:
                self._held = _row(evidence, "evidence")
            content.update(
                title=title,
                questions=self._questions,
                evidence=None if self._held is None else _shown(self._held),
                longest=_LONGEST,
            )

    def say(self, question: str) -> dict[str, Any]:
        """Ask from Python: the turn, which is added to the transcript. Raises what `ask` raises."""
        last: dict[str, Any] = {}
        for item in self._turn(question):
            last = last if isinstance(item, Progress) else item
        self.turns = [*self.turns, last]
        return last

    def requests(self) -> Iterator[tuple[str, Any]]:
        """The evidence, and every question that was named."""
        if self._reads is not None:
            yield "evidence", 0
        yield from (("ask", question) for question in self._questions)

    def blocks(self) -> tuple[Block, ...]:
        """What was read off the vector, and the transcript."""
        out: list[Block] = [Heading(self._title), Text(_LIMITS)]
        if self._held is not None:
            out += [Text(self._held.description), _facts(self._held)]
        rows = tuple(
            (
                str(turn.get("question", "")),
                str(turn.get("answer") or turn.get("failed", "")),
                turn.get("probability"),
                turn.get("blind_answer") or turn.get("blind_probability"),
            )
            for turn in self.turns
        )
        if rows:
            out.append(Table(("question", "answer", "probability of yes", "of another vector"), rows, digits=2))
        elif self._questions:
            out.append(Text(f"It can be asked: {' '.join(self._questions)}"))
        return tuple(out)

    def _read_off(self, _payload: Any) -> Iterator[Any]:
        assert self._reads is not None
        with self._turns_to_speak:
            if self._held is None:
                found = self._reads()
                for item in found if isinstance(found, Iterator) else (found,):
                    if isinstance(item, Progress):
                        yield item
                    else:
                        self._held = _row(item, "evidence()")
        if self._held is None:
            raise BadInput("evidence() yielded nothing; expected an Explanation or Explanations")
        yield _shown(self._held)

    def _turn(self, question: Any) -> Iterator[Any]:
        """Every state of the turn; it waits for evidence that is being read, since both may use one model."""
        with self._turns_to_speak:
            yield from self._answering(_question(question))

    def _answering(self, asked: str) -> Iterator[Any]:
        began, turn = time.monotonic(), None
        answer = self._ask(asked)
        for item in answer if isinstance(answer, Iterator) else (answer,):
            if isinstance(item, Progress):
                yield item
                continue
            turn = self._beside(asked, _row(item, "ask", asked), began)
            yield turn
        if turn is None:
            raise BadInput("ask yielded nothing; expected an Explanation, Explanations or text")
        if self._blind is not None and turn["blind_probability"] is None:
            other = self._blind(asked)
            for item in other if isinstance(other, Iterator) else (other,):
                if not isinstance(item, Progress):
                    row = _row(item, "blind", asked)
                    yield {**turn, "blind_answer": row.answer, "blind_probability": row.probability}

    def _beside(self, asked: str, row: Explanation, began: float) -> dict[str, Any]:
        """The answer, with its own evidence or that of the vector."""
        held = self._held
        claims = row.claims or (held.claims if held else ())
        source = row if row.cosine is not None or held is None else held
        probed = next((claim for claim in claims if normalise(claim.question) == normalise(asked)), None)
        ours = None
        if probed is not None and row.probability is not None:
            ours = Claim(probed.name, asked, row.answer, row.probability, probed.probe)
        return {
            "question": asked,
            "answer": row.answer or row.description,
            "probability": row.probability,
            "blind_probability": row.blind_probability,
            "blind_answer": "",
            "cosine": source.cosine,
            "blind_cosine": source.blind_cosine,
            "own": source is row,
            "own_claims": bool(row.claims),
            "probe": _claim(ours) if ours is not None and ours.probe is not None else None,
            "claims": [_claim(claim) for claim in claims if claim.probe is not None],
            "seconds": time.monotonic() - began,
        }


_LIMITS = (
    "All of it is read off the vector and may be invented. Compare it with the blind answer, which is what the same "
    "model says when it is given another vector: what both say, the model says of anything."
)


def _question(question: Any) -> str:
    if not isinstance(question, str) or not squeeze(question):
        raise BadInput(f"the question is {question!r}; expected words")
    if len(squeeze(question)) > _LONGEST:
        raise BadInput(f"the question has {len(question):,} characters; expected at most {_LONGEST}")
    return squeeze(question)


def _row(answer: Any, who: str, question: str = "") -> Explanation:
    match answer:
        case str():
            return Explanation("", "", (), None, "", None, question, answer)
        case Explanations() if answer.rows:
            row = next((row for row in answer.rows if row.question), answer.rows[0])
        case Explanation():
            row = answer
        case _:
            raise BadInput(f"{who} gave {type(answer).__name__}; expected an Explanation, Explanations or text")
    for name, chance in (("probability", row.probability), ("blind_probability", row.blind_probability)):
        if chance is not None and not 0 <= chance <= 1:
            raise BadInput(f"{who} gave the {name} {chance}; expected a number between 0 and 1")
    return row


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "question": claim.question or claim.name,
        "answer": claim.answer,
        "probability": claim.probability,
        "probe": claim.probe,
        "contradicted": claim.contradicted,
    }


def _shown(row: Explanation) -> dict[str, Any]:
    return {
        "description": row.description or row.answer,
        "keywords": [[word, chance] for word, chance in row.keywords],
        "cosine": row.cosine,
        "blind": row.blind,
        "blind_cosine": row.blind_cosine,
        "claims": [_claim(claim) for claim in row.claims],
        "text": row.text,
    }


def _facts(row: Explanation) -> Facts:
    probed = [claim for claim in row.claims if claim.probe is not None]
    against = sum(claim.contradicted for claim in probed)
    items = []
    if row.cosine is not None:
        blind = "" if row.blind_cosine is None else f"{row.blind_cosine:.2f} blind"
        items.append(Fact("cosine of the description", f"{row.cosine:.2f}", blind))
    if probed:
        share = f"{against} of {len(probed)}"
        items.append(Fact("claims contradicted", share, "by linear probes", "warn" if against else "plain"))
    return Facts(tuple(items))
