"""Inversion beside vec2text and the floors: same embedder, texts, split and training CPU-seconds.

    python benchmarks/inversion.py texts                             # train.txt, test.txt, outside.txt for the peer
    python benchmarks/vec2text_peer.py --train ... --out peer.jsonl  # in an environment of its own, see there
    python benchmarks/inversion.py peer                              # its texts, scored by our metrics
    python benchmarks/inversion.py train full --minutes 12           # one thread: CPU-seconds are wall seconds or less
    python benchmarks/inversion.py attack full                       # presets, beams, rounds, floors, prior
    python benchmarks/inversion.py differences full                  # each preset less the one before, text by text
    python benchmarks/inversion.py drafts full                       # what a decoder makes of drafts, in nats a piece
    python benchmarks/inversion.py ablate --device cuda              # what each part of the decoder is worth
    python benchmarks/inversion.py figure                            # quality against compute

Every setting prints one JSON row and adds it to `rows.jsonl` in --folder. Texts are held-out sentences of the corpus
(`inside`) and of IMDB, which no training saw (`outside`), both of at most 34 tokens; `--domains learnt` takes sentences
that a checkpoint of the whole corpus learnt from. CPU-seconds are those of the process, with one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import compress, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.core.estimate import Estimate, mean
from workbench.core.files import write_text
from workbench.core.memory import keep_freed_memory
from workbench.data import corpora
from workbench.data.corpora import Corpus
from workbench.embed import load_embedder
from workbench.embed._embedder import Embedder
from workbench.invert._inverter import Attacker, Inverter, cosine, shuffled
from workbench.invert._pool import Limits
from workbench.invert._score import exact_match, score, sentence_bleu, sentence_chrf, string_match, token_f1
from workbench.invert._writer import open_text_model
from workbench.invert.bag_of_words import BagOfWordsInverter
from workbench.invert.correction import Correction
from workbench.invert.hypothesis import Hypothesis
from workbench.invert.nearest import Nearest
from workbench.invert.search import PRESETS, Preset, Search
from workbench.jobs._drafts import damaged, moved_parts
from workbench.jobs._early_metrics import loss_of
from workbench.jobs._training_data import gather
from workbench.jobs.inverter_recipe import InverterRecipe
from workbench.jobs.ship_inverter import ship_inverter
from workbench.jobs.train_inverter import train_inverter
from workbench.lm import Draft, TextModel, generate
from workbench.results import Inversions
from workbench.results.scores import METRICS

MAX_TOKENS = 34
SKIP, TEXTS = 400_000, 60_000
"""The part of the corpus' train split that both sides learn from."""
PARTS: dict[str, dict[str, Any]] = {
    "the recipe": {},
    "6 layers": {"layers": 6},
    "dropout": {"dropout": 0.1},
    "no bag of words": {"bag_of_words": False},
    "from nothing": {"start": "nothing"},
    "t5": {"architecture": "t5"},
}


def sentences(embedder: Embedder, name: str, n: int, split: str = "test") -> Corpus:
    """The first `n` sentences of a split of at most MAX_TOKENS tokens."""
    corpus = corpora.load(name, split).head(4 * n)
    return corpus.where(embedder.lengths(corpus.texts) <= MAX_TOKENS).head(n)


def main() -> None:
    """One stage of the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "stage", choices=("texts", "peer", "train", "attack", "differences", "drafts", "ablate", "figure")
    )
    parser.add_argument("name", nargs="?", default="full", help="of a checkpoint: a run of `train`, or one that ships")
    parser.add_argument("--folder", type=Path, default=Path("out/inversion"))
    parser.add_argument("--n", type=int, default=300, help="held-out sentences")
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--recipe", type=json.loads, default={}, help='changes of the recipe: {"start": "nothing"}')
    parser.add_argument("--methods", default="", help="of `attack`: only those whose setting holds this text")
    parser.add_argument("--domains", default="inside,outside")
    parser.add_argument("--steps", type=int, default=800, help="of `ablate`: of 6,144 pieces each")
    parser.add_argument("--device", default="cpu", help="of `ablate`")
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    bench = Bench(options.folder, options.n)
    match options.stage:
        case "texts":
            bench.write_texts()
        case "peer":
            bench.score_peer()
        case "train":
            bench.train(options.name, options.minutes, options.recipe)
        case "attack":
            bench.attack(options.name, options.domains.split(","), options.methods)
        case "differences":
            bench.differences(options.name, options.domains.split(","))
        case "drafts":
            bench.drafts(options.name, options.domains.split(","))
        case "ablate":
            ablate(options.folder, options.steps, options.device)
        case "figure":
            draw(bench.folder)


class Bench:
    """The texts, and the rows that are written about them."""

    def __init__(self, folder: Path, n: int) -> None:
        self.folder, self.embedder = folder, load_embedder("minilm", "cpu")
        self.hidden = {
            "inside": sentences(self.embedder, "conservative", n),
            "outside": sentences(self.embedder, "imdb", n),
            "learnt": sentences(self.embedder, "conservative", n, "train"),
        }

    def write_texts(self) -> None:
        """Train and test sentences as text files, one a line."""
        (source,) = gather(self.embedder, "conservative", "train", TEXTS, 0, MAX_TOKENS, 0, SKIP)
        write_text(self.folder / "train.txt", "\n".join(source.texts) + "\n")
        for domain in ("inside", "outside"):
            write_text(self.folder / f"{domain}.txt", "\n".join(self.hidden[domain].texts) + "\n")

    def score_peer(self) -> None:
        """vec2text's reconstructions, measured as ours are."""
        for line in (self.folder / "peer.jsonl").read_text(encoding="utf-8").splitlines():
            found = json.loads(line)
            texts = np.array(found.pop("texts"), dtype=object)
            corpus = self.hidden["inside"].head(len(texts))
            zeros = np.zeros(len(texts), dtype=np.int64)
            inversions = Inversions("vec2text", np.array(corpus.ids, dtype=object), texts, None, zeros, 0, 0.0)
            setting = f"{found['rounds']} rounds, beam {found['beam']}"
            self._row("vec2text", setting, "inside", corpus, inversions, found["cpu_seconds_per_item"], found)

    def train(self, name: str, minutes: float, changes: dict[str, Any]) -> None:
        """A checkpoint in the folder, trained on the same texts as the peer for a budget of time."""
        recipe = InverterRecipe(
            **{"skip": SKIP, "texts": TEXTS, "planted": 0, "warmup": 100, "minutes": minutes, "steps": 10**7, **changes}
        )
        trained = train_inverter(recipe, self.folder / "runs" / name, "cpu", save_every=1000)
        ship_inverter(trained, self.folder / name, evaluate=30, beams=2, preset=PRESETS["fast"])

    def attack(self, name: str, domains: list[str], only: str) -> None:
        """Every method on one checkpoint."""
        attacker = self._attacker(name)
        _, card = attacker.open_checkpoint()
        about = {"checkpoint": name, "train_cpu_seconds": card.training.get("cpu_seconds")}
        for domain in domains:
            corpus = self.hidden[domain]
            stolen = self.embedder.embed_set(corpus.ids, corpus.texts).without_texts()
            blind = shuffled(stolen)
            for setting, make in self._methods(attacker):
                if only in setting:
                    prior = setting == "prior"
                    fresh = load_embedder("minilm", "cpu")  # an empty memo: no method lives on another one's queries
                    attack = make(fresh)
                    began = time.process_time()
                    found = attack.invert(blind if prior else stolen)
                    spent = (time.process_time() - began) / len(corpus)
                    write_text(self._texts(name, domain, setting), json.dumps(list(found.texts)))
                    self._row(attack.name, setting, domain, corpus, found, spent, about)

    def differences(self, name: str, domains: list[str]) -> None:
        """How much more each preset reads of a text than the preset before it, on those texts that `attack` wrote."""
        for domain in domains:
            corpus = self.hidden[domain]
            measured = {
                preset: self._measured(json.loads(path.read_text(encoding="utf-8")), corpus)
                for preset in PRESETS
                for path in [self._texts(name, domain, f"preset {preset}")]
                if path.is_file()
            }
            for (before, less), (preset, more) in pairwise(measured.items()):
                gains = {metric: _rounded(mean(more[metric] - less[metric], corpus.groups)) for metric in more}
                print(json.dumps({"preset": preset, "less": before, "domain": domain, "n": len(corpus), **gains}))

    def drafts(self, name: str, domains: list[str]) -> None:
        """How likely the hidden texts are to the decoder, beside each kind of draft of them."""
        model = open_text_model(self._attacker(name))
        encode, decode, random = model.vocabulary.encode, model.vocabulary.decode, np.random.default_rng(0)
        for domain in domains:
            every = [np.array(row) for row in encode(self.hidden[domain].texts)]
            fits = np.array([0 < len(row) <= model.decoder.max_tokens for row in every])
            corpus, ids = self.hidden[domain].where(fits), list(compress(every, fits))
            texts = list(corpus.texts)
            vectors = self.embedder.embed(texts)
            written = generate(model.decoder, torch.from_numpy(vectors), beams=1)
            kinds: dict[str, list[str] | None] = {
                "none": None,
                "hypothesis, greedy": [decode(found[0].ids) for found in written],
                "damaged": [decode(damaged(row, model.vocabulary, random)) for row in ids],
                "parts moved": [decode(moved_parts(row, model.vocabulary, random)) for row in ids],
                "the text itself": texts,
            }
            for preset in PRESETS:
                if (path := self._texts(name, domain, f"preset {preset}")).is_file():
                    found = json.loads(path.read_text(encoding="utf-8"))
                    kinds[f"found by preset {preset}"] = list(compress(found, fits))
            for kind, drafts in kinds.items():
                nats = mean(_nats(model, vectors, ids, drafts, self.embedder), corpus.groups)
                print(json.dumps({"checkpoint": name, "domain": domain, "draft": kind, "nats": _rounded(nats)}))

    def _measured(self, texts: list[str], corpus: Corpus) -> dict[str, np.ndarray]:
        return {
            "bleu": sentence_bleu(texts, corpus.texts),
            "chrf": sentence_chrf(texts, corpus.texts),
            "token_f1": token_f1(texts, corpus.texts),
            "exact": exact_match(texts, corpus.texts).astype(float),
            "string_exact": string_match(texts, corpus.texts).astype(float),
            "cosine": cosine(self.embedder.embed(list(corpus.texts)), self.embedder.embed(texts)),
        }

    def _attacker(self, name: str) -> Attacker:
        folder = self.folder / name
        return Attacker(self.embedder, checkpoint=str(folder if folder.is_dir() else name), device="cpu")

    def _texts(self, name: str, domain: str, setting: str) -> Path:
        return self.folder / "texts" / f"{name}, {domain}, {setting}.json"

    def _methods(self, attacker: Attacker) -> Iterator[tuple[str, Callable[[Embedder], Inverter]]]:
        model = open_text_model(attacker)
        (source,) = gather(self.embedder, "conservative", "train", TEXTS, 0, MAX_TOKENS, 0, SKIP)
        yield "nearest", lambda e: Nearest(e, source.texts, source.vectors)
        yield "bag of words", lambda e: BagOfWordsInverter(e, model.bag, model.vocabulary)
        yield "prior", lambda e: Hypothesis(e, model, 8)
        for beams in (1, 4, 8, 16, 32, 64):
            yield f"{beams} beams", lambda e, b=beams: Hypothesis(e, model, b)
        if model.decoder.corrects:
            for beams, rounds in ((1, 1), (1, 5), (1, 20), (4, 1), (4, 5)):
                yield (
                    f"correction, {rounds} rounds, beam {beams}",
                    lambda e, b=beams, r=rounds: Correction(e, model, b, r),
                )
        for beams, rounds in ((1, 1), (1, 5), (4, 1), (4, 5)):
            preset = Preset(beams, rounds, PRESETS["default"].edits)
            yield f"edits, {rounds} rounds, beam {beams}", lambda e, p=preset: Search(e, model, p)
        for name, preset in PRESETS.items():
            yield f"preset {name}", lambda e, p=preset: Search(e, model, p)
        for queries in (32, 128):
            limits = Limits(queries=queries)
            yield f"{queries} queries", lambda e, q=limits: Search(e, model, PRESETS["default"], q)

    def _row(
        self,
        method: str,
        setting: str,
        domain: str,
        corpus: Corpus,
        found: Inversions,
        spent: float,
        about: dict[str, Any],
    ) -> None:
        scores = score(found, corpus.texts, self.embedder, corpus.groups)
        measured = {metric: _rounded(getattr(scores, metric)) for metric in METRICS}
        row = {
            "method": method,
            "setting": setting,
            "domain": domain,
            "n": len(corpus),
            **measured,
            "cpu_seconds_per_item": round(spent, 4),
            "queries_per_item": round(found.queries / len(corpus), 1),
            **about,
        }
        print(json.dumps(row), flush=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "rows.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


@torch.inference_mode()
def _nats(
    model: TextModel, vectors: np.ndarray, ids: list[np.ndarray], drafts: list[str] | None, embedder: Embedder
) -> np.ndarray:
    """Nats a piece of each text, given its vector and, if there are any, its draft."""
    shown = None
    if drafts is not None:
        longest = model.decoder.max_tokens
        rows = [row[:longest] for row in model.vocabulary.encode(drafts)]
        shown = [Draft.of([row], vector[None], "cpu") for row, vector in zip(rows, embedder.embed(drafts), strict=True)]
    found = [
        float(loss_of(model.decoder, vectors[i : i + 1], row[None], shown[i] if shown else None, "cpu"))
        for i, row in enumerate(ids)
    ]
    return np.array(found)


def ablate(folder: Path, steps: int, device: str) -> None:
    """Runs of equal steps that differ in one part; held-out nats a piece, and greedy inversions."""
    recipe = InverterRecipe(
        texts=200_000, planted=0, steps=steps, batch_tokens=6144, learning_rate=6e-4, warmup=100, ema=0.998, seed=20
    )
    for name, changes in PARTS.items():
        trained = train_inverter(replace(recipe, **changes), folder / "ablation" / name, device, save_every=steps)
        print(json.dumps({"part": name, "seconds": round(trained.seconds), **trained.curve[-1]}), flush=True)


def draw(folder: Path) -> None:
    """BLEU against CPU-seconds an item: ours, the peer's, the floors."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["domain"] == "inside"]
    figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
    groups = dict.fromkeys((row.get("checkpoint", "vec2text"), _family(row)) for row in rows)
    several = len({checkpoint for checkpoint, _ in groups}) > 1
    for (checkpoint, family), marker in zip(groups, "osD^vP*Xhpd<>" * 3, strict=False):
        own = [row for row in rows if (row.get("checkpoint", "vec2text"), _family(row)) == (checkpoint, family)]
        own.sort(key=lambda row: row["cpu_seconds_per_item"])
        own = [
            row for row, before in zip(own, [None, *own], strict=False) if not before or row["bleu"] != before["bleu"]
        ]
        seconds, bleu = [max(row["cpu_seconds_per_item"], 1e-4) for row in own], [row["bleu"] for row in own]
        reach = [[value - low for value, low, _ in bleu], [high - value for value, _, high in bleu]]
        axes.errorbar(
            seconds,
            [value for value, *_ in bleu],
            yerr=reach,
            marker=marker,
            label=f"{checkpoint}: {family}" if several else family,
            linewidth=1,
            elinewidth=0.6,
            capsize=2,
        )
        for row, x in zip(own, seconds, strict=True):
            said = row["setting"].replace("correction, ", "").replace("preset ", "").replace("1 rounds", "1 round")
            at = (x, row["bleu"][0])
            axes.annotate(said, at, textcoords="offset points", xytext=(3, -4), fontsize=6.5, rotation=-35, va="top")
    axes.set(xscale="log", xlabel="CPU-seconds an item", ylabel="sentence BLEU, 95% intervals", ylim=(0, None))
    axes.margins(x=0.1, y=0.08)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=2, loc="lower right")
    figure.savefig(folder / "inversion.png", dpi=140)


def _rounded(value: Estimate) -> list[float]:
    return [round(number, 4) for number in (value.value, value.low, value.high)]


def _family(row: dict[str, Any]) -> str:
    for word in ("correction", "edits", "preset", "queries", "beams"):
        if word in row["setting"]:
            return word
    return row["method"]


if __name__ == "__main__":
    main()
