"""Compare embedders: throughput, memory, isotropy, retrieval and paraphrases, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from workbench.core import estimate
from workbench.core.errors import BadInput, WorkbenchError
from workbench.core.means import mean_cosine
from workbench.core.memory import keep_freed_memory
from workbench.core.progress import progress
from workbench.core.ranking import answers, cosines, unrelated
from workbench.core.vectors import are_unit
from workbench.data import pairs
from workbench.data.pairs import Paraphrases, Retrieval
from workbench.embed import EMBEDDERS, load_embedder
from workbench.embed._embedder import Embedder
from workbench.embed._torch import pick_device
from workbench.results import EmbedderComparison, EmbedderScores

_NEED_A_MODEL = ("sentence-transformers", "transformers", "static", "api")


def all_embedders() -> tuple[str, ...]:
    """Every registered embedder that opens without a model of the user's, the language model in all its ways."""
    from workbench.embed.llm import METHODS

    single = [name for name in EMBEDDERS.names() if name not in (*_NEED_A_MODEL, "llm")]
    return (*single, *(f"llm?method={method}" for method in METHODS))


def compare_embedders(
    names: Sequence[str], texts: int = 500, seed: int = 0, device: str = "auto", out: Path | None = None
) -> EmbedderComparison:
    """Measure each embedder of `names` on `texts` questions, passages and pairs.

    With `out` (a JSON file) the result is saved after each embedder, and embedders that it already holds for the same
    setting are not measured again. One that cannot be opened is reported among the failures, and the others go on.
    """
    found, paraphrases = pairs.retrieval(texts, seed), pairs.paraphrases(texts, seed)
    result = _setting(found, paraphrases, texts, seed, pick_device(device))
    if out is not None and out.exists():
        result = _go_on(result, out)
    with progress("compare", len(names), "embedders") as advance:
        for name in names:
            if not any(name == row.embedder for row in result.rows):
                scores = _apart(name, found, paraphrases, seed, result.device, result.threads)
                if isinstance(scores, str):
                    result = replace(result, failures=(*result.failures, (name, scores)))
                else:
                    result = replace(result, rows=(*result.rows, scores))
                if out is not None:
                    result.save(out)
            advance(1)
    order = {name: place for place, name in enumerate(names)}
    rows = sorted((row for row in result.rows if row.embedder in order), key=lambda row: order[row.embedder])
    return replace(result, rows=tuple(rows))


def measure(
    name: str, found: Retrieval, paraphrases: Paraphrases, seed: int = 0, device: str = "cpu", threads: int = 0
) -> EmbedderScores:
    """Scores of one embedder, in this process: the memory is that of all that ran here before."""
    import torch

    keep_freed_memory()
    if threads:
        torch.set_num_threads(threads)
    began = time.monotonic()
    embedder = load_embedder(name, device)
    opened = time.monotonic() - began
    embedder.forward(["One short text, so that what is set up once is set up."])
    sides = (*paraphrases.left, *paraphrases.right)
    vectors, sentence_rate = _timed(embedder, sides)
    left, right = np.split(_unit(vectors), 2)
    place = {text: row for row, text in enumerate(paraphrases.right)}
    decoy = right[[place[text] for text in paraphrases.decoy]]
    apart, close = cosines(left, right[unrelated(len(left), seed)]), cosines(left, right)
    passages, passage_rate = _timed(embedder, found.passages)
    answered = answers(_unit(embedder.embed(found.questions)), _unit(passages))
    return EmbedderScores(
        embedder=name,
        revision=embedder.spec.revision,
        dim=embedder.spec.dim,
        normalised=are_unit(vectors),
        isotropy=mean_cosine(apart, seed=seed),
        ndcg=estimate.mean_share(answered.gain, found.groups, seed),
        recall=estimate.mean_share(answered.hit, found.groups, seed),
        paraphrase_auc=estimate.auc(close, apart, seed),
        decoy_auc=estimate.auc(close, cosines(left, decoy), seed),
        sentences_per_second=sentence_rate,
        passages_per_second=passage_rate,
        load_seconds=opened,
        peak_memory_mb=_peak_memory_mb(),
    )


def _setting(found: Retrieval, paraphrases: Paraphrases, texts: int, seed: int, device: str) -> EmbedderComparison:
    import torch

    def words(column: Sequence[str]) -> float:
        return float(np.mean([len(text.split()) for text in column]))

    sides = (*paraphrases.left, *paraphrases.right)
    return EmbedderComparison(texts, seed, words(sides), words(found.passages), torch.get_num_threads(), device)


def _go_on(result: EmbedderComparison, out: Path) -> EmbedderComparison:
    """What `out` already holds; raises BadInput where it was measured otherwise."""
    former = EmbedderComparison.load(out)
    assert isinstance(former, EmbedderComparison)
    if replace(former, rows=(), failures=()) != result:
        raise BadInput(
            f"{out} was measured on other texts, threads or another device; remove it or choose another --out"
        )
    return replace(former, failures=())


def _apart(
    name: str, found: Retrieval, paraphrases: Paraphrases, seed: int, device: str, threads: int
) -> EmbedderScores | str:
    """`measure` in a fresh process, or why it failed."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_measure_or_reason, name, found, paraphrases, seed, device, threads).result()
        except BrokenProcessPool:
            return "its process was killed (out of memory?)"


def _measure_or_reason(
    name: str, found: Retrieval, paraphrases: Paraphrases, seed: int, device: str, threads: int
) -> EmbedderScores | str:
    try:
        return measure(name, found, paraphrases, seed, device, threads)
    except WorkbenchError as error:
        return str(error)


def _timed(embedder: Embedder, texts: Sequence[str]) -> tuple[Float[np.ndarray, "n d"], float]:
    """Vectors, and texts a second."""
    began = time.monotonic()
    vectors = embedder.embed(texts)
    return vectors, len(set(texts)) / (time.monotonic() - began)


def _unit(vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _peak_memory_mb() -> float:
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
