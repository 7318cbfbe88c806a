"""ProbeScores: what linear probes read from vectors, beside floors and controls, with description lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.core.blocks import Block, Fact, Facts, Heading, Intervals, Series, Table, Text
from workbench.core.claims import LEVEL, holm
from workbench.core.estimate import Estimate, difference
from workbench.core.marks import Heatmap
from workbench.core.result import Result

FEW = 10
"""With fewer groups intervals are wide, and no sign-flip test can be significant for long."""
_SHARES = 7
"""Points of the learning curve that are shown: all items, a half, ... a 64th."""


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
        graded = not self.classes and "graded" not in self.task
        return self.task + (" (silver)" if self.silver else "") + (" (graded)" if graded else "")


@dataclass(frozen=True)
class ProbeScores(Result):
    """Tasks x embedders."""

    rows: tuple[TaskScores, ...]
    seed: int = 0
    limit: int = 0
    """Most training items a task; 0: as many as the task has."""
    failures: tuple[tuple[str, str], ...] = ()
    """Tasks that could not be run, and why."""
    left_out: tuple[str, ...] = ()
    """Labels that some rows have no value of, and how many, in words."""

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
        first = parts[0] if parts else cls(())
        left_out = tuple(dict.fromkeys(line for part in parts for line in part.left_out))
        return cls(tuple(rows.values()), first.seed, first.limit, tuple(failures.items()), left_out)

    def row(self, label: str, embedder: str) -> TaskScores | None:
        """The scores of one task and embedder, if they were measured."""
        return next((row for row in self.rows if row.label == label and row.embedder == embedder), None)

    def claims(self) -> tuple[tuple[TaskScores, Gain, float], ...]:
        """Every comparison with a floor, with its p-value adjusted by Holm over all of them."""
        found = [(row, gain) for row in self.rows for gain in row.gains]
        adjusted = holm([gain.p for _, gain in found])
        return tuple((row, gain, p) for (row, gain), p in zip(found, adjusted, strict=True))

    def table(self) -> Table:
        """Control, description length and the floors that are beaten, a line for each task and embedder."""
        columns = ("task", "embedder", "score", "control", "selectivity", "compression", "better than")
        better: dict[tuple[str, str], list[str]] = {}
        for row, gain, p in self.claims():
            if p < LEVEL:
                better.setdefault((row.task, row.embedder), []).append(gain.over)
        rows = tuple(
            (
                *(row.label, row.embedder, row.score, row.control, row.selectivity, row.compression),
                ", ".join(better.get((row.task, row.embedder), ())) or "none",
            )
            for row in self.rows
        )
        return Table(columns, rows, "Controls, description lengths and claims", digits=2)

    def matrix(self) -> Table:
        """Tasks x embedders: each embedder's score beside that of its untrained twin, after what both must beat."""
        columns = ["task", "chance", "TF-IDF"]
        for name in self.embedders:
            columns += [f"{name}, untrained", name]
        rows = []
        for label in self.tasks:
            found = [self.row(label, name) for name in self.embedders]
            first = next(row for row in found if row)
            cells = [(row.random_encoder, row.score) if row else (None, None) for row in found]
            rows.append((label, first.chance, first.tfidf, *(cell for pair in cells for cell in pair)))
        caption = "Score: accuracy, or Spearman's correlation where labels are graded"
        return Table(tuple(columns), tuple(rows), caption, digits=2)

    def details(self) -> Table:
        """The other metrics."""
        columns = ("task", "embedder", "groups tested", "balanced accuracy", "macro F1", "AUC", "R2", "MLP")
        rows = tuple(
            (row.label, row.embedder, row.groups, row.balanced, row.macro_f1, row.auc, row.r2, row.mlp)
            for row in self.rows
        )
        kept = [place for place in range(len(columns)) if any(row[place] is not None for row in rows)]
        rows = tuple(tuple(row[place] for place in kept) for row in rows)
        return Table(tuple(columns[place] for place in kept), rows, "Other metrics", digits=2)

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
        """Score by the share of the training items, and by layer, for each embedder that has them."""
        out = []
        for name in self.embedders:
            rows = [row for row in self.rows if row.embedder == name]
            learnt = [(row.label, tuple(one.value for _, one in row.curve[-_SHARES:])) for row in rows if row.curve]
            if learnt:
                width = max(len(values) for _, values in learnt)
                columns = tuple(f"1/{2**power}" if power else "all" for power in reversed(range(width)))
                out.append(_grid(f"{name}: score by share of the training items", columns, learnt))
            layers = [(row.label, tuple(one.value for _, one in row.layers)) for row in rows if row.layers]
            if layers:
                columns = tuple(f"layer {layer}" for layer in range(max(len(values) for _, values in layers)))
                out.append(_grid(f"{name}: score by layer", columns, layers))
        return tuple(out)

    def setting(self) -> str:
        """How it was measured, in words."""
        return (
            (f"At most {self.limit:,} training items a task. " if self.limit else "")
            + "A logistic probe on standardised vectors (ridge where labels are graded), its penalty tuned on "
            "validation; scores are on test items of groups that were never learnt from, with 95% intervals over "
            "groups. The control is the same probe on labels that a hash of the group decides: it must be at chance. "
            "Compression is the length of a uniform code of the labels over that of the online code of probes (above "
            f"1: the vectors tell). `Better than` lists floors beaten at p < {LEVEL} after Holm's adjustment over all "
            f"claims. Seed {self.seed}."
        )

    def blocks(self) -> tuple[Block, ...]:
        """Setting, dot plot, selectivity, tables, curves."""
        if not self.rows:
            return (Heading("Probes"), *self._notes())
        return (
            Heading("Probes"),
            self._facts(),
            Text(self.setting()),
            self.ranked(),
            self.selectivities(),
            self.matrix(),
            self.table(),
            *self.curves(),
            self.details(),
            *self._notes(),
        )

    def brief(self) -> tuple[Block, ...]:
        """Tasks x embedders."""
        return (self.matrix(), *self._notes()) if self.rows else self._notes()

    def _notes(self) -> tuple[Text, ...]:
        few = sorted({f"{row.task} ({row.groups})" for row in self.rows if row.groups < FEW})
        note = f"Few groups to test on, so the intervals are wide and little can be claimed: {', '.join(few)}"
        left_out = (Text(line, "warn") for line in self.left_out)
        return (*([Text(note, "warn")] if few else ()), *left_out, *self._not_run())

    def _not_run(self) -> tuple[Text, ...]:
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


def _grid(caption: str, columns: tuple[str, ...], rows: list[tuple[str, tuple[float, ...]]]) -> Heatmap:
    """Shorter rows stand right; what they lack is left empty."""
    values = tuple((0.0,) * (len(columns) - len(found)) + found for _, found in rows)
    return Heatmap(caption, tuple(label for label, _ in rows), columns, values)
