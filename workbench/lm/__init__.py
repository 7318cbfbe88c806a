"""The embedding-conditioned language model: vocabulary, closed-form bag of words, decoders, beam search."""

from workbench.lm._leaning import LeaningDecoder
from workbench.lm.bag_of_words import BagOfWords, fit_bag_of_words
from workbench.lm.causal import CausalDecoder, CausalDecoderConfig
from workbench.lm.decoder import ConditionedDecoder, DecoderConfig
from workbench.lm.generate import generate
from workbench.lm.lexicon import Lexicon, fit_lexicon, known_words
from workbench.lm.text_decoder import Candidate, Draft, TextDecoder
from workbench.lm.vocabulary import Vocabulary
from workbench.lm.weights import Fitted, TextModel, config_of, load_bag, make_decoder
from workbench.lm.word_shifts import WordShifts, fit_word_shifts

__all__ = [
    "BagOfWords",
    "Candidate",
    "CausalDecoder",
    "CausalDecoderConfig",
    "ConditionedDecoder",
    "DecoderConfig",
    "Draft",
    "Fitted",
    "LeaningDecoder",
    "Lexicon",
    "TextDecoder",
    "TextModel",
    "Vocabulary",
    "WordShifts",
    "config_of",
    "fit_bag_of_words",
    "fit_lexicon",
    "fit_word_shifts",
    "generate",
    "known_words",
    "load_bag",
    "make_decoder",
]
