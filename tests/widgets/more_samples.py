"""One small sample of every widget that probes, asks, mixes or defends."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from tests.widgets.evil import EVIL
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.estimate import Estimate, proportion
from workbench.results import Claim, Direction, Explanation, Explanations, ProbeScores, TaskScores
from workbench.results.probe_scores import Gain
from workbench.widgets import DefencePoint, DefenceSlider, MixPad, ProbeDashboard, Progress, VectorChat

POLES = ("The match ended in a draw after extra time.", "The bank raised its interest rates again.")
TASKS = (
    ("topic", "meaning", 4, 0.91, 0.84, 0.52),
    ("sentiment", "meaning", 2, 0.83, 0.79, 0.61),
    ("tense", "syntax", 2, 0.87, 0.71, 0.66),
    ("subject number", "syntax", 2, 0.78, 0.64, 0.60),
    ("sentence length", "surface", 6, 0.62, 0.58, 0.49),
    ("word order", "surface", 2, 0.55, 0.51, 0.53),
    ("contains a name <b>", "surface", 2, 0.74, 0.81, 0.55),
    ("similarity", "meaning", 0, 0.77, 0.58, 0.31),
)


def share(value: float, n: int = 300) -> Estimate:
    """A proportion of n."""
    return proportion(round(value * n), n)


def task_scores(task: tuple[str, str, int, float, float, float], embedder: str, less: float = 0.0) -> TaskScores:
    """Scores with every floor, a learning curve and layers."""
    name, family, k, score, tfidf, untrained = task
    chance = 1 / k if k else 0.0
    found = share(score - less)
    return TaskScores(
        name,
        embedder,
        family,
        tuple(f"class {c}" for c in range(k)),
        1200,
        300,
        60,
        chance,
        found,
        share(score - less - 0.01),
        share(score - less - 0.02),
        None,
        None,
        share(chance),
        share(tfidf),
        share(untrained),
        share(score - less + 0.02),
        share(chance + 0.02),
        chance,
        1.0,
        0.6,
        1.7,
        1.4,
        tuple((75 * 2**i, share(score - less - 0.04 * (4 - i))) for i in range(5)),
        tuple((layer, share(score - less - 0.02 * (6 - layer))) for layer in range(7)),
        (Gain("TF-IDF", score - less - tfidf, 0.001 if score - less > tfidf + 0.05 else 0.4),),
    )


def probe_scores() -> ProbeScores:
    """Eight tasks, two embedders, one failure."""
    rows = [task_scores(task, name, less) for name, less in (("minilm", 0.0), ("potion", 0.08)) for task in TASKS]
    return ProbeScores(tuple(rows), 0, 1200, (("depth", "no parser was found"),))


def directions(d: int = 16) -> tuple[Direction, ...]:
    """Two that are not at right angles."""
    random = np.random.default_rng(3)
    first, second = (row / np.linalg.norm(row) for row in random.standard_normal((2, d)))
    auc = share(0.94)
    return (
        Direction("finance", "mean-difference", "banking", "football", first, 0.05, 0.45, auc, 800, 200),
        Direction("length", "cav", "long", "short", second, 0.0, 0.3, auc, 800, 200),
    )


def vectors(n: int = 40, d: int = 16) -> EmbeddingSet:
    """Unit vectors with texts; the second is markup."""
    table = np.random.default_rng(5).standard_normal((n, d))
    texts = [f"{POLES[i % 2]} (report {i})" for i in range(n)]
    texts[1] = f"A text {EVIL} on banking."
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return EmbeddingSet(np.array([f"v{i}" for i in range(n)], object), unit.astype(np.float32), np.array(texts, object))


def said(one: EmbeddingSet):
    """Speaks of the first coordinate, after some steps."""
    assert len(one) == 1
    assert one.texts is None
    for step in range(3):
        yield Progress(step, 3, "reading")
        time.sleep(0.001)
    more = "a bank" if one.vectors[0, 0] > 0 else "a match"
    words = (("report", 0.9), ("late", 0.7))
    yield Explanations(
        "t",
        "minilm",
        "tiny",
        "x",
        (Explanation("0", f"A report about {more}. {EVIL}", words, 0.62, "Of people.", 0.2),),
        0.1,
    )


def probe_dashboard() -> ProbeDashboard:
    """With directions, neighbours and descriptions."""
    among = vectors()
    return ProbeDashboard(probe_scores(), directions(), among.select(slice(4)), neighbours=among, explain=said)


QUESTIONS = ("Is it about sport?", "Is it a question?", "What is it about?", "Does it name a person?")
CLAIMS = (
    Claim("sport", QUESTIONS[0], "yes", 0.92, 0.08),
    Claim("question", QUESTIONS[1], "no", 0.11, 0.05),
    Claim("past", "Is it in the past tense?", "yes", 0.81, 0.9),
    Claim("person", QUESTIONS[3], "unclear", 0.52, 0.97),
    Claim("formal", "Is it formal?", "yes", 0.66, None),
)
READ = Explanation(
    *("t7", f"A report on a match that ended late. {EVIL}", (("match", 0.93), ("late", 0.71), ("goal", 0.4)), 0.61),
    *("A person talks about the weather.", 0.18),
    claims=CLAIMS,
    text="The match ended in a draw.",
)


def answer(question: str):
    """Yes or no where a claim was made of it, words elsewhere."""
    for step in range(4):
        yield Progress(step, 4)
        time.sleep(0.002)
    claim = next((claim for claim in CLAIMS if claim.question == question), None)
    if claim is None:
        yield Explanation("0", "", (), None, "", None, question, f"A match {EVIL} between two towns.")
    else:
        yield Explanation("0", "", (), None, "", None, question, claim.answer, claim.probability, 0.47)


def vector_chat() -> VectorChat:
    """With three turns, two of which a probe knows."""
    found = VectorChat(answer, READ, lambda question: "Some people talk.", QUESTIONS)
    for question in QUESTIONS[:3]:
        found.say(question)
    found.turns = [replace_seconds(turn) for turn in found.turns]
    return found


def replace_seconds(turn: dict) -> dict:
    """A turn that took 1.2 seconds, so that pictures are alike."""
    return {**turn, "seconds": 1.2}


def mix_pad() -> MixPad:
    """Between two of the vectors, with texts."""
    among = vectors()
    return MixPad(among.select([0]), among.select([1]), among, said, names=("football", "banking"))


def defence_point(method: str, strength: float | str, loss: float, static: float, adaptive: float) -> DefencePoint:
    """A point whose intervals are those of 400 items."""
    detail = f"{method} {EVIL}"
    return DefencePoint(method, strength, share(0.92 - loss, 400), share(static, 400), share(adaptive, 400), detail)


def defence_rows() -> list[DefencePoint]:
    """Four methods; the rotation holds against the static attacker alone."""
    rows = [defence_point("none", "as it is", 0.0, 0.9, 0.9)]
    for k, strength in enumerate((0.1, 0.2, 0.4, 0.8, 1.6)):
        rows.append(defence_point("noise", strength, 0.01 + 0.03 * k * k, 0.88 - 0.12 * k, 0.89 - 0.09 * k))
    for strength, loss, leak in ((32.0, 0.3, 0.66), (64.0, 0.12, 0.78), (128.0, 0.05, 0.85)):
        rows.append(defence_point("pca", strength, loss, leak - 0.03, leak))
    rows.append(defence_point("rotation", "secret", 0.004, 0.3, 0.89))
    rows.append(defence_point("leace", "as it is", 0.03, 0.3, 0.42))
    return rows


def measure(method: str, strength: float):
    """Leaks less the stronger it is."""
    yield Progress(1, 2, "attack")
    yield defence_point(method, strength, 0.02 * strength, 0.8 - 0.03 * strength, 0.85 - 0.02 * strength)


def defence_slider() -> DefenceSlider:
    """Rows, and one method that is measured."""
    strengths = {"truncation": (2.0, 4.0, 8.0)}
    return DefenceSlider(defence_rows(), measure, strengths, share(0.27, 400), utility="nDCG@10", leakage="accuracy")


def without(estimate: Estimate) -> Estimate:
    """The same with no number in its interval."""
    return replace(estimate, low=float("nan"))


MORE = {
    "defence_slider": defence_slider,
    "mix_pad": mix_pad,
    "probe_dashboard": probe_dashboard,
    "vector_chat": vector_chat,
}
