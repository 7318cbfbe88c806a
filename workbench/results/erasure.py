"""AmnesicCheck: what probes read before and after an attribute was erased, and what the erasure cost."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.blocks import Block, Fact, Facts, Heading, Intervals, Series, Table, Text
from workbench.core.claims import LEVEL
from workbench.core.estimate import Estimate
from workbench.core.result import Result

BEFORE, ERASED, CONTROL = "as they are", "erased", "random directions removed"
RENORMALISED = "erased, then renormalised"
LINEAR, UNSEEN, MLP = "linear", "linear, from rows erasure did not see", "MLP"


@dataclass(frozen=True)
class Reading:
    """What one probe reads from one kind of vectors; it was trained on that kind. Scores are of test items."""

    vectors: str
    probe: str
    accuracy: Estimate
    auc: Estimate | None
    """Macro average over classes, each against the rest; None where the test items are of one class."""
    p: float
    """Of a sign-flip test over groups that the accuracy is no better than the majority's."""

    @property
    def reads(self) -> bool:
        """Whether the probe reads the attribute: its accuracy is above the majority's, or its AUC above 1/2."""
        return self.p < LEVEL or (self.auc is not None and self.auc.low > 0.5)


@dataclass(frozen=True)
class Cost:
    """How far a change moved the test vectors."""

    vectors: str
    cosine: Estimate
    """Of each vector before and after."""
    overlap: Estimate
    """Share of each vector's 10 nearest neighbours that stay among them."""


@dataclass(frozen=True)
class Kept:
    """Accuracy of a linear probe for another attribute, trained anew on each kind of vectors."""

    attribute: str
    majority: Estimate
    before: Estimate
    erased: Estimate
    control: Estimate


@dataclass(frozen=True)
class AmnesicCheck(Result):
    """One attribute, erased from the vectors of one embedder."""

    attribute: str
    embedder: str
    classes: tuple[str, ...]
    train: int
    """Rows that the eraser and the probes were fitted on."""
    validation: int
    test: int
    groups: int
    """Groups of the test items."""
    dim: int
    rank: int
    """Dimensions taken out; as many random ones in the control."""
    penalty: float
    """C of all linear probes."""
    majority: Estimate
    """Accuracy of the class that is most frequent in training: what a probe that reads nothing reaches."""
    readings: tuple[Reading, ...]
    costs: tuple[Cost, ...]
    kept: tuple[Kept, ...] = ()
    seed: int = 0
    seconds: float = 0.0
    left_out: tuple[str, ...] = ()
    """Attributes that some rows have no value of, and how many, in words."""

    def reading(self, vectors: str, probe: str = LINEAR) -> Reading | None:
        """What one probe read from one kind of vectors, if it was measured."""
        return next((r for r in self.readings if r.vectors == vectors and r.probe == probe), None)

    def cost(self, vectors: str = ERASED) -> Cost | None:
        """What one change cost."""
        return next((cost for cost in self.costs if cost.vectors == vectors), None)

    @property
    def at_chance(self) -> bool:
        """Whether a linear probe that was trained anew on erased vectors reads nothing."""
        found = self.reading(ERASED)
        return found is not None and not found.reads

    def table(self) -> Table:
        """A line a reading."""
        rows = tuple((r.vectors, r.probe, r.accuracy, r.auc, r.p, "yes" if r.reads else "no") for r in self.readings)
        columns = ("vectors", "probe", "accuracy", "AUC", "p, above the majority", "reads it")
        return Table(columns, (*rows, ("", "majority", self.majority, None, None, "")), "What probes read")

    def cost_table(self) -> Table:
        """A line a change."""
        rows = tuple((c.vectors, c.cosine, c.overlap) for c in self.costs)
        return Table(("vectors", "cosine with the original", "neighbours kept, of 10"), rows, "What it cost")

    def kept_table(self) -> Table:
        """A line for each other attribute."""
        rows = tuple((k.attribute, k.majority, k.before, k.erased, k.control) for k in self.kept)
        columns = ("attribute", "majority", *(f"vectors {name}" for name in (BEFORE, ERASED, CONTROL)))
        return Table(columns, rows, "Other attributes: accuracy of a linear probe")

    def chart(self) -> Intervals:
        """Accuracy of every reading on one axis, beside the majority's."""
        labels = tuple(f"{r.vectors}: {r.probe}" for r in self.readings)
        return Intervals(
            f"Reading {self.attribute} before and after",
            "accuracy",
            labels,
            (
                Series("probe", tuple(r.accuracy for r in self.readings)),
                Series("majority", tuple(self.majority for _ in self.readings)),
            ),
            upper=1.0,
        )

    def setting(self) -> str:
        """How it was measured, in words."""
        return (
            f"LEACE (Belrose et al. 2023) took {self.rank} of {self.dim} dimensions out of vectors of {self.embedder}; "
            f"it and the probes were fitted on {self.train:,} training rows, {len(self.classes)} classes. Every probe "
            f"was trained anew on the vectors it reads, and scored on {self.test:,} test rows of {self.groups:,} "
            "groups, with 95% intervals. The control takes out as many random dimensions (Elazar et al. 2021). A probe "
            f"reads the attribute if its accuracy is above the majority's at p < {LEVEL}, or the interval of its AUC "
            f"lies above 1/2. Seed {self.seed}."
        )

    def verdicts(self) -> tuple[Text, ...]:
        """What the readings after erasure mean, one sentence each."""
        out = []
        if (linear := self.reading(ERASED)) is not None:
            told = f"{linear.accuracy.text()} against {self.majority.text()}"
            if linear.reads:
                out.append(Text(f"A linear probe trained anew still reads it: accuracy {told}.", "bad"))
            else:
                out.append(Text(f"A linear probe trained anew is at chance: accuracy {told}.", "good"))
        before = self.reading(BEFORE)
        if before is not None and not before.reads:
            out.append(Text("No linear probe read it before either: there was nothing to erase.", "warn"))
        why = {
            (ERASED, UNSEEN): "what a sample cannot show it cannot erase; more training rows leave less",
            (RENORMALISED, LINEAR): "lengths after erasure depend on the class, and dividing by them partly undoes it",
            (ERASED, MLP): "LEACE erases what is linear, and nothing else",
        }
        for (vectors, probe), reason in why.items():
            found = self.reading(vectors, probe)
            if found is not None and found.reads:
                who = f"the probe '{probe}' on vectors {vectors}"
                out.append(Text(f"Still read by {who}, accuracy {found.accuracy.text()}: {reason}.", "warn"))
        mlp = self.reading(ERASED, MLP)
        if mlp is not None and not mlp.reads:
            out.append(Text("An MLP of one hidden layer reads nothing either, which is no proof for other probes."))
        return tuple(out)

    def blocks(self) -> tuple[Block, ...]:
        """Headline numbers, verdicts, setting, chart, tables."""
        tables = (self.cost_table(), *((self.kept_table(),) if self.kept else ()))
        return (
            Heading(f"Erasing {self.attribute}"),
            self._facts(),
            *self.verdicts(),
            *(Text(line, "warn") for line in self.left_out),
            Text(self.setting()),
            self.chart(),
            self.table(),
            *tables,
        )

    def brief(self) -> tuple[Block, ...]:
        """Readings, cost and verdicts."""
        return (self.table(), self.cost_table(), *self.verdicts())

    def _facts(self) -> Facts:
        named = (("linear, before", BEFORE, LINEAR), ("linear, after", ERASED, LINEAR), ("MLP, after", ERASED, MLP))
        facts = [
            Fact(
                label, f"{found.accuracy.value:.2f}", f"{found.accuracy.interval()}; majority {self.majority.value:.2f}"
            )
            for label, vectors, probe in named
            if (found := self.reading(vectors, probe)) is not None
        ]
        if (cost := self.cost()) is not None:
            taken = f"{cost.cosine.interval()}; {self.rank} of {self.dim} dimensions out"
            facts.append(Fact("cosine with the original", f"{cost.cosine.value:.3f}", taken))
        return Facts(tuple(facts))
