"""What each part of an explainer's mixture is worth: equal runs that differ in one part, on the same held-out texts.

    python benchmarks/explaining_shares.py                                   # all: about an hour and a half of one core
    python benchmarks/explaining_shares.py --steps 2000 --batch 96 --device cuda

All runs have the same recipe, seed, texts and number of steps, and begin with the same closed form (`start`, measured
too), which LoRA alone learns to read: in few steps the projector gets no better. A part is left out by a share of 0;
the others stay as they are in the TOML, so a step without a part is a little cheaper. Every run prints one JSON row
and adds it to `rows.jsonl` in a folder of --folder for these steps: shares, steps, CPU-seconds of training, and scores
with 95% intervals; `less_full` are differences to the full mixture on the same texts and questions, resampled
together. Those intervals tell of texts and questions, not of runs: `full, another seed` shows by how much two runs of
one mixture differ. The same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped

from workbench.core.errors import BadInput
from workbench.core.estimate import RESAMPLES, Estimate, auc, mean, proportion, ratio
from workbench.core.files import atomic_path
from workbench.core.memory import keep_freed_memory
from workbench.core.vectors import unit
from workbench.data import corpora
from workbench.embed._vector_cache import cached_vectors
from workbench.explain._words import cut
from workbench.jobs._explain_data import empty_vectors, siblings_of
from workbench.jobs._explain_items import Segment, evaluation_questions, gather_pool
from workbench.jobs._explain_measures import log_odds, partners, ranks, spread_out
from workbench.jobs._explain_mixture import Mixture, load_mixture
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.jobs.train_explainer import TrainedExplainer, train_explainer
from workbench.lm.soft_prompt import DESCRIBE
from workbench.results.explanations import UNCLEAR

FULL, START = "full", "start"
PARTS: dict[str, dict[str, float]] = {
    FULL: {},
    "no attributes": {"attribute": 0},
    "no words": {"word_yes": 0, "word_easy": 0, "word_hard": 0},
    "no descriptions, no keywords": {"describe": 0, "keywords": 0},
    "texts alone": {"compare": 0, "document": 0, "abstain": 0},
    "full, another seed": {},
    "no hard words": {"word_hard": 0, "word_easy": 1.5},
}
"""Shares that differ from the full mixture's. Documents go on asking for words, and a text of which nothing else is
asked is described."""
POOL, FEW, WORDS = 1000, 256, (4, 24)
NOISE = ("gaussian", "random", "mean")


def changed(mixture: Mixture, shares: Mapping[str, float]) -> Mixture:
    """The mixture with other shares of some parts. Raises BadInput where it has no such part."""
    if unknown := {*shares} - {*mixture.segments, *mixture.items}:
        raise BadInput(f"the mixture has no {sorted(unknown)}; expected {[*mixture.segments, *mixture.items]}")
    segments = {name: shares.get(name, share) for name, share in mixture.segments.items()}
    items = {name: shares.get(name, share) for name, share in mixture.items.items()}
    return mixture.model_copy(update={"segments": segments, "items": items})


@dataclass(frozen=True)
class HeldOut:
    """What every run is measured on: m vectors, the first n of which are described, and questions on other texts."""

    texts: tuple[str, ...]
    groups: Shaped[np.ndarray, " n"]
    vectors: Float[np.ndarray, "m d"]
    asked: tuple[tuple[int, Segment], ...]
    """Rows of `asked_vectors` with a question each."""
    asked_vectors: Float[np.ndarray, "a d"]

    def kinds(self) -> dict[str, Bool[np.ndarray, " q"]]:
        """The questions of each kind."""
        word = np.array([one.task == "word" for _, one in self.asked])
        kind = np.array([one.kind for _, one in self.asked])
        words = {f"words_{no}": word & np.isin(kind, ("yes", no)) for no in ("easy", "hard")}
        return {**words, "attributes": ~word}

    def true(self) -> Bool[np.ndarray, " q"]:
        """Which are answered yes."""
        return np.array([one.answer == "yes" for _, one in self.asked])


@dataclass(frozen=True)
class Measured:
    """What one explainer said, text by text and question by question."""

    saved: Float[np.ndarray, " n"]
    """Nats of the text given another's vector, less those given its own."""
    own: Float[np.ndarray, " n"]
    tokens: Float[np.ndarray, " n"]
    cosine: Float[np.ndarray, " n"]
    rank: Int[np.ndarray, " n"]
    """Of the true vector among 256, by the description embedded anew."""
    abstained: Bool[np.ndarray, " n"]
    noise: Bool[np.ndarray, " k"]
    """Whether it abstains on vectors without a text."""
    odds: Float[np.ndarray, " q"]

    def save(self, path: Path) -> None:
        """As arrays in one file; whole or not at all."""
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **{each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Measured:
        """Read what `save` wrote."""
        with np.load(path) as found:
            return cls(**found)

    def scores(self, held: HeldOut, seed: int) -> dict[str, Estimate]:
        """Every score with its interval."""
        groups, true = held.groups, held.true()
        return {
            "nats": ratio(self.own, self.tokens, groups, seed),
            "gap": ratio(self.saved, self.tokens, groups, seed),
            "cosine": mean(self.cosine, groups, seed),
            "top10_of_256": proportion(int((self.rank <= 10).sum()), len(self.rank)),
            **{name: auc(self.odds[mine & true], self.odds[mine & ~true], seed) for name, mine in held.kinds().items()},
            "abstains_on_noise": proportion(int(self.noise.sum()), len(self.noise)),
            "abstains_on_texts": proportion(int(self.abstained.sum()), len(self.abstained)),
        }

    def less(self, full: Measured, held: HeldOut, seed: int) -> dict[str, Estimate]:
        """Every score less that of the full mixture, over the same texts and questions."""
        groups, true = held.groups, held.true()
        return {
            "nats": ratio(self.own - full.own, self.tokens, groups, seed),
            "gap": ratio(self.saved - full.saved, self.tokens, groups, seed),
            "cosine": mean(self.cosine - full.cosine, groups, seed),
            "top10_of_256": mean((self.rank <= 10).astype(float) - (full.rank <= 10), groups, seed),
            **{
                name: auc_difference(self.odds[mine], full.odds[mine], true[mine], seed)
                for name, mine in held.kinds().items()
            },
        }


def auc_difference(
    ours: Float[np.ndarray, " q"], theirs: Float[np.ndarray, " q"], true: Bool[np.ndarray, " q"], seed: int
) -> Estimate:
    """AUROC of `ours` less that of `theirs` on the same questions, with a bootstrap over both answers."""
    above = [np.sign(each[true][:, None] - each[~true][None, :]) / 2 for each in (ours, theirs)]
    wins = above[0] - above[1]
    p, q = wins.shape
    rng = np.random.default_rng(seed)
    yes, no = (rng.multinomial(k, np.full(k, 1 / k), size=RESAMPLES) for k in (p, q))
    low, high = np.percentile(((yes @ wins) * no).sum(1) / (p * q), [2.5, 97.5])
    return Estimate(float(wins.mean()), float(low), float(high), min(p, q), f"paired bootstrap, {RESAMPLES} resamples")


def main() -> None:
    """All parts that have no row yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("out/explaining_shares"))
    parser.add_argument("--steps", type=int, default=130)
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--n", type=int, default=100, help="held-out texts that are described and asked about")
    parser.add_argument("--each", type=int, default=24, help="questions on each attribute")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    recipe = ExplainerRecipe(
        texts=6000,
        per_task=300,
        planted=600,
        first_layer=12,
        projector_share=0.0,
        learning_rate=1e-3,
        warmup=5,
        steps=options.steps,
        batch=options.batch,
    )
    Bench(options.folder, recipe, options.n, options.each, options.device).run()


class Bench:
    """One recipe, and the rows that are written about its mixtures."""

    def __init__(self, folder: Path, recipe: ExplainerRecipe, n: int, each: int, device: str) -> None:
        self.folder = folder / f"{recipe.steps}-steps-of-{recipe.batch}"  # a run that is prolonged is another
        self.recipe, self.n, self.device = recipe, n, device
        self.mixture = load_mixture()
        self.start = train_explainer(recipe, self.folder / START, self.mixture, device, stop_after=0)
        self.held = held_out(self.start, self.mixture, n, each)
        self.questions = {name: int(mine.sum()) for name, mine in self.held.kinds().items()}
        self.measured = self.folder / f"measured-{n}-{each}"

    def run(self) -> None:
        """Every part that has no row yet; the full mixture comes before those that are compared with it."""
        path = self.folder / "rows.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        known = [(row["part"], row["n"], row["questions"]) for row in map(json.loads, lines)]
        for part in (START, *PARTS):
            if (part, self.n, self.questions) not in known:
                row = json.dumps(self.row(part))
                print(row, flush=True)
                with open(path, "a", encoding="utf-8") as file:
                    file.write(row + "\n")

    def row(self, part: str) -> dict[str, Any]:
        """One mixture, trained and measured."""
        mixture, seed = changed(self.mixture, PARTS.get(part, {})), int(part == "full, another seed")
        if part == START:
            trained = self.start
        else:
            run = self.folder / part.replace(", ", "-").replace(" ", "-")
            trained = train_explainer(replace(self.recipe, seed=seed), run, mixture, self.device, save_every=35)
        found = measure(trained, self.held, self.recipe.seed)
        found.save(self.measured / f"{part}.npz")
        other: dict[str, Estimate] = {}
        if part not in (START, FULL):
            full = Measured.load(self.measured / f"{FULL}.npz")
            other = found.less(full, self.held, self.recipe.seed)
        return {
            "benchmark": "explaining_shares",
            "part": part,
            "segments": mixture.segments,
            "items": mixture.items,
            "steps": trained.steps,
            "batch": self.recipe.batch,
            "seed": seed,
            "n": self.n,
            "questions": self.questions,
            "cpu_s": round(trained.cpu_seconds),
            **rounded(found.scores(self.held, self.recipe.seed)),
            "less_full": rounded(other),
        }


def held_out(start: TrainedExplainer, mixture: Mixture, n: int, each: int) -> HeldOut:
    """Test texts of 4 to 24 words that no probing task has in its training split, and questions drawn once for all."""
    recipe, embedder = start.recipe, start.embedder
    pool = gather_pool(mixture, recipe.corpus, "test", 2 * POOL, POOL, POOL // 2, recipe.seed)
    corpus, kept = corpora.load(recipe.corpus, "test", 2 * POOL), {*pool.texts}
    fits = [text in kept and WORDS[0] <= len(text.split()) <= WORDS[1] for text in corpus.texts]
    corpus = corpus.where(np.array(fits)).head(POOL)
    if len(corpus) < max(n, FEW):
        raise BadInput(f"{len(corpus)} test texts fit; expected at least {max(n, FEW)}")
    by_task: dict[str, list[tuple[int, Segment]]] = {}
    for row, one in evaluation_questions(pool, mixture, siblings_of(start.model), n, recipe.seed):
        by_task.setdefault(one.task, []).append((row, one))
    asked = [pair for task, all_of in by_task.items() for pair in fewer(task, all_of, each)]
    rows = sorted({row for row, _ in asked})
    places = {row: place for place, row in enumerate(rows)}
    return HeldOut(
        corpus.texts[:n],
        np.array(corpus.groups[:n]),
        unit(cached_vectors(embedder, corpus.texts, recipe.corpus)),
        tuple((places[row], one) for row, one in asked),
        unit(cached_vectors(embedder, [pool.texts[row] for row in rows], "asked")),
    )


def fewer(task: str, asked: Sequence[tuple[int, Segment]], each: int) -> Sequence[tuple[int, Segment]]:
    """All questions on words, and about `each` of an attribute, evenly spread over its classes and answers."""
    return asked if task == "word" else asked[spread_out(len(asked), each)]


def measure(trained: TrainedExplainer, held: HeldOut, seed: int) -> Measured:
    """What one explainer says of all that is held out."""
    model, n = trained.model, len(held.texts)
    own, others = held.vectors[:n], partners(n, seed)
    said = list(map(cut, model.write([vector[None] for vector in own], DESCRIBE)))
    nats = model.nats([vector[None] for vector in own], DESCRIBE, held.texts)
    blind = model.nats([vector[None] for vector in own[others]], DESCRIBE, held.texts)
    again = unit(trained.embedder.embed(said))
    empty: list[str] = []
    for place, kind in enumerate(NOISE):
        vectors = empty_vectors(kind, held.vectors, n // 2, np.random.default_rng([seed, 2, place]))
        empty += map(cut, model.write([vector[None] for vector in vectors], DESCRIBE, 4))
    return Measured(
        saved=blind[:, 0] - nats[:, 0],
        own=nats[:, 0],
        tokens=nats[:, 1],
        cosine=(again * own).sum(1),
        rank=ranks(again, held.vectors, FEW, seed),
        abstained=np.array([text == UNCLEAR for text in said]),
        noise=np.array([text == UNCLEAR for text in empty]),
        odds=log_odds(model, held.asked_vectors, [(row, one.ask) for row, one in held.asked], "questions"),
    )


def rounded(scores: Mapping[str, Estimate]) -> dict[str, Any]:
    """As JSON, to four digits."""
    return {
        name: {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(each).items()}
        for name, each in scores.items()
    }


if __name__ == "__main__":
    main()
