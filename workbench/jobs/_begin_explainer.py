"""Where an explainer's training begins: the words that vectors tell of, and the projector's closed forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from torch.distributed.device_mesh import DeviceMesh

from workbench.core import checkpoint
from workbench.core.text import words as words_of
from workbench.embed._embedder import Embedder
from workbench.embed.minilm import model_folder
from workbench.jobs._explain_data import Hidden
from workbench.jobs._explain_items import LEAST_TEXTS
from workbench.jobs.explainer_recipe import ExplainerRecipe
from workbench.lm import BagOfWords, Vocabulary, fit_bag_of_words, load_bag
from workbench.lm.projector import ProjectorConfig
from workbench.lm.soft_prompt import SoftPromptModel

_FITTED_VOCABULARY = 12_000
_TARGETS = 20_000
"""Texts from which the free tokens are fitted."""


def begin_explainer(
    recipe: ExplainerRecipe, embedder: Embedder, train: Hidden, device: str, mesh: DeviceMesh | None = None
) -> SoftPromptModel:
    """The untrained model: all that it knows of vectors is in closed form. With `mesh` its layers lie in shares; no
    process waits for another here."""
    bag, words = _readable(recipe, embedder, train)
    hidden = SoftPromptModel.hidden_size(recipe.model)
    config = ProjectorConfig(
        embedder.spec.dim, hidden, len(words), recipe.word_tokens, recipe.free_tokens, variant=recipe.variant
    )
    torch.manual_seed(recipe.seed)
    model = SoftPromptModel(recipe.model, words, config, device if mesh is None else "cpu")
    table = model.embeddings.weight.detach().float().cpu()
    targets = _rarest(train.pool.texts[:_TARGETS], words, bag, model.projector.table.float().cpu(), config)
    vectors = train.vectors[:_TARGETS]
    model.projector.cpu().start(bag, vectors, targets, float(table.square().mean().sqrt()))
    model.projector.to(device)
    if mesh is not None:
        model.share(mesh, device)
    return model


def _readable(recipe: ExplainerRecipe, embedder: Embedder, train: Hidden) -> tuple[BagOfWords, list[str]]:
    """A bag of words over whole words alone, and those words."""
    name = recipe.words_from
    if name == "auto":
        found = [
            e.name for e in checkpoint.index().values() if (e.kind, e.embedder) == ("inverter", embedder.spec.name)
        ]
        name = found[0] if found else "fit"
    if name == "fit":
        vocabulary = Vocabulary.cut(model_folder(), train.pool.texts, _FITTED_VOCABULARY)
        bag = fit_bag_of_words(train.vectors, vocabulary.encode(train.pool.texts), len(vocabulary), vocabulary.is_word)
    else:
        spec = embedder.spec
        folder, _ = checkpoint.open_fitting("inverter", name, spec.name, spec.revision)
        bag, vocabulary = load_bag(folder)
    said = Counter(word for text in train.pool.texts for word in {*words_of(text)})
    whole = [  # a piece that only begins words ("sk") would be read as a word
        place
        for place, piece in enumerate(vocabulary.pieces)
        if vocabulary.is_word[place] and said[piece] >= LEAST_TEXTS and (len(piece) > 1 or piece.isdigit())
    ]
    kept = BagOfWords(bag.weight[:, whole], bag.bias[whole], bag.prior[whole], bag.length)
    return kept, [vocabulary.pieces[place] for place in whole]


def _rarest(
    texts: Sequence[str], words: Sequence[str], bag: BagOfWords, table: torch.Tensor, config: ProjectorConfig
) -> np.ndarray:
    """For each text the embeddings of its rarest words, rarest first; their mean where there are too few."""
    places = {word: place for place, word in enumerate(words)}
    embeddings = table.numpy()
    middle = embeddings.mean(0)
    found = np.empty((len(texts), config.free, config.hidden), np.float32)
    for row, text in enumerate(texts):
        inside = sorted({places[word] for word in words_of(text) if word in places}, key=lambda place: bag.prior[place])
        rows = embeddings[inside[: config.free]]
        found[row, : len(rows)] = rows
        found[row, len(rows) :] = rows.mean(0) if len(rows) else middle
    return found
