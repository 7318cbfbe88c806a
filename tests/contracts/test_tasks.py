"""Every probing task states the truth: classes in balance, chance, splits disjoint by text and by group."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from workbench.core.errors import BadInput, UnknownName
from workbench.core.resources import cache_folder, shipped
from workbench.core.text import SPLITS, normalise
from workbench.data import corpora, tasks
from workbench.data._task_items import MOST
from workbench.data.tasks import FAMILIES, load_task, task_card, task_names, write_skeleton

NEEDED = {"surface": 5, "syntax": 8, "semantics": 7, "privacy": 7}


def test_there_are_tasks_of_every_family():
    counts = Counter(task_card(name).family for name in task_names())
    assert all(counts[family] >= least for family, least in NEEDED.items())
    assert [FAMILIES.index(task_card(name).family) for name in task_names()] == sorted(
        FAMILIES.index(task_card(name).family) for name in task_names()
    )


@pytest.mark.parametrize("name", task_names())
def test_task(name):
    task, card = load_task(name), task_card(name)
    assert (shipped("probes") / name / "README.md").read_text(encoding="utf-8").startswith(f"# {name}\n")
    assert card.summary and card.group and card.licence and all(text.strip() for text in task.texts)
    for split in SPLITS:
        rows = task.part(split)
        assert len(rows) >= {"train": 500, "validation": 100, "test": 100}[split]
        if card.classes:
            counts = np.bincount(task.labels[rows], minlength=len(card.classes))
            assert len(counts) == len(card.classes) and counts.min() == counts.max() > 0
    if card.classes:
        assert card.chance == pytest.approx(1 / len(card.classes), abs=1e-3)
    else:
        assert np.isfinite(task.labels).all() and task.labels.std() > 0
    forms = [normalise(text) for text in task.texts]
    assert len(set(forms)) == len(forms)
    splits_of: dict[str, set[str]] = {}
    for group, split in zip(task.groups, task.split, strict=True):
        splits_of.setdefault(group, set()).add(split)
    assert all(len(found) == 1 for found in splits_of.values())
    for split in SPLITS:
        assert len({task.groups[row] for row in task.part(split)}) >= 3, "one document alone says nothing of others"
        assert len(task.part(split)) <= MOST[split]
    if card.match_length:
        words = np.array([len(text.split()) for text in task.texts])
        for split in SPLITS:
            per_class = [np.sort(words[task.part(split)][task.labels[task.part(split)] == code]) for code in (0, 1)]
            assert (per_class[0] == per_class[1]).all()
    with pytest.raises(BadInput, match="expected one of train"):
        task.part("dev")


def test_what_decides_the_items_decides_where_they_are_cached(monkeypatch):
    card, folder = task_card("phone"), shipped("probes") / "phone"
    before = {name: tasks._digest(task_card(name), shipped("probes") / name) for name in ("phone", "digit")}
    monkeypatch.setattr(tasks, "_rules_digest", lambda: "another line in planted.toml")
    assert tasks._digest(card, folder) != before["phone"]
    monkeypatch.undo()
    assert len({corpora.digest(name) for name in corpora.names()}) == len(corpora.names())
    monkeypatch.setattr(corpora, "_RECIPE", 0)  # members of a mix are cleaned in another way
    assert tasks._digest(task_card("digit"), shipped("probes") / "digit") != before["digit"]


def test_options_that_the_rule_has_not(tmp_path):
    place = write_skeleton("my-task", tmp_path)
    card = (place / "task.toml").read_text(encoding="utf-8")
    (place / "task.toml").write_text(card + "\n[options]\ncolum = 'x'\n", encoding="utf-8")
    with pytest.raises(BadInput, match="'colum'; known: text, label, group"):
        load_task(str(place))


def test_a_task_is_the_same_when_made_again(tmp_path, monkeypatch):
    first = load_task("digit")
    cache = cache_folder()
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    for kept in ("corpora", "assets"):
        (tmp_path / kept).symlink_to(cache / kept)
    again = load_task("digit")
    assert again.texts == first.texts and (again.labels == first.labels).all() and (again.split == first.split).all()
    assert list((tmp_path / "tasks").iterdir())


def test_a_skeleton_is_a_task_once_it_has_texts(tmp_path):
    place = write_skeleton("my-task", tmp_path)
    with pytest.raises(BadInput, match=r"no train items|no validation items|no test items"):
        load_task(str(place))
    lines = [
        f"Sentence number {row} says {'so' if row % 2 else 'no'}.,{'yes' if row % 2 else 'no'},d{row}"
        for row in range(400)
    ]
    (place / "texts.csv").write_text("text,label,group\n" + "\n".join(lines), encoding="utf-8")
    task = load_task(str(place))
    assert task.card.name == "my-task" and len(task) > 300 and set(task.labels) == {0, 1}
    with pytest.raises(BadInput, match="already"):
        write_skeleton("my-task", tmp_path)
    (place / "texts.csv").write_text("text,label,group\nA text.,maybe,d1\n", encoding="utf-8")
    with pytest.raises(BadInput, match="maybe"):
        load_task(str(place))


def test_texts_that_differ_in_marks_are_items_of_their_own(tmp_path):
    """408 Hindi syllables: their consonants alone, by which splits are made, are 34 texts."""
    place = write_skeleton("my-task", tmp_path)
    signs = [chr(code) for code in range(0x93E, 0x94A)]
    syllables = [chr(code) + sign for code in range(0x915, 0x937) for sign in signs]
    lines = [f"{each},{'yes' if row % 2 else 'no'},d{row}" for row, each in enumerate(syllables)]
    (place / "texts.csv").write_text("text,label,group\n" + "\n".join(lines), encoding="utf-8")
    task = load_task(str(place))
    assert len(set(task.texts)) == len(task) > 300


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("chance = 0.5", "chance"),
        ("classes = ['no', 'no']", "classes"),
        ("unknown = 1", "unknown"),
        ("rule = 'tabel'", "table"),
        ("= 3", "task.toml"),
    ],
)
def test_cards_that_do_not_fit(tmp_path, change, message):
    place = write_skeleton("my-task", tmp_path)
    card = (place / "task.toml").read_text(encoding="utf-8")
    key = change.partition(" ")[0]
    kept = [line for line in card.splitlines() if not (key and line.startswith(key))]
    change = "chance = 0.4" if key == "chance" else change
    (place / "task.toml").write_text("\n".join([*kept, change]), encoding="utf-8")
    with pytest.raises((BadInput, UnknownName), match=message):
        load_task(str(place))


def test_unknown_tasks_and_bad_names(tmp_path):
    with pytest.raises(UnknownName, match="sentiment"):
        load_task("sentimnt")
    with pytest.raises(BadInput, match=r"task\.toml"):
        load_task(str(tmp_path))
    for bad in ("", "My Task", "../x", "9"):
        with pytest.raises(BadInput, match="lower-case"):
            write_skeleton(bad, tmp_path)
