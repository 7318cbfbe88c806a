"""Enlarge a corpus with a language model: paraphrases, questions, and labels, filtered, with an account of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float

from workbench.core.errors import BadInput, UnknownName
from workbench.core.files import atomic_path, read_json, write_json
from workbench.core.progress import progress
from workbench.core.text import normalise, split_of, word_count
from workbench.data.corpora import Corpus
from workbench.embed._embedder import Embedder
from workbench.jobs._augment_filter import Made, sift
from workbench.jobs._augment_tasks import CONTENT_FREE, JUDGE, NO, WRITINGS, YES, Writing
from workbench.lm.chat import ChatModel
from workbench.results.augmentation import Augmentation, LabelCount, Sample

BLOCK = 16
"""Sources that are written for at once: the unit of resuming, and of the seed."""
_SAMPLES = 6
"""Samples of each kind and outcome in the account."""


@dataclass(frozen=True)
class AugmentRecipe:
    """What to make. The same recipe on the same texts gives the same file on the same machine."""

    kinds: tuple[str, ...] = ("paraphrase", "question")
    labels: tuple[str, ...] = ()
    each: int = 1
    """Texts of each kind that are written for a source."""
    least_words: int = 3
    most_words: int = 60
    margin: float = 1.0
    """Log-odds (after the leaning is taken off) within which a label counts as unsure."""
    temperature: float = 0.7
    seed: int = 0

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in WRITINGS:
                raise UnknownName("kind", kind, WRITINGS)
        if not self.kinds and not self.labels:
            raise BadInput("nothing to make: give a kind or a label")
        if self.each < 1 or self.margin < 0 or not 0 < self.least_words <= self.most_words:
            raise BadInput(f"each {self.each}, margin {self.margin}, words {self.least_words} to {self.most_words}")


def augment(corpus: Corpus, out: Path, recipe: AugmentRecipe, chat: ChatModel, embedder: Embedder) -> Augmentation:
    """Write `corpus` and what is made of it to the Parquet file `out`; what was kept and why is returned.

    The file holds the sources (kind `source`) and the texts that were kept, with `source` (the source's id), `group`
    and `split` of the source (a paraphrase of a test text is test text), `cosine`, and a column of true, false or null
    for each label; paraphrases carry the labels of their source. A run that was stopped goes on at the block where it
    was: blocks lie beside `out` until the file is written.
    """
    began = time.monotonic()
    parts = out.with_name(f".{out.name}.{_digest(corpus, recipe, chat, embedder)}.parts")
    written = list(_written(corpus, recipe, chat, parts))
    judged = {label: _judged(corpus, label, recipe, chat, parts) for label in recipe.labels}
    made = sift(written, corpus.texts, recipe.least_words, recipe.most_words, embedder)
    account = _account(corpus, made, judged, recipe, chat, embedder, time.monotonic() - began)
    table = _table(corpus, made, {label: odds for label, (odds, _) in judged.items()}, recipe)
    about = {"recipe": asdict(recipe), **{key: value for key, value in account.to_json().items() if key != "seconds"}}
    metadata = {b"workbench.augmentation": json.dumps(about, ensure_ascii=False).encode()}
    with atomic_path(out) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")
    shutil.rmtree(parts, ignore_errors=True)
    return account


def column_of(label: str) -> str:
    """Name of a label's column: `is this a complaint?` becomes `is_this_a_complaint`."""
    return normalise(label).replace(" ", "_") or "label"


def _written(corpus: Corpus, recipe: AugmentRecipe, chat: ChatModel, parts: Path) -> Iterator[Made]:
    with progress("write", len(corpus) * len(recipe.kinds) * recipe.each, "texts") as advance:
        for kind in recipe.kinds:
            task = WRITINGS[kind]
            for turn in range(recipe.each):
                for start in range(0, len(corpus), BLOCK):
                    texts = corpus.texts[start : start + BLOCK]
                    seed = _seed(recipe.seed, kind, turn, texts)
                    answers = _once(
                        parts / f"{kind}-{turn}-{start:07d}.json",
                        lambda t=texts, s=seed, w=task: _ask(chat, w, t, recipe, s),
                    )
                    for offset, answer in enumerate(answers):
                        yield Made(kind, start + offset, answer)
                    advance(len(texts))


def _ask(chat: ChatModel, task: Writing, texts: Sequence[str], recipe: AugmentRecipe, seed: int) -> list[str]:
    most = int(2.2 * max(word_count(text) for text in texts)) + 16
    requests = [task.request(text) for text in texts]
    return chat.write(requests, task.turns(), most, recipe.temperature, seed=seed)


def _judged(
    corpus: Corpus, label: str, recipe: AugmentRecipe, chat: ChatModel, parts: Path
) -> tuple[Float[np.ndarray, " n"], float]:
    """Log-odds of yes for each source, and the model's leaning, which is already taken off."""
    name = hashlib.blake2b(label.encode(), digest_size=4).hexdigest()

    def odds(texts: Sequence[str]) -> list[float]:
        questions = [JUDGE.format(text=text, label=label) for text in texts]
        return [float(value) for value in chat.log_odds(questions, YES, NO)]

    leaning = float(np.mean(odds(CONTENT_FREE)))
    found: list[float] = []
    with progress(f"judge: {label}", len(corpus), "texts") as advance:
        for start in range(0, len(corpus), BLOCK):
            texts = corpus.texts[start : start + BLOCK]
            found += _once(parts / f"label-{name}-{start:07d}.json", lambda t=texts: odds(t))
            advance(len(texts))
    return np.array(found) - leaning, leaning


def _table(corpus: Corpus, made: Sequence[Made], odds: dict[str, np.ndarray], recipe: AugmentRecipe) -> pa.Table:
    kept = [each for each in made if not each.dropped]
    rows = [*range(len(corpus)), *(each.source for each in kept)]
    kinds = ["source"] * len(corpus) + [each.kind for each in kept]
    numbers = Counter[tuple[str, int]]()
    ids = list(corpus.ids)
    for each in kept:
        numbers[each.kind, each.source] += 1
        ids.append(f"{corpus.ids[each.source]}/{each.kind}-{numbers[each.kind, each.source]}")
    columns = {
        "id": pa.array(ids, pa.string()),
        "text": pa.array([*corpus.texts, *(each.text for each in kept)], pa.string()),
        "group": pa.array([corpus.groups[row] for row in rows], pa.string()),
        "split": pa.array([split_of(corpus.texts[row]) for row in rows], pa.string()),
        "kind": pa.array(kinds, pa.string()),
        "source": pa.array([corpus.ids[row] for row in rows], pa.string()),
        "cosine": pa.array([None] * len(corpus) + [each.cosine for each in kept], pa.float32()),
    }
    for label, values in odds.items():
        sure = [None if abs(value) < recipe.margin else bool(value > 0) for value in values]
        carried = [None if kind == "question" else sure[row] for row, kind in zip(rows, kinds, strict=True)]
        columns[column_of(label)] = pa.array(carried, pa.bool_())
    return pa.table(columns)


def _account(
    corpus: Corpus,
    made: Sequence[Made],
    judged: dict[str, tuple[np.ndarray, float]],
    recipe: AugmentRecipe,
    chat: ChatModel,
    embedder: Embedder,
    seconds: float,
) -> Augmentation:
    counts = Counter((each.kind, each.dropped) for each in made)
    shown: Counter[tuple[str, str]] = Counter()
    samples = []
    for each in made:
        shown[each.kind, each.dropped] += 1
        if shown[each.kind, each.dropped] <= (_SAMPLES if not each.dropped else 2):
            samples.append(Sample(each.kind, corpus.texts[each.source], each.text, each.cosine, each.dropped))
    labels = [
        LabelCount(
            label,
            int((odds >= recipe.margin).sum()),
            int((odds <= -recipe.margin).sum()),
            int((np.abs(odds) < recipe.margin).sum()),
            leaning,
        )
        for label, (odds, leaning) in judged.items()
    ]
    return Augmentation(
        corpus=corpus.name,
        sources=len(corpus),
        model=chat.name,
        model_revision=chat.revision,
        embedder=embedder.spec.name,
        seed=recipe.seed,
        kept=tuple((kind, counts[kind, ""]) for kind in recipe.kinds),
        dropped=tuple((kind, why, count) for (kind, why), count in sorted(counts.items()) if why),
        labels=tuple(labels),
        samples=tuple(sorted(samples, key=lambda sample: (sample.kind, sample.dropped))),
        seconds=seconds,
    )


def _once(path: Path, make: Callable[[], list[Any]]) -> list[Any]:
    """What `path` holds, or what `make` gives, which is then kept there."""
    if path.is_file():
        return read_json(path)
    value = make()
    write_json(path, value)
    return value


def _digest(corpus: Corpus, recipe: AugmentRecipe, chat: ChatModel, embedder: Embedder) -> str:
    parts = (chat.name, chat.revision, embedder.spec.name, repr(recipe), repr(WRITINGS), JUDGE, *corpus.texts)
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _seed(seed: int, kind: str, turn: int, texts: Sequence[str]) -> int:
    key = "\0".join((str(seed), kind, str(turn), *texts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(key, digest_size=7).digest(), "big")
