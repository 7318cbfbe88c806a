"""Measure a trained inverter beside its floors and write it as a checkpoint with its card."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from workbench.core import checkpoint
from workbench.core.card import Card
from workbench.core.embedding_set import EmbeddingSet
from workbench.core.errors import BadInput, UnknownName
from workbench.core.files import atomic_folder, sha256_of
from workbench.data import corpora
from workbench.embed._vector_cache import cached_vectors
from workbench.invert._inverter import PRIOR, Inverter, shuffled
from workbench.invert._score import bleu_signature, chrf_signature, score
from workbench.invert.bag_of_words import BagOfWordsInverter
from workbench.invert.correction import Correction
from workbench.invert.hypothesis import Hypothesis
from workbench.invert.nearest import Nearest
from workbench.invert.search import PRESETS, Preset, Search
from workbench.jobs._run_folder import made_on
from workbench.jobs._training_data import account
from workbench.jobs.train_inverter import Trained
from workbench.lm import TextModel
from workbench.results import ScoreTable
from workbench.results.scores import Role


def ship_inverter(
    trained: Trained, folder: Path, evaluate: int = 1000, beams: int = 8, preset: Preset = PRESETS["default"]
) -> ScoreTable:
    """Write the checkpoint `folder` (whole or not at all) and give the scores that stand in its card.

    What is measured is what was written: the weights are read back, in bf16 precision, before the evaluation. The
    `nearest` floor may choose from every text that the inverter was trained on.
    """
    recipe, spec = trained.recipe, trained.embedder.spec
    with atomic_folder(folder) as temporary:
        config = trained.model.save(temporary)
        model = TextModel.load(temporary, config, trained.device)
        table = _measure(trained, model, evaluate, beams, preset)
        Card(
            name=folder.name,
            kind="inverter",
            summary=f"{trained.embedder.spec.name} vectors to text, {recipe.architecture}, {recipe.layers} layers, "
            f"texts up to {recipe.max_tokens} tokens",
            embedder=spec.name,
            embedder_revision=spec.revision,
            licence="Apache-2.0 for the weights; the licences of the training texts are listed under data",
            config=config,
            data=tuple(account(source.name, len(source.texts)) for source in trained.sources),
            training={
                "recipe": asdict(recipe),
                "steps": trained.steps,
                "seed": recipe.seed,
                "seconds": round(trained.seconds),
                "cpu_seconds": round(trained.cpu_seconds),
                **made_on(trained.device),
                "parameters": sum(p.numel() for p in model.decoder.parameters()),
                "start": _start(recipe.start),
                "curve": [*trained.curve],
            },
            metrics=table.to_json(),
            limits=(
                f"English, {'cased' if recipe.cased else 'lower-cased'}, up to {recipe.max_tokens} tokens; "
                "longer texts come back cut and garbled.",
                f"Only for vectors of {spec.name} with weights {spec.revision}.",
                "A lower bound on what can be read: a larger model, or a longer search, reads more.",
                "Names, numbers and addresses that it writes may be invented; compare with shuffled vectors.",
            ),
            sha256={path.name: sha256_of(path) for path in sorted(temporary.iterdir())},
        ).save(temporary)
    return table


def _start(start: str) -> dict[str, object]:
    """Where the weights came from; of an inverter, what its own training took."""
    try:
        former = checkpoint.open_card(checkpoint.locate(start), "inverter")
    except UnknownName:
        return {"from": start}
    told = ("steps", "seconds", "device", "recipe", "start")
    told_of_it = {key: former.training[key] for key in told if key in former.training}
    return {"from": former.name, "data": [*former.data], **told_of_it}


def _measure(trained: Trained, model: TextModel, n: int, beams: int, preset: Preset) -> ScoreTable:
    embedder, recipe = trained.embedder, trained.recipe
    corpus = corpora.load(recipe.corpus, "test")
    lengths = embedder.lengths(corpus.texts[: 3 * n])
    corpus = corpus.head(3 * n).where(lengths <= recipe.max_tokens).head(n)
    if len(corpus) < n:
        raise BadInput(f"{recipe.corpus} has only {len(corpus)} test texts of at most {recipe.max_tokens} tokens")
    vectors = cached_vectors(embedder, corpus.texts)
    stolen = EmbeddingSet(np.array(corpus.ids, dtype=object), vectors)

    fast, greedy = Hypothesis(embedder, model, beams), Hypothesis(embedder, model, 1)
    known = [text for source in trained.sources for text in source.texts]
    nearest = Nearest(embedder, known, np.concatenate([source.vectors for source in trained.sources]))
    bag = BagOfWordsInverter(embedder, model.bag, model.vocabulary)
    runs: list[tuple[Inverter, EmbeddingSet, Role, str]] = [
        (fast, stolen, "attack", f"hypothesis, {beams} beams"),
        (greedy, stolen, "attack", "hypothesis, greedy"),
        (nearest, stolen, "floor", f"nearest of {len(known):,} training texts"),
        (bag, stolen, "floor", "bag-of-words"),
        (fast, shuffled(stolen, recipe.seed), "prior", f"hypothesis, {beams} beams, {PRIOR}"),
    ]
    if model.decoder.corrects:
        runs.insert(0, (Correction(embedder, model, 4), stolen, "attack", "correction, beam 4"))
    runs.insert(0, (Search(embedder, model, preset), stolen, "attack", "search"))
    scores = [
        score(method.invert(vectors), corpus.texts, embedder, corpus.groups, role, name, recipe.seed)
        for method, vectors, role, name in runs
    ]
    title = f"{n} held-out sentences of {recipe.corpus}"
    return ScoreTable(title, tuple(scores), bleu_signature(corpus.texts), chrf_signature())
