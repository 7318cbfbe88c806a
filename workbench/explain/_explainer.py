"""Explainer: vectors in, words out, each with the evidence for it.

A frozen language model reads soft tokens made from vectors (ELM, Tennenholtz et al. 2024; xRAG, Cheng et al. 2024).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float

from workbench.core import checkpoint
from workbench.core.embedding_set import EmbeddingSet, SetLike
from workbench.core.errors import BadInput
from workbench.core.progress import progress
from workbench.core.vectors import require_finite, unit
from workbench.embed._embedder import Embedder
from workbench.embed._torch import pick_device
from workbench.explain._bundle import KIND, Bundle, Claims
from workbench.explain._chat import Chat
from workbench.explain._serving import SERVERS
from workbench.explain._words import YES_NO, cut, word
from workbench.lm.soft_prompt import DESCRIBE
from workbench.results.explanations import Claim, Explanation, Explanations

SHARED = "Which words do both share?"
_KEYWORDS, _LEAST_CHANCE = 8, 0.3
_BLIND = 4
"""Other vectors whose answers make the blind one."""
_TOGETHER = 64
"""Vectors between two signs of progress."""
_MOST_VECTORS = 16
"""Chunks that one prompt can hold."""


def open_explainer(
    embedder: Embedder, checkpoint_name: str = "", device: str = "auto", serve: str = "torch"
) -> Explainer:
    """The explainer of a checkpoint (a name or a folder; empty: the shipped one for `embedder`).

    `serve` names what runs its language model: `torch`, or `llamacpp`, llama.cpp on the CPU, an extra. Raises BadInput
    where the explainer was trained on another embedder or what should serve it is not here, UnknownName.
    """
    serve_by = SERVERS.get(serve)
    if serve_by is None:
        raise BadInput(f"serve is {serve!r}; expected one of {', '.join(SERVERS)}")
    spec = embedder.spec
    folder, card = checkpoint.open_fitting(KIND, checkpoint_name, spec.name, spec.revision)
    bundle = Bundle.load(folder, card.config, pick_device(device))
    bundle.model.server = serve_by(bundle.model.lm)
    return Explainer(embedder, bundle, card.name)


class Explainer:
    """Describes vectors, and answers questions on them, with a language model that never sees a text.

    Beside every answer stands the blind one: what the same model says of other vectors. Descriptions are embedded anew
    and compared with the vector; claims are compared with linear probes.
    """

    def __init__(self, embedder: Embedder, bundle: Bundle, checkpoint_name: str = "") -> None:
        self.embedder, self.bundle, self.checkpoint = embedder, bundle, checkpoint_name
        self._guessed: dict[str, float] = {}

    def describe(
        self, vectors: SetLike, claims: bool = True, texts: Sequence[str] | None = None, question: str = ""
    ) -> Explanations:
        """A description of each of n vectors, its keywords and claims. `texts` are only put beside, for the eye."""
        vectors = EmbeddingSet.of(vectors)
        if vectors.texts is not None:
            raise BadInput("an explainer never holds the truth: hand it EmbeddingSet.without_texts()")
        self._require(vectors.vectors)
        began = time.monotonic()
        rows = self._rows([str(id) for id in vectors.ids], vectors.vectors, claims, question, texts)
        title = f"{len(rows):,} vectors, explained"
        return self._result(title, rows, began)

    def ask(
        self, vectors: SetLike, question: str, claims: bool = True, texts: Sequence[str] | None = None
    ) -> Explanations:
        """`describe`, and an answer to `question` of each vector: yes or no with its probability, or words."""
        if not question.strip():
            raise BadInput("the question is empty")
        return self.describe(vectors, claims, texts, question)

    def answer(self, vector: Float[np.ndarray, " d"], question: str) -> Explanation:
        """The answer to one question on one vector, and nothing else."""
        prompt = vector[None]
        self._require(prompt)
        answer, probability, blind = self._answers([prompt], question)[0]
        return Explanation("0", "", (), None, "", None, question, answer, probability, blind)

    def ask_document(self, vectors: SetLike, question: str) -> Explanations:
        """One answer to `question` on a document whose chunks have these vectors; its text is never shown."""
        vectors = EmbeddingSet.of(vectors)
        self._require(vectors.vectors)
        if len(vectors) > _MOST_VECTORS:
            raise BadInput(f"a document of {len(vectors)} chunks; expected at most {_MOST_VECTORS}")
        began = time.monotonic()
        answer, probability, blind = self._answers([vectors.vectors], question)[0]
        centre = unit(vectors.vectors).mean(0, keepdims=True)
        row = Explanation(
            "document", "", self._keywords(centre)[0], None, "", None, question, answer, probability, blind
        )
        return self._result(f"A document of {len(vectors)} chunks", (row,), began)

    def compare(self, a: Float[np.ndarray, " d"], b: Float[np.ndarray, " d"]) -> Explanations:
        """Two vectors, and as a third row what both share, in the model's words."""
        pair = np.stack([a, b])
        self._require(pair)
        began = time.monotonic()
        rows = self._rows(["a", "b"], pair, True, "", None)
        shared = self.bundle.model.write([pair], SHARED)[0]
        blind = self.bundle.model.write([self._others[:2]], SHARED)[0]
        middle = self._keywords(unit(unit(pair).mean(0, keepdims=True)))[0]
        both = Explanation("a and b", "", middle, None, blind, None, SHARED, shared)
        cosine = float(unit(pair)[0] @ unit(pair)[1])
        return self._result(f"Two vectors with cosine {cosine:.3f}", (*rows, both), began)

    def interpolate(self, a: Float[np.ndarray, " d"], b: Float[np.ndarray, " d"], steps: int = 5) -> Explanations:
        """Descriptions on the way from one vector to another along the great circle; ids are shares of the way."""
        if steps < 2:
            raise BadInput(f"steps is {steps}; expected at least 2")
        ends = np.stack([a, b])
        self._require(ends)
        first, last = unit(ends)
        angle = float(np.arccos(np.clip(first @ last, -1, 1)))
        if np.linalg.norm(first + last) < 1e-3:
            raise BadInput("the two vectors are opposite: there is no one way between them")
        began = time.monotonic()
        shares = np.linspace(0, 1, steps)
        turn = np.sin(angle) if angle > 1e-6 else 1.0
        mixed = [
            (np.sin((1 - s) * angle) * first + np.sin(s * angle) * last) / turn if angle > 1e-6 else first
            for s in shares
        ]
        rows = self._rows([f"{s:.2f}" for s in shares], np.stack(mixed).astype(np.float32), False, "", None)
        return self._result("From one vector to another", rows, began)

    def name(self, vector: Float[np.ndarray, " d"], direction: bool = False) -> Explanations:
        """What a cluster's centroid, or with `direction` a direction such as a probe's, stands for.

        A direction is named by the words whose evidence grows most along it, and described at a vector that lies
        far along it.
        """
        self._require(vector[None])
        began = time.monotonic()
        if not direction:
            return self._result("A centroid", self._rows(["centroid"], unit(vector[None]), False, "", None), began)
        way = unit(vector[None])
        others = unit(self.bundle.blind)
        far = unit(others.mean(0) + 3 * (others @ way[0]).std() * way)
        row = self._rows(["direction"], far.astype(np.float32), False, "", None)[0]
        projector = self.bundle.model.projector
        with torch.inference_mode():
            slopes = torch.from_numpy(way.astype(np.float32)).to(projector.weight.device) @ projector.weight
            rare = torch.sigmoid(-projector.prior) * slopes[0]
            best = rare.topk(min(_KEYWORDS, len(rare)))
        words = tuple((self.bundle.model.words[int(i)], float(v)) for v, i in zip(*best, strict=True))
        named = Explanation(row.id, row.description, words, row.cosine, row.blind, row.blind_cosine)
        return self._result("A direction, named by the words whose evidence grows along it", (named,), began)

    def chat(self, vector: Float[np.ndarray, " d"]) -> Chat:
        """A talk about one vector."""
        self._require(vector[None])
        return Chat(self, vector)

    def _rows(
        self,
        ids: Sequence[str],
        vectors: Float[np.ndarray, "n d"],
        claims: bool,
        question: str,
        texts: Sequence[str] | None,
    ) -> tuple[Explanation, ...]:
        rows: list[Explanation] = []
        with progress("explain", len(ids), "vectors") as advance:
            for start in range(0, len(ids), _TOGETHER):
                part = slice(start, start + _TOGETHER)
                told = None if texts is None else texts[part]
                rows += self._some(ids[part], vectors[part], claims, question, told)
                advance(len(ids[part]))
        return tuple(rows)

    def _some(
        self,
        ids: Sequence[str],
        vectors: Float[np.ndarray, "n d"],
        claims: bool,
        question: str,
        texts: Sequence[str] | None,
    ) -> list[Explanation]:
        prompts = [vector[None] for vector in vectors]
        checks = self.bundle.claims if claims else self.bundle.claims.none()
        closed = [question] if YES_NO.match(question.strip()) else []
        told = self.bundle.model.tell(prompts, DESCRIBE, [[*checks.questions, *closed]] * len(prompts))
        said = [cut(each.text) for each in told]
        blind, blind_vectors = self._blind_descriptions
        again = unit(self.embedder.embed(said, what="re-embed"))
        sent = unit(vectors)
        cosines = (again * sent).sum(1)
        keywords = self._keywords(vectors)
        k = len(checks.names)
        if closed:
            answers = self._judged(np.stack([each.chosen[k] for each in told]), question)
        else:
            answers = self._answers(prompts, question) if question else [("", None, None)] * len(prompts)
        checked = self._checked(checks, [each.chosen[:k] for each in told], vectors)
        rows = []
        for i, id in enumerate(ids):
            other = i % len(blind)
            answer, probability, blind_probability = answers[i]
            rows.append(
                Explanation(
                    id,
                    said[i],
                    keywords[i],
                    float(cosines[i]),
                    blind[other],
                    float(blind_vectors[other] @ sent[i]),
                    question,
                    answer,
                    probability,
                    blind_probability,
                    checked[i],
                    texts[i] if texts is not None else "",
                )
            )
        return rows

    def _answers(
        self, prompts: Sequence[Float[np.ndarray, "_ d"]], question: str
    ) -> list[tuple[str, float | None, float | None]]:
        """Answer, probability of yes, and blind probability; of a question that is not yes-or-no, words alone."""
        model = self.bundle.model
        if not YES_NO.match(question.strip()):
            return [(text, None, None) for text in model.write(list(prompts), question)]
        return self._judged(np.concatenate(model.choose(list(prompts), [[question]] * len(prompts))), question)

    def _judged(self, logs: Float[np.ndarray, "n 3"], question: str) -> list[tuple[str, float | None, float | None]]:
        """Yes, no or unclear, with the probability of yes and the blind one."""
        chances = self.bundle.probability(logs[:, 0] - logs[:, 1])
        blind = self._blind_probability(question)
        return [(word(row, float(chance)), float(chance), blind) for row, chance in zip(logs, chances, strict=True)]

    def _checked(
        self, claims: Claims, found: Sequence[Float[np.ndarray, "k 3"]], vectors: Float[np.ndarray, "n d"]
    ) -> list[tuple[Claim, ...]]:
        """What the model says to the claims on each vector, and what the probes say."""
        rows = []
        for logs, probed in zip(found, claims.probe(vectors), strict=True):
            chances = self.bundle.probability(logs[:, 0] - logs[:, 1])
            each = zip(claims.names, claims.questions, logs, chances, probed, strict=True)
            rows.append(tuple(Claim(n, q, word(log, float(p)), float(p), float(probe)) for n, q, log, p, probe in each))
        return rows

    def _keywords(self, vectors: Float[np.ndarray, "n d"]) -> list[tuple[tuple[str, float], ...]]:
        model = self.bundle.model
        with torch.inference_mode():
            read = model.projector.read(torch.from_numpy(vectors.astype(np.float32)).to(model.device), _KEYWORDS)
        rows = zip(read.words.tolist(), read.chances.tolist(), strict=True)
        return [
            tuple((model.words[i], chance) for i, chance in zip(*row, strict=True) if chance >= _LEAST_CHANCE)
            for row in rows
        ]

    @cached_property
    def _others(self) -> Float[np.ndarray, "b d"]:
        return self.bundle.blind[:_BLIND]

    @cached_property
    def _blind_descriptions(self) -> tuple[list[str], Float[np.ndarray, "b d"]]:
        said = [cut(text) for text in self.bundle.model.write([other[None] for other in self._others], DESCRIBE)]
        return said, unit(self.embedder.embed(said, what="re-embed"))

    def _blind_probability(self, question: str) -> float:
        if question not in self._guessed:
            prompts = [other[None] for other in self._others]
            found = np.concatenate(self.bundle.model.choose(prompts, [[question]] * len(prompts)))
            self._guessed[question] = float(self.bundle.probability(found[:, 0] - found[:, 1]).mean())
        return self._guessed[question]

    def _result(self, title: str, rows: tuple[Explanation, ...], began: float) -> Explanations:
        model = self.bundle.model.name
        return Explanations(title, self.embedder.spec.name, model, self.checkpoint, rows, time.monotonic() - began)

    def _require(self, vectors: Float[np.ndarray, "n d"]) -> None:
        d = self.bundle.model.projector.config.dim
        if vectors.ndim != 2 or vectors.shape[1] != d or not len(vectors):
            raise BadInput(
                f"vectors has shape {vectors.shape}; expected (n, {d}) for {self.checkpoint or 'this explainer'}"
            )
        require_finite(vectors)
        if not np.abs(vectors).sum(1).all():
            raise BadInput("a vector is zero; it tells nothing")
