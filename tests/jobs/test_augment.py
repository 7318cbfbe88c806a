"""A corpus enlarged by a real language model."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from workbench.core.errors import BadInput, UnknownName
from workbench.core.result import Result
from workbench.core.text import normalise, split_of
from workbench.data import corpora
from workbench.jobs._augment_filter import Made, sift
from workbench.jobs.augment import BLOCK, AugmentRecipe, augment, column_of
from workbench.lm.chat import ChatModel

LABEL = "Does this text complain about something?"


@pytest.fixture(scope="module")
def corpus():
    return corpora.load("tatoeba", "train", BLOCK + 4)


class Counted(ChatModel):
    """The real model, which counts its blocks and can be killed before one."""

    blocks = 0
    killed_at = -1

    def write(self, *args, **options):
        if self.blocks == self.killed_at:
            raise KeyboardInterrupt
        self.blocks += 1
        return super().write(*args, **options)


@pytest.fixture(scope="module")
def chat():
    return Counted("smollm2", "cpu")


@pytest.fixture(scope="module")
def done(corpus, chat, minilm, tmp_path_factory):
    """One run, killed in its second kind and taken up again."""
    out = tmp_path_factory.mktemp("augment") / "made.parquet"
    recipe = AugmentRecipe(labels=(LABEL,), seed=5)
    chat.killed_at = 3
    with pytest.raises(KeyboardInterrupt):
        augment(corpus, out, recipe, chat, minilm)
    assert not out.exists()
    chat.killed_at, chat.blocks = -1, 0
    account = augment(corpus, out, recipe, chat, minilm)
    assert chat.blocks == 1, "three of four blocks were there"
    return out, account, recipe


@pytest.mark.slow
def test_a_run_that_was_killed_gives_the_same_file(done, corpus, chat, minilm, tmp_path):
    out, account, recipe = done
    again = tmp_path / "again.parquet"
    other = augment(corpus, again, recipe, chat, minilm)
    assert again.read_bytes() == out.read_bytes()
    assert other.kept == account.kept
    assert [path.name for path in out.parent.iterdir()] == [out.name], "the blocks are gone"


def test_rows_know_where_they_come_from(done, corpus):
    out, account, _ = done
    rows = pq.read_table(out).to_pylist()
    assert [row["text"] for row in rows[: len(corpus)]] == list(corpus.texts)
    made = rows[len(corpus) :]
    assert len(made) == sum(count for _, count in account.kept) > 0
    assert len({row["id"] for row in rows}) == len(rows)
    groups, texts = dict(zip(corpus.ids, corpus.groups, strict=True)), dict(zip(corpus.ids, corpus.texts, strict=True))
    for row in made:
        assert row["group"] == groups[row["source"]]
        assert row["split"] == "train" == split_of(row["text"]), "what is made of a text stays in its split"
        assert normalise(row["text"]) != normalise(texts[row["source"]])
        assert 0.3 <= row["cosine"] <= 0.98
        assert row["kind"] != "question" or row["text"].endswith("?")
    assert len({normalise(row["text"]) for row in rows}) == len(rows), "nothing twice"
    about = json.loads(pq.read_schema(out).metadata[b"workbench.augmentation"])
    assert about["model"] == "smollm2"
    assert about["recipe"]["seed"] == 5
    assert about["model_revision"]


def test_labels_are_carried_by_paraphrases_alone(done, corpus):
    out, account, _ = done
    rows = pq.read_table(out).to_pylist()
    column = column_of(LABEL)
    assert column == "does_this_text_complain_about_something"
    said = {row["source"]: row[column] for row in rows if row["kind"] == "source"}
    for row in rows:
        assert row[column] == (None if row["kind"] == "question" else said[row["source"]])
    (count,) = account.labels
    assert count.yes + count.no + count.unsure == len(corpus)
    assert list(said.values()).count(True) == count.yes


def test_the_account_adds_up(done, corpus):
    _, account, _ = done
    for kind, kept in account.kept:
        assert account.made(kind) == len(corpus)
        assert kept <= len(corpus)
    assert Result.from_json(account.to_json()) == account
    page = account._repr_html_()
    assert "What was kept" in page
    assert "Labels of the sources" in page


def test_the_file_is_a_corpus_again(done):
    out, _, _ = done
    read = corpora.read(out)
    rows = pq.read_table(out).to_pylist()
    assert list(read.texts) == [row["text"] for row in rows]
    assert list(read.groups) == [row["group"] for row in rows]


def test_every_rule_of_the_filter(minilm):
    source = "The train was late again because of heavy snow in the mountains."
    other = "My bank has closed my account without telling me why."
    test_text = next(
        text for n in range(500) if split_of(text := f"Snow in the mountains made train {n} late again.") != "train"
    )
    assert split_of(source) == "train"
    made = {
        "Late train.": "too short",
        "Snow " * 40 + "fell.": "too long",
        "the train was late AGAIN because of heavy snow in the mountains": "a copy",
        "Heavy snow in the mountains delayed the train once more": "unfinished",
        "Because of heavy snow up in the mountains, the train came late again.": "",
        "Quantum computers factor large integers in polynomial time.": "too far from the source",
        "The train was late again because of the heavy snow in the mountains.": "too near to the source",
        other: "a duplicate",
        test_text: "of another split",
    }
    found = sift([Made("paraphrase", 0, text) for text in made], [source, other], 3, 60, minilm)
    assert {each.text: each.dropped for each in found} == made
    assert all(np.isfinite(each.cosine) for each in found)
    question = sift([Made("question", 0, "The train was late because of the snow.")], [source], 3, 60, minilm)
    assert question[0].dropped == "no question"
    assert sift([], [source], 3, 60, minilm) == []
    assert sift([Made("question", 0, "")], [source], 3, 60, minilm)[0].dropped == "too short"


def test_recipes_that_make_nothing():
    with pytest.raises(UnknownName, match="Did you mean 'paraphrase'"):
        AugmentRecipe(kinds=("paraphrases",))
    with pytest.raises(BadInput, match="nothing to make"):
        AugmentRecipe(kinds=())
    with pytest.raises(BadInput, match="each 0"):
        AugmentRecipe(each=0)
