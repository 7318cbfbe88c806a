"""What an explainer is taught: questions on texts, with answers that rules give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import Literal

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from workbench.core.errors import BadInput
from workbench.core.text import Split, split_key, words
from workbench.data import corpora, personal
from workbench.data.tasks import load_task
from workbench.jobs._explain_mixture import Attribute, Mixture, Wordings

Kind = Literal["open", "yes", "easy", "hard", "no", "abstain"]
Siblings = Callable[[str], Sequence[str]]
ASK = {
    "describe": ("Describe it.", "What does it say?", "Write the text.", "What is the text?"),
    "keywords": ("Keywords?", "Which words matter in it?", "Name its main words.", "Give keywords."),
    "word": ("Does it mention {}?", "Is {} mentioned?", "Is it about {}?", "Does the text contain the word {}?"),
    "both": ("Do both mention {}?", "Is {} mentioned in both?", "Do both texts contain the word {}?"),
    "shared": ("What do both mention?", "Which words do both share?", "Which words stand in both?"),
}
WORD_KINDS: tuple[Kind, ...] = ("yes", "easy", "hard")
_MOST_OTHERS = 4
"""Texts that a document has beside its first."""
LEAST_TEXTS = 3  # that a word must stand in before it is asked for


@dataclass(frozen=True)
class Segment:
    """One question and its answer; `easy`, `hard` and `no` are answered no."""

    task: str
    ask: str
    answer: str
    kind: Kind


@dataclass(frozen=True)
class Item:
    """Segments on one text, on several, or (without sources) on a vector of `noise`: gaussian, mean or random."""

    sources: tuple[int, ...]
    noise: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Pool:
    """Unique texts with the labels of probing tasks; None where a task does not label a text."""

    texts: tuple[str, ...]
    labels: Mapping[str, np.ndarray]


def gather_pool(
    mixture: Mixture, corpus: str, split: Split, limit: int, per_task: int, planted: int, seed: int
) -> Pool:
    """Texts of 3 to 40 words: `per_task` of each attribute's task, `limit` of a corpus, `planted` records; without all
    that any of the tasks has in another split, so that what is tested was never learnt."""
    tasks = {name: load_task(name) for name in sorted({each.task for each in mixture.attributes})}
    held = {split_key(task.texts[row]) for task in tasks.values() for row in np.flatnonzero(task.split != split)}
    found: dict[int, tuple[str, dict[str, str]]] = {}
    given: list[tuple[str, dict[str, str]]] = []
    for name, task in tasks.items():
        for row in np.random.default_rng(seed).permutation(task.part(split))[:per_task]:
            given.append((task.texts[row], {name: task.card.classes[task.labels[row]]}))
    given += [(text, {}) for text in corpora.load(corpus, split, limit).texts]
    given += [(text, {}) for text in personal.load(split, planted, seed).corpus.texts] if planted else []
    for text, labels in given:
        if 3 <= len(text.split()) <= 40 and (key := split_key(text)) not in held:
            found.setdefault(key, (text, {}))[1].update(labels)
    columns = {name: np.array([labels.get(name) for _, labels in found.values()], object) for name in tasks}
    return Pool(tuple(text for text, _ in found.values()), columns)


def items(pool: Pool, mixture: Mixture, siblings: Siblings, seed: int, start: int = 0) -> Iterator[Item]:
    """Endless items from number `start` on, as `Teacher.item` gives them."""
    teacher = Teacher(pool, mixture, siblings)
    return (teacher.item(number, seed) for number in count(start))


def evaluation_questions(
    pool: Pool, mixture: Mixture, siblings: Siblings, n: int, seed: int
) -> list[tuple[int, Segment]]:
    """For `n` texts one yes, one easy and one hard word; for each attribute up to `n` questions, half of them yes."""
    teacher, chance, out = Teacher(pool, mixture, siblings), Random(f"{seed} evaluation"), []
    for row in chance.sample(rows := [row for row, said in enumerate(teacher.askable) if said], min(n, len(rows))):
        out += [(row, one) for kind in WORD_KINDS for one in teacher.word(chance, row, kind, ASK["word"][:1])]
    for attribute in mixture.attributes:
        questions, labels = attribute.questions()[: n // 2], pool.labels.get(attribute.task, np.array([], object))
        for ask, *sides in questions:
            rows_of = [np.flatnonzero(np.isin(labels, side)).tolist() for side in sides]
            most = min(n // (2 * len(questions)), *map(len, rows_of))
            for answer, rows in zip(("yes", "no"), rows_of, strict=True):
                one = Segment(f"attribute {attribute.name}", ask[0], answer, answer)
                out += [(row, one) for row in chance.sample(rows, most)]
    return out


def content_words(text: str) -> tuple[str, ...]:
    """The different lower-cased words of at least three letters, and of letters alone, that are no stop words."""
    found = (word for word in words(text) if len(word) >= 3 and word.isalpha())
    return tuple(dict.fromkeys(word for word in found if word not in ENGLISH_STOP_WORDS))


class Teacher:
    """Draws questions on the texts of a pool. No question tells its answer: yes and no are as frequent for every word
    and attribute. `siblings` gives near words, and is called once for each word."""

    def __init__(self, pool: Pool, mixture: Mixture, siblings: Siblings) -> None:
        if not pool.texts or not sum(mixture.items.values()):
            raise BadInput(f"{len(pool.texts)} texts and shares {mixture.items}; expected a text and a share above 0")
        self.pool, self.mixture = pool, mixture
        self.said = [content_words(text) for text in pool.texts]
        n = Counter(word for said in self.said for word in said)
        self.rarity = {word: float(np.log1p(len(self.said) / n[word])) for word in n}
        self.holders: dict[str, list[int]] = {word: [] for word in n if n[word] >= LEAST_TEXTS}
        self.askable = [[word for word in said if word in self.holders] for said in self.said]
        present = dict.fromkeys(self.holders, 0.0)
        for row, said in enumerate(self.askable):
            total = sum(self.rarity[word] for word in said)
            for word in said:
                self.holders[word].append(row)
                present[word] += self.rarity[word] / total
        self._set_negatives(present, siblings)
        self._order: tuple[tuple[int, int], list[int]] = ((-1, -1), [])
        self.drawn = [(a, _balanced(a, pool.labels[a.task])) for a in mixture.attributes if a.task in pool.labels]

    def item(self, number: int, seed: int) -> Item:
        """Item `number` of an endless row that goes epoch by epoch through the pool; it depends on the two alone."""
        n, epoch = len(self.pool.texts), number // len(self.pool.texts)
        if self._order[0] != (seed, epoch):
            self._order = ((seed, epoch), Random(f"{seed} epoch {epoch}").sample(range(n), n))
        chance, row = Random(f"{seed} item {number}"), self._order[1][number % n]
        kind = chance.choices(list(self.mixture.items), list(self.mixture.items.values()))[0]
        if kind == "abstain":
            return Item((), chance.choice(("gaussian", "mean", "random")), self.abstain(chance, row))
        found = None
        if self.askable[row] and kind in ("compare", "document"):
            found = self.compare(chance, row) if kind == "compare" else self.document(chance, row)
        return found or Item((row,), "", self.text(chance, row))

    def _set_negatives(self, present: dict[str, float], siblings: Siblings) -> None:
        """Weigh siblings so that each is asked for about as often where it is absent as where it is present (iterative
        proportional fitting); easy negatives make up for the rest."""
        self.words, often = list(present), np.array(list(present.values()))
        code = {word: place for place, word in enumerate(present)}
        near = {w: [s for s in dict.fromkeys(siblings(w)) if s in code and not _stems(s) & _stems(w)] for w in present}
        source = np.array([code[word] for word in near for _ in near[word]], np.int64)
        target = np.array([code[each] for word in near for each in near[word]], np.int64)
        pull, drawn = np.ones(len(often)), often
        for _ in range(30):
            pull = np.clip(np.divide(pull * often, drawn, out=np.ones(len(often)), where=drawn > 0), 1e-6, 1e6)
            total = np.bincount(source, pull[target], len(often))
            drawn = np.bincount(target, often[source] * pull[target] / total[source], len(often))
        self.near = {word: [(each, float(pull[code[each]])) for each in near[word]] for word in near}
        easy, hard = (self.mixture.segments.get(part, 0.0) for part in ("word_easy", "word_hard"))
        rest = np.maximum((easy + hard) * often - hard * drawn, 0)
        self.easy: list[float] = np.cumsum(rest if rest.sum() > 1e-9 else often).tolist()

    def word(
        self, chance: Random, row: int, kind: Kind, ask: Wordings, absent: set[str] | None = None
    ) -> list[Segment]:
        """One question for a word, of a text that has words to ask for; a no has none of the stems `absent`."""
        word, stems = self._present(chance, row), self._stems(row) if absent is None else absent
        if near := [pair for pair in self.near[word] if kind == "hard" and not _stems(pair[0]) & stems]:
            word = chance.choices(*zip(*near, strict=True))[0]
        elif kind != "yes":
            kind = "easy"
            word = self._absent(chance, stems)
        said = chance.choice(ask).format(word)
        return [Segment("word", said, "yes" if kind == "yes" else "no", kind)] if word else []

    def text(self, chance: Random, row: int) -> tuple[Segment, ...]:
        """Questions on one text: what it says, then the others in any order."""
        times: Counter[str] = Counter({part: int(n + chance.random()) for part, n in self.mixture.segments.items()})
        kinds: list[Kind] = [kind for kind in WORD_KINDS for _ in range(times[f"word_{kind}"]) if self.askable[row]]
        asked = [one for kind in kinds for one in self.word(chance, row, kind, ASK["word"])]
        if times["keywords"] and self.said[row]:
            asked.append(Segment("keywords", chance.choice(ASK["keywords"]), self._rarest(self.said[row]), "open"))
        known = [(a, drawn[label]) for a, drawn in self.drawn if (label := self.pool.labels[a.task][row]) in drawn]
        for _ in range(times["attribute"] if known else 0):
            attribute, options = chance.choice(known)
            ask, answer = chance.choices(*options)[0]
            asked += [Segment(f"attribute {attribute.name}", chance.choice(ask), answer, answer)] if ask else []
        chance.shuffle(asked)
        if times["describe"] or not asked:
            asked.insert(0, Segment("describe", chance.choice(ASK["describe"]), self.pool.texts[row], "open"))
        return tuple(asked)

    def abstain(self, chance: Random, row: int) -> tuple[Segment, ...]:
        """Questions as on a text, and on any attribute; nothing is known of any of them."""
        asked = [one for one in self.text(chance, row) if not one.task.startswith("attribute ")]
        times = int(self.mixture.segments.get("attribute", 0.0) + chance.random())
        for attribute in chance.choices(self.mixture.attributes, k=times) if self.mixture.attributes else ():
            ask = chance.choice(chance.choice(attribute.questions())[0])
            asked.append(Segment(f"attribute {attribute.name}", ask, "", "abstain"))
        return tuple(replace(one, answer="unclear", kind="abstain") for one in asked)

    def compare(self, chance: Random, row: int) -> Item | None:
        """A text beside another that shares a word with it or, as often, does not; None where none is found."""
        word, kind = self._present(chance, row), chance.choice(("yes", "yes", "hard", "easy"))
        for _ in range(20):
            shared = word if kind == "yes" else self._present(chance, row)
            near = kind == "hard" and shared != word
            other = chance.choice(self.holders[shared] if kind == "yes" or near else range(len(self.said)))
            stems = self._stems(other) | (self._stems(row) if kind == "easy" else set())
            asked = self._absent(chance, stems) if kind == "easy" else word
            if asked and other != row and (kind == "yes" or not _stems(asked) & stems):
                break
        else:
            return None
        pair = (row, other) if chance.random() < 0.5 else (other, row)
        both = [each for each in self.said[pair[0]] if each in self.said[pair[1]]]
        first = Segment("compare", chance.choice(ASK["both"]).format(asked), "yes" if kind == "yes" else "no", kind)
        second = Segment("compare", chance.choice(ASK["shared"]), self._rarest(both) or "none", "open")
        return Item(pair, "", (first, second) if chance.random() < 0.5 else (second, first))

    def document(self, chance: Random, row: int) -> Item:
        """A text among others: is a word said in any of them?"""
        others = [chance.randrange(len(self.said)) for _ in range(chance.randint(1, _MOST_OTHERS))]
        rows = [row, *(other for other in dict.fromkeys(others) if other != row)]
        chance.shuffle(rows)
        stems, asked = set().union(*map(self._stems, rows)), []
        for kind in ("yes", chance.choice(("hard", "easy"))):
            found = self.word(chance, row, kind, ASK["word"], stems)
            asked += [replace(one, task="document") for one in found]
        chance.shuffle(asked)
        return Item(tuple(rows), "", tuple(asked))

    def _present(self, chance: Random, row: int) -> str:
        return chance.choices(self.askable[row], [self.rarity[word] for word in self.askable[row]])[0]

    def _absent(self, chance: Random, stems: set[str]) -> str | None:
        found = chance.choices(self.words, cum_weights=self.easy, k=50)
        return next((word for word in found if not _stems(word) & stems), None)

    def _stems(self, row: int) -> set[str]:
        return set().union(*map(_stems, words(self.pool.texts[row])))

    def _rarest(self, said: Sequence[str]) -> str:
        kept = sorted(said, key=lambda word: -self.rarity[word])[:5]
        return ", ".join(word for word in said if word in kept)


def _stems(word: str) -> set[str]:
    """What two words must not have in common where one is asked for and the other stands in the text."""
    return {word[:4], word.removesuffix("s")}


def _balanced(attribute: Attribute, labels: np.ndarray) -> dict[str, tuple[list[tuple[Wordings, Kind]], list[float]]]:
    """What a text of each label is asked, with weights that make every question's yes as frequent as its no; the last
    is to ask nothing."""
    n, drawn = Counter(labels.tolist()), {}
    for ask, *sides in attribute.questions():
        totals = [sum(n[label] for label in side) for side in sides]
        for answer, side, total in zip(("yes", "no"), sides, totals, strict=True):
            for label in side if min(totals) else ():
                drawn.setdefault(label, []).append(((ask, answer), min(totals) / total))
    most = max((sum(weight for _, weight in each) for each in drawn.values()), default=1.0)
    for each in drawn.values():
        each.append((((), "no"), max(0.0, most - sum(weight for _, weight in each))))
    return {label: ([asked for asked, _ in each], [weight for _, weight in each]) for label, each in drawn.items()}
