"""The embedding-conditioned language model: vocabulary, closed-form bag of words, decoder, beam search."""

from workbench.lm.bag_of_words import BagOfWords, fit_bag_of_words
from workbench.lm.decoder import ConditionedDecoder, DecoderConfig
from workbench.lm.generate import Candidate, generate
from workbench.lm.vocabulary import Vocabulary
from workbench.lm.weights import TextModel, load_bag, save_bag

__all__ = [
    "BagOfWords",
    "Candidate",
    "ConditionedDecoder",
    "DecoderConfig",
    "TextModel",
    "Vocabulary",
    "fit_bag_of_words",
    "generate",
    "load_bag",
    "save_bag",
]
