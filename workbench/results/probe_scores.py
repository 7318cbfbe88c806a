"""ProbeScores: what linear probes read from vectors, beside floors and controls, with description lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.core.blocks import Block, Fact, Facts, Heading, Intervals, Series, Table, Text
from workbench.core.claims import holm
from workbench.core.estimate import Estimate, difference
from workbench.core.marks import Heatmap
from workbench.core.result import Result

LEVEL = 0.05
FLOORS = ("majority", "TF-IDF", "random encoder")


@dataclass(frozen=True)
class Gain:
    """By how much a probe is better than a floor on the same items, and the p-value of a sign-flip test over groups."""

    over: str
    value: float
    p: float


@dataclass(frozen=True)
class TaskScores:
    """One task, one embedder. `score` is accuracy, or Spearman's correlation where labels are graded."""

    task: str
    embedder: str
    family: str
    classes: tuple[str, ...]
    """Empty where labels are graded."""
    train: int
    """Items learnt from, validation included."""
    test: int
    groups: int
    chance: float
    score: Estimate
    balanced: Estimate | None
    macro_f1: Estimate | None
    auc: Estimate | None
    r2: Estimate | None
    majority: Estimate
    tfidf: Estimate | None
    random_encoder: Estimate | None
    mlp: Estimate | None
    control: Estimate
    """The same probe on labels that a hash of the group decides."""
    control_chance: float
    penalty: float
    bits_per_label: float | None
    compression: float | None
    """Bits of a uniform code over those of the online code."""
    entropy_compression: float | None
    """Bits of a code that knows the label frequencies over those of the online code."""
    curve: tuple[tuple[int, Estimate], ...] = ()
    """Score by items learnt from."""
    layers: tuple[tuple[int, Estimate], ...] = ()
    """Score by layer, mean-pooled token states."""
    gains: tuple[Gain, ...] = ()
    silver: bool = False
    """Labels come from a parser."""

    @property
    def selectivity(self) -> Estimate:
        """Score less that of the control task (Hewitt & Liang 2019)."""
        return difference(self.score, self.control)

    @property
    def label(self) -> str:
        """The task's name, marked where its labels are silver or graded."""
        return self.task + (" (silver)" if self.silver else "") + ("" if self.classes else " (graded)")


@dataclass(frozen=True)
class ProbeScores(Result):
    """Tasks x embedders."""

    rows: tuple[TaskScores, ...]
    seed: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    """Tasks that could not be run, and why."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Labels of the tasks, in the order of the rows."""
        return tuple(dict.fromkeys(row.label for row in self.rows))

    @property
    def embedders(self) -> tuple[str, ...]:
        """Names of the embedders, in the order of the rows."""
        return tuple(dict.fromkeys(row.embedder for row in self.rows))

    @classmethod
    def join(cls, parts: Sequence[ProbeScores]) -> ProbeScores:
        """All rows of several results; of two for the same task and embedder, the later."""
        rows = {(row.task, row.embedder): row for part in parts for row in part.rows}
        failures = dict(pair for part in parts for pair in part.failures)
        return cls(tuple(rows.values()), parts[0].seed if parts else 0, tuple(failures.items()))

    def row(self, label: str, embedder: str) -> TaskScores | None:
        """The scores of one task and embedder, if they were measured."""
        return next((row for row in self.rows if row.label == label and row.embedder == embedder), None)

    def claims(self) -> tuple[tuple[TaskScores, Gain, float], ...]:
        """Every comparison with a floor, with its p-value adjusted by Holm over all of them."""
        found = [(row, gain) for row in self.rows for gain in row.gains]
        adjusted = holm([gain.p for _, gain in found])
        return tuple((row, gain, p) for (row, gain), p in zip(found, adjusted, strict=True))

    def table(self) -> Table:
        """Score, floors, control and description length, a line each."""
        columns = (
            *("task", "embedder", "score", "majority", "TF-IDF", "random encoder", "control", "selectivity"),
            *("compression", "better than"),
        )
        better: dict[tuple[str, str], list[str]] = {}
        for row, gain, p in self.claims():
            if p < LEVEL:
                better.setdefault((row.task, row.embedder), []).append(gain.over)
        rows = tuple(
            (
                *(row.label, row.embedder, row.score, row.majority, row.tfidf, row.random_encoder),
                *(row.control, row.selectivity, row.compression),
                ", ".join(better.get((row.task, row.embedder), ())) or "none",
            )
            for row in self.rows
        )
        return Table(columns, rows, "What the probes read")

    def details(self) -> Table:
        """The other metrics."""
        columns = (
            *("task", "embedder", "classes", "learnt from", "tested on", "groups", "balanced accuracy", "macro F1"),
            *("AUC", "R2", "MLP", "bits a label", "compression against entropy", "C or alpha"),
        )
        rows = tuple(
            (
                *(row.label, row.embedder, len(row.classes) or None, row.train, row.test, row.groups),
                *(row.balanced, row.macro_f1, row.auc, row.r2, row.mlp),
                *(row.bits_per_label, row.entropy_compression, f"{row.penalty:g}"),
            )
            for row in self.rows
        )
        return Table(columns, rows, "In detail")

    def ranked(self) -> Intervals:
        """A dot with its interval for each task, the best read first."""
        first = self.embedders[0] if self.rows else ""
        found = {label: self.row(label, first) for label in self.tasks}
        order = sorted(found, key=lambda label: -(one.score.value if (one := found[label]) else 0.0))
        series = [
            Series(name, tuple(row.score if (row := self.row(label, name)) else None for label in order))
            for name in self.embedders
        ]
        for name, pick in (("TF-IDF", "tfidf"), ("random encoder", "random_encoder"), ("majority", "majority")):
            dots = tuple(getattr(row, pick) if (row := found[label]) else None for label in order)
            if any(dots):
                series.append(Series(name, dots))
        title = "What vectors tell, task by task"
        return Intervals(title, "accuracy; Spearman's correlation where graded", tuple(order), tuple(series), upper=1.0)

    def selectivities(self) -> Heatmap:
        """Tasks x embedders: score less that of the control task."""
        values = tuple(
            tuple(row.selectivity.value if (row := self.row(label, name)) else 0.0 for name in self.embedders)
            for label in self.tasks
        )
        return Heatmap("Selectivity: score less the control task's", self.tasks, self.embedders, values)

    def curves(self) -> tuple[Heatmap, ...]:
        """Score by items learnt from, and by layer, for each embedder that has them."""
        out = []
        for name in self.embedders:
            rows = [row for row in self.rows if row.embedder == name]
            out += _grid(f"{name}: score by items learnt from", [(row.label, row.curve) for row in rows], "{:,}")
            out += _grid(f"{name}: score by layer", [(row.label, row.layers) for row in rows], "layer {}")
        return tuple(out)

    def setting(self) -> str:
        """How it was measured, in words."""
        return (
            "A logistic probe on standardised vectors (ridge where labels are graded), its penalty tuned on "
            "validation; scores are on test items of groups that were never learnt from, with 95% intervals over "
            "groups. The control is the same probe on labels that a hash of the group decides: it must be at chance. "
            "Compression is the length of a uniform code of the labels over that of the online code of probes (above "
            f"1: the vectors tell). `Better than` lists floors beaten at p < {LEVEL} after Holm's adjustment over all "
            f"claims. Seed {self.seed}."
        )

    def blocks(self) -> tuple[Block, ...]:
        """Setting, dot plot, selectivity, tables, curves."""
        if not self.rows:
            return (Heading("Probes"), *self._failed())
        return (
            Heading("Probes"),
            self._facts(),
            Text(self.setting()),
            self.ranked(),
            self.selectivities(),
            self.table(),
            *self.curves(),
            self.details(),
            *self._failed(),
        )

    def brief(self) -> tuple[Block, ...]:
        """The main table."""
        return (self.table(), *self._failed()) if self.rows else self._failed()

    def _failed(self) -> tuple[Text, ...]:
        return tuple(Text(f"{name} could not be probed: {why}", "warn") for name, why in self.failures)

    def _facts(self) -> Facts:
        best = max(self.rows, key=lambda row: row.selectivity.value)
        claims = self.claims()
        off = [row for row in self.rows if not row.control.low <= row.control_chance <= row.control.high]
        held = sum(p < LEVEL for _, _, p in claims)
        return Facts(
            (
                Fact("tasks", f"{len(self.tasks)}", f"{len(self.embedders)} embedders"),
                Fact("most selective", best.task, f"{best.embedder}: {best.selectivity.text(2)}"),
                Fact("floors beaten", f"{held} of {len(claims)}", f"p < {LEVEL}, Holm"),
                Fact("controls off chance", f"{len(off)} of {len(self.rows)}", "one in 20 is expected"),
            )
        )


def _grid(caption: str, lines: list[tuple[str, tuple[tuple[int, Estimate], ...]]], name: str) -> list[Heatmap]:
    places = sorted({place for _, line in lines for place, _ in line})
    if not places:
        return []
    rows = []
    for _, line in lines:
        known, last, values = dict(line), 0.0, []
        for place in places:
            last = known[place].value if place in known else last
            values.append(last)
        rows.append(tuple(values))
    return [Heatmap(caption, tuple(label for label, _ in lines), tuple(name.format(p) for p in places), tuple(rows))]
