"""The chat model writes by seed and judges by its own odds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.lm.chat import ChatModel


@pytest.fixture(scope="module")
def chat():
    return ChatModel("smollm2", "cpu")


def test_the_same_seed_writes_the_same(chat):
    questions = ["Name a colour.", "Name an animal that lives in the sea."]
    first = chat.write(questions, most_tokens=12, seed=3)
    torch.rand(5)  # the world's random state is no matter
    assert chat.write(questions, most_tokens=12, seed=3) == first
    assert chat.write(questions, most_tokens=12, seed=4) != first
    assert all(first)
    assert not any("\n" in answer or "<|" in answer for answer in first)


def test_the_world_s_random_state_is_left_alone(chat):
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    chat.write(["Name a colour."], most_tokens=4, seed=3)
    assert torch.rand(1) == expected


def test_greedy_needs_no_seed(chat):
    ask = ["What is the capital of France? Answer in one word."]
    answers = {chat.write(ask, most_tokens=8, temperature=0.0, seed=seed)[0] for seed in (0, 1)}
    assert len(answers) == 1
    assert "Paris" in answers.pop()


def test_odds_do_not_hang_on_the_batch(chat):
    questions = ["Is Paris a city? Answer yes or no.", "Is a stone alive, and does it breathe? Answer yes or no."]
    together = chat.log_odds(questions, "Yes", "No")
    alone = np.concatenate([chat.log_odds([question], "Yes", "No") for question in questions])
    assert together == pytest.approx(alone, abs=1e-3)
    assert together == pytest.approx(-chat.log_odds(questions, "No", "Yes"), abs=1e-3)
    assert together[0] > together[1]


def test_examples_are_followed(chat):
    turns = [("cat", "CAT"), ("dog", "DOG"), ("bird", "BIRD")]
    assert chat.write(["house"], turns, most_tokens=6, temperature=0.0) == ["HOUSE"]
