"""Where an inverter's training begins: vocabulary, bag of words, and first weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench import assets
from workbench.core import checkpoint
from workbench.core.errors import BadInput, UnknownName, first_line
from workbench.core.files import atomic_folder
from workbench.embed._embedder import Embedder
from workbench.embed._vector_cache import cached_vectors
from workbench.embed.minilm import model_folder
from workbench.jobs._training_data import Pairs, Source, encode
from workbench.jobs.inverter_recipe import InverterRecipe
from workbench.lm import (
    CausalDecoder,
    ConditionedDecoder,
    Fitted,
    LeaningDecoder,
    Lexicon,
    TextDecoder,
    TextModel,
    Vocabulary,
    WordShifts,
    fit_bag_of_words,
    fit_lexicon,
    fit_word_shifts,
    known_words,
    make_decoder,
)

_DRAFT_RANK = 32


def begin(recipe: InverterRecipe, run: Path, embedder: Embedder, train: list[Source]) -> tuple[TextModel, Pairs]:
    """The untrained model and its pairs; what is fitted in closed form lies in the run's folder from then on.

    It is read back before it is used: in the precision in which a resumed run and the users will have it.
    """
    former = _former(recipe, embedder)
    if recipe.correction == 1 and former is None:
        raise BadInput("with correction 1 drafts alone are learnt: start from the checkpoint of an inverter")
    folder, fixed = None if former else _start_folder(recipe, embedder), run / "fixed"
    pairs = None
    if not fixed.is_dir():
        vocabulary = former.vocabulary if former else _vocabulary(recipe, folder, train)
        pairs = encode(train, vocabulary, recipe.max_tokens)
        bag = former.bag if former else fit_bag_of_words(*pairs.arrays, len(vocabulary), vocabulary.is_word)
        shifts = (former.shifts if former else None) or fit_word_shifts(*pairs.arrays, len(vocabulary))
        lexicon = (former.lexicon if former else None) or lexicon_of(vocabulary, shifts, embedder, train)
        with atomic_folder(fixed) as temporary:
            Fitted(bag, vocabulary, shifts, lexicon).save(temporary)
    fitted = Fitted.load(fixed)
    bag, vocabulary = fitted.bag, fitted.vocabulary
    if pairs is None:
        pairs = encode(train, vocabulary, recipe.max_tokens)
    if former:
        return replace(former, bag=bag, shifts=fitted.shifts, lexicon=fitted.lexicon), pairs
    decoder = _decoder(recipe, embedder.spec.dim, vocabulary, folder)
    decoder.set_bag_of_words(bag)
    if isinstance(decoder, LeaningDecoder):
        frequency = np.bincount(np.concatenate(pairs.ids), minlength=len(vocabulary)) + 1.0
        with torch.no_grad():
            decoder.bias.copy_(torch.from_numpy(np.log(frequency / frequency.sum())))
    return TextModel(decoder, bag, vocabulary, fitted.shifts, fitted.lexicon), pairs


def lexicon_of(vocabulary: Vocabulary, shifts: WordShifts, embedder: Embedder, train: list[Source]) -> Lexicon:
    """The words of several pieces in the training texts; every word is embedded once, by itself."""
    lower = bool(vocabulary.normaliser.get("lowercase", True))
    words = known_words((text for source in train for text in source.texts), lower)
    return fit_lexicon(vocabulary, shifts, words, cached_vectors(embedder, words, what="embed the lexicon"))


def _vocabulary(recipe: InverterRecipe, folder: Path | str | None, train: list[Source]) -> Vocabulary:
    make = Vocabulary.learn if recipe.cased else Vocabulary.cut
    known = folder if isinstance(folder, Path) else model_folder()
    return make(known, [text for source in train for text in source.texts], recipe.vocabulary)


def _former(recipe: InverterRecipe, embedder: Embedder) -> TextModel | None:
    """The inverter that the run goes on from, if `start` names one; what a corrector has more begins as it does."""
    try:
        folder = checkpoint.locate(recipe.start)
    except UnknownName:
        return None
    card = checkpoint.open_card(folder, "inverter")
    if card.embedder_revision != embedder.spec.revision:
        raise BadInput(f"{card.name} inverts {card.embedder} ({card.embedder_revision}), not {embedder.spec.name}")
    old = TextModel.load(folder, dict(card.config), "cpu")
    sizes: dict[str, Any] = {"architecture": "film", **card.config}
    for key in ("max_tokens", "architecture", "bag_of_words"):
        if (has := sizes.get(key, True)) != (said := getattr(recipe, key)):
            raise BadInput(f"{card.name} has {key} {has}; the recipe says {said}")
    sizes["corrects"] = bool(sizes.get("corrects")) or recipe.correction > 0
    if recipe.architecture == "film" and recipe.correction > 0:
        sizes["draft_rank"] = sizes.get("draft_rank") or _DRAFT_RANK
    decoder = make_decoder(**sizes)
    decoder.load_state_dict(old.decoder.state_dict(), strict=False)
    if recipe.correction == 1:
        assert isinstance(decoder, ConditionedDecoder)
        decoder.learn_drafts_alone()
    decoder.set_bag_of_words(old.bag)
    return replace(old, decoder=decoder)


def _start_folder(recipe: InverterRecipe, embedder: Embedder) -> Path | str | None:
    """Folder or hub id of the BERT-like model that the decoder starts from; None for nothing, or for a causal model."""
    if recipe.start == "nothing" or recipe.architecture == "causal":
        return None
    if recipe.start == "minilm":
        return model_folder()
    if recipe.start != "auto":
        return assets.pipeline_folder(recipe.start) if recipe.start in assets.cards() else recipe.start
    model = getattr(embedder, "model", None)
    first = model[0] if model is not None and hasattr(model, "__getitem__") else model
    body = getattr(first, "auto_model", first)
    path = getattr(getattr(body, "config", None), "name_or_path", "")
    own = type(body).__name__ == "BertModel" and path and (Path(path) / "tokenizer.json").is_file()
    return Path(path) if own else model_folder()


def _decoder(recipe: InverterRecipe, dim: int, vocabulary: Vocabulary, folder: Path | str | None) -> TextDecoder:
    shared: dict[str, Any] = {
        "architecture": recipe.architecture,
        "dim": dim,
        "vocabulary": len(vocabulary),
        "max_tokens": recipe.max_tokens,
        "corrects": recipe.correction > 0,
    }
    if recipe.architecture == "t5":
        return make_decoder(**shared, layers=recipe.layers)
    shared["bag_of_words"] = recipe.bag_of_words
    if recipe.architecture == "causal":
        return _causal_decoder(recipe, shared, vocabulary)
    shared |= {"layers": recipe.layers, "draft_rank": _DRAFT_RANK if shared["corrects"] else 0}
    if folder is None:
        return make_decoder(**shared)
    from transformers import AutoModel, BertModel

    try:
        start = AutoModel.from_pretrained(folder, use_safetensors=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot start from {str(folder)!r}: {first_line(error)}") from error
    if not isinstance(start, BertModel):
        raise BadInput(f"{folder} is a {type(start).__name__}; a decoder can start from a BertModel alone")
    config = start.config
    decoder = make_decoder(
        **shared, hidden=config.hidden_size, heads=config.num_attention_heads, inner=config.intermediate_size
    )
    assert isinstance(decoder, ConditionedDecoder)
    decoder.start_from(start, vocabulary)
    return decoder


def _causal_decoder(recipe: InverterRecipe, sizes: dict[str, Any], vocabulary: Vocabulary) -> TextDecoder:
    """The first layers of a causal language model; `auto` means SmolLM2."""
    if recipe.start == "nothing":
        raise BadInput("a causal decoder starts from a causal language model, not from nothing; name one, or use auto")
    name = "smollm2" if recipe.start == "auto" else recipe.start
    tokenizer, model, _ = assets.open_language_model(name, head=False)
    trunk = model.config.to_dict() | {"num_hidden_layers": recipe.layers, "vocab_size": 1, "use_cache": False}
    for key in ("pad_token_id", "bos_token_id", "eos_token_id", "dtype", "layer_types"):
        trunk.pop(key, None)
    decoder = make_decoder(**sizes, trunk=trunk)
    assert isinstance(decoder, CausalDecoder)
    decoder.start_from(tokenizer, model, vocabulary)
    return decoder
