"""What an explainer is taught: answers are true, and no question tells its answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import islice

import numpy as np
import pytest

from workbench.core.errors import BadInput
from workbench.core.text import SPLITS, content_key, words
from workbench.data import corpora, personal
from workbench.data.corpora import Corpus
from workbench.data.tasks import load_task, task_card, task_names
from workbench.jobs._explain_items import Pool, content_words, evaluation_questions, gather_pool, items
from workbench.jobs._explain_mixture import Mixture, load_mixture

TOPICS = {
    "money": ("money", "loan", "debt", "credit", "deposit", "cheque"),
    "sea": ("harbour", "sailor", "wave", "anchor", "tide", "captain"),
    "song": ("guitar", "singer", "chorus", "melody", "violin", "concert"),
}
TENSE = {"name": "tense", "task": "tense", "ask": ["Is it past?", "Past?"], "yes": ["past"], "no": ["present"]}
TOPIC = {"name": "topic", "task": "topic", "per_class": {"mortgage": ["Is it about a mortgage?"], "card": ["A card?"]}}


def siblings(word):
    return next((group for group in TOPICS.values() if word in group), ())


@pytest.fixture(scope="module")
def pool():
    random, texts = np.random.default_rng(0), {}
    while len(texts) < 36:
        a, b, c = random.permutation(TOPICS[list(TOPICS)[len(texts) % 3]])[:3]
        texts[f"The {a} and the {b}, without {c}, were here at no. {len(texts)}."] = None
    tense = np.array([("past", "present", "present", None)[row % 4] for row in range(36)], object)
    topic = np.array([("mortgage", "card", "account", None, None)[row % 5] for row in range(36)], object)
    return Pool(tuple(texts), {"tense": tense, "topic": topic})


@pytest.fixture(scope="module")
def mixture():
    return Mixture(**{**load_mixture().model_dump(), "attributes": [TENSE, TOPIC]})


@pytest.fixture(scope="module")
def drawn(pool, mixture):
    return list(islice(items(pool, mixture, siblings, 0), 6000))


def asked_word(ask):
    return next(word for group in TOPICS.values() for word in group if word in words(ask))


def test_items_are_the_same_for_a_seed_and_go_on_where_they_stopped(pool, mixture, drawn):
    for start in (1, 36, 100):
        assert list(islice(items(pool, mixture, siblings, 0, start), 80)) == drawn[start : start + 80]
    assert list(islice(items(pool, mixture, siblings, 1), 80)) != drawn[:80]


def test_an_epoch_goes_once_through_the_pool(pool):
    plain = Mixture(segments={"describe": 1.0}, items={"text": 1.0})
    found = [item.sources[0] for item in islice(items(pool, plain, siblings, 0), 72)]
    assert sorted(found[:36]) == sorted(found[36:]) == list(range(36))
    assert found[:36] != found[36:]


def test_answers_are_true_to_the_text(pool, drawn):
    seen = set()
    for item in drawn:
        if len(item.sources) != 1 or item.segments[0].task == "document":
            continue
        row = item.sources[0]
        text = pool.texts[row]
        for place, one in enumerate(item.segments):
            seen.add((one.task, one.kind))
            if one.task == "describe":
                assert (place, one.answer) == (0, text)
            elif one.task == "keywords":
                found = one.answer.split(", ")
                assert 0 < len(found) <= 5
                assert found == [word for word in content_words(text) if word in found]
            elif one.task == "word":
                word = asked_word(one.ask)
                assert one.answer == ("yes" if one.kind == "yes" else "no")
                if one.answer == "yes":
                    assert word in words(text)
                else:
                    assert not {each[:4] for each in words(text)} & {word[:4]}
                if one.kind == "hard":
                    assert set(siblings(word)) & set(words(text))
            elif one.task == "attribute tense":
                assert (one.answer == one.kind == "yes") == (pool.labels["tense"][row] == "past")
            else:
                assert (one.answer == "yes") == (pool.labels["topic"][row] in one.ask)
    assert seen == {
        ("describe", "open"),
        ("keywords", "open"),
        *(("word", kind) for kind in ("yes", "easy", "hard")),
        *((f"attribute {name}", kind) for name in ("tense", "topic") for kind in ("yes", "no")),
    }


def test_a_document_holds_what_any_of_its_texts_holds(pool, drawn):
    documents = [item for item in drawn if any(one.task == "document" for one in item.segments)]
    kinds = Counter()
    for item in documents:
        assert 1 <= len(item.sources) <= 5 and len(set(item.sources)) == len(item.sources)
        inside = {word for row in item.sources for word in words(pool.texts[row])}
        for one in item.segments:
            kinds[one.answer] += 1
            assert (asked_word(one.ask) in inside) == (one.answer == "yes")
    assert 0.05 < len(documents) / len(drawn) < 0.09
    assert 0.45 < kinds["yes"] / kinds.total() < 0.6


def test_a_comparison_is_true_to_both_texts(pool, drawn):
    pairs = [item for item in drawn if any(one.task == "compare" for one in item.segments)]
    kinds = Counter()
    for item in pairs:
        sides = [content_words(pool.texts[row]) for row in item.sources]
        assert item.sources[0] != item.sources[1]
        for one in item.segments:
            kinds[one.kind] += 1
            if one.kind == "open":
                both = [word for word in sides[0] if word in sides[1]]
                assert one.answer == (", ".join(both) or "none")
            else:
                holding = sum(asked_word(one.ask) in side for side in sides)
                assert (one.answer == "yes", holding) == {"yes": (True, 2), "hard": (False, 1), "easy": (False, 0)}[
                    one.kind
                ]
    assert 0.05 < len(pairs) / len(drawn) < 0.09
    assert 0.4 < kinds["yes"] / len(pairs) < 0.6


def test_no_question_tells_its_answer(drawn):
    answers = defaultdict(list)
    for item in drawn:
        for one in item.segments if len(item.sources) == 1 else ():
            if one.task == "word":
                answers[asked_word(one.ask)].append(one.answer == "yes")
                answers[one.ask.replace(asked_word(one.ask), "X")].append(one.answer == "yes")
            elif one.kind in ("yes", "no"):
                answers[one.ask].append(one.answer == "yes")
    assert set(sum(TOPICS.values(), ())) <= set(answers)
    for asked, found in answers.items():
        assert abs(np.mean(found) - 0.5) < 0.05 + 2 / np.sqrt(len(found)), (asked, np.mean(found), len(found))


def test_nothing_is_known_of_noise(drawn):
    found = [item for item in drawn if not item.sources]
    segments = [one for item in found for one in item.segments]
    assert {(one.answer, one.kind) for one in segments} == {("unclear", "abstain")}
    assert {one.task for one in segments} >= {"describe", "keywords", "word", "attribute tense", "attribute topic"}
    assert {item.noise for item in found} == {"gaussian", "mean", "random"}
    assert all(item.noise == "" for item in drawn if item.sources)


def test_a_word_without_siblings_is_asked_against_any_other(pool, mixture):
    found = [one.kind for item in islice(items(pool, mixture, lambda word: (), 0), 300) for one in item.segments]
    hard_pairs = [one for one in found if one == "hard"]
    assert "easy" in found
    assert len(hard_pairs) < 20


def test_words_of_too_few_texts_are_not_asked_for(mixture):
    pool = Pool(("A single sentence of nothing.", "Another one entirely."), {})
    tasks = {
        one.task for item in islice(items(pool, mixture, siblings, 0), 50) for one in item.segments if item.sources
    }
    assert tasks == {"describe", "keywords"}


def test_evaluation_questions_are_in_balance(pool, mixture):
    found = evaluation_questions(pool, mixture, siblings, 8, 0)
    assert found == evaluation_questions(pool, mixture, siblings, 8, 0)
    kinds = Counter((one.task, one.kind in ("easy", "hard", "no")) for _, one in found)
    assert kinds == {
        ("word", False): 8,
        ("word", True): 16,
        ("attribute tense", False): 4,
        ("attribute tense", True): 4,
        ("attribute topic", False): 4,
        ("attribute topic", True): 4,
    }
    assert all(one.ask.startswith("Does it mention ") for _, one in found if one.task == "word")


def test_a_pool_has_each_text_once_and_nothing_of_another_split(monkeypatch):
    email = {"name": "email", "task": "email", "ask": ["An address?"], "yes": ["present"], "no": ["absent"]}
    mixture = Mixture(segments={"describe": 1.0}, items={"text": 1.0}, attributes=[email])
    task = load_task("email")
    own = ("Too short.", "One sentence of the corpus.", "one sentence of the corpus", "word " * 41)
    texts = (*own, *task.texts)
    corpus = Corpus("own", texts, texts, texts)
    monkeypatch.setattr(corpora, "load", lambda name, split, limit: corpus)
    monkeypatch.setattr(personal, "load", lambda split, n, seed: personal.PersonalCorpus(corpus.head(n), ((),) * n))
    for split in SPLITS:
        mine = [task.texts[row] for row in task.part(split)]
        pool = gather_pool(mixture, "own", split, 9, 60, 3, 3)
        assert set(pool.texts) == {own[1], *mine}
        assert len({content_key(text) for text in pool.texts}) == len(pool.texts)
        known = {text: label for text, label in zip(pool.texts, pool.labels["email"], strict=True) if label}
        assert len(known) == 60
        assert (
            known.items()
            <= {text: task.card.classes[code] for text, code in zip(task.texts, task.labels, strict=True)}.items()
        )


def test_the_shipped_mixture_fits_the_cards_of_the_probes():
    mixture = load_mixture()
    assert len(mixture.attributes) >= 20
    assert len({one.name for one in mixture.attributes}) == len(mixture.attributes)
    for one in mixture.attributes:
        assert one.task in task_names()
        for ask, yes, no in one.questions():
            assert len(ask) >= 3
            assert {*yes, *no} <= {*task_card(one.task).classes}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('task = "tens"', "tense"),
        ('yes = ["pluperfect"]', "pluperfect"),
        ('yes = ["present"]', "class in both"),
        ('asks = ["So?"]', "asks"),
        ("yes = []", "none empty"),
    ],
)
def test_a_mixture_with_an_unknown_task_class_or_field_is_refused(tmp_path, change, message):
    fields = {"name": '"tense"', "task": '"tense"', "ask": '["Is it past?"]', "yes": '["past"]', "no": '["present"]'}
    key, _, value = change.partition(" = ")
    lines = [f"{name} = {each}" for name, each in {**fields, key: value}.items()]
    place = tmp_path / "mixture.toml"
    place.write_text("\n".join(["[segments]", "[items]", "text = 1.0", "[[attributes]]", *lines]))
    with pytest.raises(BadInput, match=message):
        load_mixture(place)
