"""DefenceScores: what attackers read from defended vectors, and what the vectors are still good for."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.blocks import Block, Cell, Fact, Facts, Heading, Intervals, Series, Table, Text
from workbench.core.curves import Curve, Curves
from workbench.core.estimate import Estimate
from workbench.core.result import Result

NONE = "none"
STATIC, LINEAR, MLP = "static probe", "retrained probe", "retrained MLP"


@dataclass(frozen=True)
class Attack:
    """How often one attacker names the attribute: the mean over seeds, and the worst and best of them."""

    name: str
    accuracy: Estimate
    lowest: float
    highest: float


@dataclass(frozen=True)
class DefenceRow:
    """One defence, as its line names it (without a key), under every attack."""

    defence: str
    facts: tuple[tuple[str, str], ...]
    dim: int
    attacks: tuple[Attack, ...]
    recovered: Estimate
    """Cosine of the true vectors with those that a ridge map from known pairs makes of the defended ones."""
    averaged: Estimate | None
    """Cosine of the true vectors with the mean of the most releases; None where every release is the same."""
    neighbours: Estimate
    """Share of the 10 nearest neighbours of an undefended vector that a query for it still finds."""
    ndcg: Estimate | None
    """nDCG@10 of the passage that answers a question, the store defended; None where no embedder was at hand."""
    recall: Estimate | None
    paraphrase_auc: Estimate | None

    def attack(self, name: str) -> Attack:
        """The attack of that name. Raises LookupError."""
        return next(each for each in self.attacks if each.name == name)

    @property
    def static(self) -> Attack:
        """A probe that never saw a defended vector."""
        return self.attack(STATIC)

    @property
    def adaptive(self) -> Attack:
        """The same probe, trained anew on defended vectors."""
        return self.attack(LINEAR)

    @property
    def worst(self) -> Attack:
        """The attack that reads most."""
        return max(self.attacks, key=lambda each: each.accuracy.value)

    @property
    def deceives(self) -> bool:
        """Whether the static attacker alone would have made it look better than it is, beyond both intervals."""
        return self.static.accuracy.high < self.worst.accuracy.low


@dataclass(frozen=True)
class DefenceScores(Result):
    """Several defences of the same vectors, against the same attackers."""

    attribute: str
    embedder: str
    classes: tuple[str, ...]
    learnt: int
    """Rows that defences and attackers were fitted on."""
    test: int
    groups: int
    """Groups of the test rows."""
    prior: Estimate
    """Accuracy of the class that is most frequent among the learnt rows."""
    recovered_prior: Estimate
    """Cosine of the true vectors with the mean of the learnt ones."""
    rows: tuple[DefenceRow, ...]
    pairs: tuple[int, ...]
    releases: tuple[int, ...]
    questions: int
    seeds: tuple[int, ...]
    seconds: float = 0.0
    left_out: str = ""
    """How many rows have no label, in words."""

    def row(self, defence: str) -> DefenceRow:
        """The row of that line. Raises LookupError."""
        return next(each for each in self.rows if each.defence == defence)

    def table(self) -> Table:
        """A line a defence: utility, leakage to the static, the retrained and the worst attacker; last the prior."""
        searched = any(each.ndcg for each in self.rows)
        rows = tuple(
            (
                each.defence,
                *((each.ndcg,) if searched else ()),
                each.neighbours,
                each.static.accuracy,
                each.adaptive.accuracy,
                each.worst.accuracy,
                each.worst.name,
            )
            for each in self.rows
        )
        floor: tuple[Cell, ...] = ("prior", *((None,) * (1 + searched)), *((self.prior,) * 3), "")
        named = ("nDCG@10",) if searched else ()
        columns = ("defence", *named, "neighbours kept", "static", "adaptive", "worst", "worst attack")
        return Table(columns, (*rows, floor), f"Utility, and accuracy of attackers for {self.attribute}")

    def attack_table(self) -> Table:
        """A line for each defence and attack, with the range of the seeds."""
        rows = tuple(
            (each.defence, attack.name, attack.accuracy, f"{attack.lowest:.3f} to {attack.highest:.3f}")
            for each in self.rows
            for attack in each.attacks
        )
        return Table(("defence", "attack", "accuracy", "seeds"), rows, "Every attack")

    def vector_table(self) -> Table:
        """A line a defence: how much of the vectors themselves comes back."""
        floor = ("prior", self.recovered_prior, None)
        rows = (*((each.defence, each.recovered, each.averaged) for each in self.rows), floor)
        columns = ("defence", "retrained map", f"mean of {max(self.releases)} releases")
        return Table(columns, rows, "Cosine of recovered vectors with the true ones, which inversion starts from")

    def utility_table(self) -> Table:
        """A line a defence: all measures of utility."""
        rows = tuple(
            (each.defence, each.dim, each.ndcg, each.recall, each.neighbours, each.paraphrase_auc) for each in self.rows
        )
        columns = ("defence", "dim", "nDCG@10", "recall@10", "neighbours kept, of 10", "paraphrase AUC")
        return Table(columns, rows, "Utility")

    def fact_table(self) -> Table:
        """A line a defence: what it does and what it promises."""
        rows = tuple((each.defence, *(dict(each.facts).get(key, "") for key in _FACTS)) for each in self.rows)
        return Table(("defence", *_FACTS), rows, "What each defence does")

    def chart(self) -> Intervals:
        """Utility and leakage of every defence on one axis."""
        searched = all(each.ndcg for each in self.rows)
        utility = tuple(each.ndcg if searched else each.neighbours for each in self.rows)
        return Intervals(
            f"Leakage of {self.attribute} against utility",
            "share",
            tuple(each.defence for each in self.rows),
            (
                Series("utility: " + ("nDCG@10" if searched else "neighbours kept"), utility),
                Series("leakage: static attacker", tuple(each.static.accuracy for each in self.rows)),
                Series("leakage: worst attacker", tuple(each.worst.accuracy for each in self.rows)),
                Series("prior", (self.prior,) * len(self.rows)),
            ),
            upper=1.0,
        )

    def averaging(self) -> tuple[Curves, ...]:
        """What the mean of many releases gives back, for every defence whose noise is drawn anew each time."""
        fresh = [each for each in self.rows if each.averaged is not None]
        if not fresh:
            return ()
        curves = []
        for row in fresh:
            means = [(float(m), row.attack(f"mean of {m} releases").accuracy) for m in self.releases if m > 1]
            curves.append(Curve(row.defence, ((1.0, row.static.accuracy), *means)))
        floor = Curve("prior", tuple((float(m), self.prior) for m in self.releases))
        title = f"Fresh noise averages away: {self.attribute} read from the mean of many releases"
        return (Curves(title, "releases of the same vector", "accuracy", (*curves, floor), "x", percent="y"),)

    def pairs_curve(self) -> tuple[Curves, ...]:
        """What known pairs give back, for every defence by which a static attacker is deceived."""
        held = [each for each in self.rows if each.deceives]
        if not held or not self.pairs:
            return ()
        found = (
            Curve(row.defence, tuple((float(k), row.attack(f"{k} known pairs").accuracy) for k in self.pairs))
            for row in held
        )
        floor = Curve("prior", tuple((float(k), self.prior) for k in self.pairs))
        title = f"A transform is learnt from known pairs: {self.attribute} read after Procrustes"
        return (Curves(title, "known pairs", "accuracy", (*found, floor), "x", percent="y"),)

    def verdicts(self) -> tuple[Text, ...]:
        """Of which defences a static attacker would have shown less, and what every epsilon is an epsilon of."""
        out = [
            Text(
                f"{each.defence}: the static attacker reads {each.static.accuracy.text()}, the attack "
                f"'{each.worst.name}' {each.worst.accuracy.text()}; the static one alone would have shown less.",
                "warn",
            )
            for each in self.rows
            if each.deceives
        ]
        for each in self.rows:
            if "epsilon" in (facts := dict(each.facts)):
                out.append(Text(f"{each.defence}: " + "; ".join(f"{key}: {facts[key]}" for key in facts) + "."))
        return tuple(out)

    def setting(self) -> str:
        """How it was measured, in words."""
        searched = (
            f"nDCG@10, recall@10: {self.questions:,} SQuAD questions against as many passages, which were defended; "
            f"paraphrase AUC: {self.questions:,} pairs of Tatoeba, both sides defended. "
            if self.questions
            else ""
        )
        return (
            f"Vectors of {self.embedder}; defences were fitted on {self.learnt:,} rows, and so were the attackers, who "
            f"know their true vectors and labels; scores are of {self.test:,} other rows of {self.groups:,} groups, "
            f"means of {len(self.seeds)} seeds, with 95% intervals over groups. Static: a tuned linear probe of "
            "undefended vectors (vectors of fewer dimensions are filled up with zeros). Retrained: the same, and an "
            "MLP of one hidden layer, on defended vectors. Known pairs "
            f"({', '.join(map(str, self.pairs))}): Procrustes back to the true space, then the static probe. Releases "
            f"(up to {max(self.releases)}, where they differ): their mean, then the static probe. Worst is the highest "
            "of all, so a little above what one attacker chosen beforehand reaches; any attack is a lower bound on "
            "leakage, and rows that a learnt defence was not fitted on may give away more. "
            f"{searched}Neighbours kept: among the test rows, against the undefended ones. Queries are of the "
            "rightful user, who holds the key and adds no noise."
        )

    def blocks(self) -> tuple[Block, ...]:
        """Headline numbers, table, verdicts, setting, chart, all else."""
        held = sum(each.deceives for each in self.rows)
        facts = (
            Fact("defences", str(sum(each.defence != NONE for each in self.rows)), f"{len(self.seeds)} seeds each"),
            Fact("prior", f"{self.prior.value:.2f}", f"{len(self.classes)} classes"),
            Fact(
                "leak more than a static attacker shows", str(held), "beyond both intervals", "bad" if held else "plain"
            ),
        )
        others = (self.attack_table(), self.vector_table(), self.utility_table(), self.fact_table())
        return (
            Heading(f"Defences against reading {self.attribute}"),
            Facts(facts),
            *((Text(self.left_out, "warn"),) if self.left_out else ()),
            self.table(),
            *self.verdicts(),
            Text(self.setting()),
            self.chart(),
            *self.averaging(),
            *self.pairs_curve(),
            *others,
        )

    def brief(self) -> tuple[Block, ...]:
        """The table, what a static attacker would have missed, and every epsilon's meaning."""
        return (self.table(), self.vector_table(), *self.verdicts())


_FACTS = ("mechanism", "epsilon", "unit", "sensitivity", "release", "guarantee")
