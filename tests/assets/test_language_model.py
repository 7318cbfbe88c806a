import pytest
from transformers import AutoTokenizer

from workbench import assets
from workbench.assets._tokenizer import open_tokenizer
from workbench.assets._weights import weights_hash

TEXTS = ["Hello  world, it is 12345 o'clock.", "", "naïve 😀 中文\n\ttabs", "<|im_start|>user\nhi<|im_end|>"]


@pytest.fixture(scope="module")
def folder():
    return assets.fetch("smollm2")


def test_a_converted_tokenizer_does_what_transformers_own_opening_gives(folder):
    ours, theirs = open_tokenizer(folder), AutoTokenizer.from_pretrained(str(folder))
    assert ours(TEXTS).input_ids == theirs(TEXTS).input_ids
    assert ours.special_tokens_map == theirs.special_tokens_map
    assert (ours.padding_side, ours.model_max_length) == (theirs.padding_side, theirs.model_max_length)
    talk = [{"role": "user", "content": "Who?"}]
    assert ours.apply_chat_template(talk, tokenize=False) == theirs.apply_chat_template(talk, tokenize=False)


def test_the_weights_are_known_without_reading_them(folder):
    assert assets.weights_revision(folder) == weights_hash(folder)
    assert assets.weights_revision("some/hub-id") == "some/hub-id"
    assert assets.weights_revision(folder.parent / "nothing") == str(folder.parent / "nothing")
