"""Give a trained explainer its probes, calibration and blind vectors, measure it, and write it as a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from workbench.core.card import Card
from workbench.core.files import atomic_folder, sha256_of
from workbench.core.vectors import unit
from workbench.explain import Bundle, Claims, Explainer
from workbench.explain._bundle import KIND
from workbench.jobs._explain_data import Hidden, gather_hidden, siblings_of
from workbench.jobs._explain_items import evaluation_questions
from workbench.jobs._explain_measures import log_odds
from workbench.jobs._explain_mixture import Mixture, load_mixture
from workbench.jobs._run_folder import made_on
from workbench.jobs._training_data import account
from workbench.jobs.evaluate_explainer import evaluate
from workbench.jobs.train_explainer import TrainedExplainer
from workbench.probe import BatchedLogistic
from workbench.results import ExplainerScores

_BLIND, _CALIBRATED = 64, 100
_PENALTY = 0.01
"""C of the claims' probes, on standardised vectors."""


def ship_explainer(
    trained: TrainedExplainer,
    folder: Path,
    evaluate_on: int = 300,
    mixture: Mixture | None = None,
    others: Sequence[str] = ("imdb",),
) -> ExplainerScores:
    """Write the checkpoint `folder` (whole or not at all) and give the scores that stand in its card, on test texts of
    the corpus that it learnt from and of `others`.

    What is measured is what was written: the files are read back, in their precision and with LoRA merged. Processes
    that share the language model's layers must all call this, and the first alone leaves the checkpoint.
    """
    mixture = mixture or load_mixture()
    recipe, spec = trained.recipe, trained.embedder.spec
    random = np.random.default_rng(recipe.seed)
    blind = trained.train.vectors[random.choice(len(trained.train.vectors), _BLIND, replace=False)]
    bundle = Bundle(
        trained.model,
        _claims(trained.train, mixture),
        _calibration(trained, mixture, evaluate_on),
        blind,
    )
    with atomic_folder(folder) if trained.leads else _scratch() as temporary:
        config = bundle.save(temporary, trained.model.lora_state())
        written = _read_back(temporary, config, trained)
        explainer = Explainer(trained.embedder, written, folder.name)
        scores = evaluate(explainer, recipe, mixture, evaluate_on, recipe.seed, others)
        Card(
            name=folder.name,
            kind=KIND,
            summary=f"{spec.name} vectors to soft prompts of {recipe.model}: describes them and answers questions",
            embedder=spec.name,
            embedder_revision=spec.revision,
            licence="Apache-2.0 for the weights; the licences of the training texts are listed under data",
            config=config,
            data=(account(recipe.corpus, len(trained.train.pool.texts)), account("personal", recipe.planted)),
            training={
                "recipe": asdict(recipe),
                "mixture": mixture.model_dump(),
                "steps": trained.steps,
                "seed": recipe.seed,
                "seconds": round(trained.seconds),
                "cpu_seconds": round(trained.cpu_seconds),
                **made_on(trained.device),
                "curve": [*trained.curve],
            },
            metrics=scores.to_json(),
            limits=(
                f"Only for vectors of {spec.name} with weights {spec.revision}, of English texts of up to 40 words.",
                "Descriptions are written by a small language model and may be invented; read the blind ones beside.",
                "The labelled test texts are new to it, but the bag of words, which is fitted without labels, may have "
                "seen some of them.",
            ),
            sha256={path.name: sha256_of(path) for path in sorted(temporary.iterdir())},
        ).save(temporary)
    return scores


def _read_back(folder: Path, config: Mapping[str, Any], trained: TrainedExplainer) -> Bundle:
    """What was written, its layers in shares if they were so."""
    if (mesh := trained.ranks.mesh) is None:
        return Bundle.load(folder, config, trained.device)
    with trained.ranks.in_turn():
        written = Bundle.load(folder, config, "cpu")
        written.model.share(mesh, trained.device)
    return written


@contextmanager
def _scratch() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name)


def _claims(train: Hidden, mixture: Mixture) -> Claims:
    """A logistic probe for each attribute that is marked as a claim, on the vectors that its task labels."""
    names, questions, coefs, intercepts = [], [], [], []
    for attribute in mixture.attributes:
        if not attribute.claim or attribute.task not in train.pool.labels:
            continue
        labels = train.pool.labels[attribute.task]
        yes, no = np.isin(labels, attribute.yes), np.isin(labels, attribute.no)
        rows = np.flatnonzero(yes | no)
        probe = BatchedLogistic(C=_PENALTY, device="cpu").fit(unit(train.vectors[rows]), yes[rows, None])
        names.append(attribute.name)
        questions.append(attribute.ask[0])
        coefs.append(probe.coef_[0])
        intercepts.append(probe.intercept_[0])
    d = train.vectors.shape[1]
    return Claims(tuple(names), tuple(questions), np.array(coefs).reshape(-1, d), np.array(intercepts))


def _calibration(trained: TrainedExplainer, mixture: Mixture, n: int) -> tuple[float, float]:
    """Platt's two numbers, from questions on validation texts."""
    from sklearn.linear_model import LogisticRegression

    held_out = gather_hidden(trained.recipe, mixture, trained.embedder, "validation", 600)
    asked = evaluation_questions(
        held_out.pool, mixture, siblings_of(trained.model), min(n, _CALIBRATED), trained.recipe.seed
    )
    odds = log_odds(trained.model, held_out.vectors, [(row, one.ask) for row, one in asked], "calibrate")
    truth = [one.answer == "yes" for _, one in asked]
    fitted = LogisticRegression(C=1e4).fit(odds[:, None], truth)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
