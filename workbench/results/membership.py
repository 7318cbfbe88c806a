"""Membership: how well an attack tells the texts of a store, or of a training set, from others like them."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text
from workbench.core.curves import Curve, Curves
from workbench.core.estimate import Estimate
from workbench.core.result import Result

STRICT = 0.001
FEWEST_STRICT = 5_000
"""Non-members below which no rate at STRICT is printed."""


@dataclass(frozen=True)
class Rate:
    """What an attack finds at a threshold that was set, on other texts, for a share of false alarms."""

    level: float
    """False positive rate that the threshold was set for."""
    found: Estimate
    """Members above it (true positive rate)."""
    false: Estimate
    """Non-members above it: the false positive rate that came out."""


@dataclass(frozen=True)
class AttackRates:
    """One attack: area under the ROC curve, and points of the curve at low rates of false alarms."""

    attack: str
    auc: Estimate
    rates: tuple[Rate, ...]

    def at(self, level: float) -> Rate:
        """The point for one level."""
        return next(rate for rate in self.rates if rate.level == level)


@dataclass(frozen=True)
class Membership(Result):
    """Attacks on who is a member, beside a blind one that sees the texts alone; the last attack is the strongest."""

    title: str
    members: int
    others: int
    left_out: int
    """Texts that were left out: in both lists by their normal form, or twice in one."""
    attacks: tuple[AttackRates, ...]
    blind: AttackRates
    chance: float
    """What a random attack may find at 1% false alarms in a sample of this size (97.5% limit)."""
    strict_chance: float
    """The same at 0.1%."""
    note: str
    seconds: float

    @property
    def leaks(self) -> bool:
        """Whether the lists differ as texts, so that no store is needed to tell them apart."""
        return self.blind.auc.low > 0.5

    @property
    def best(self) -> AttackRates:
        """The attack that is calibrated."""
        return self.attacks[-1]

    def table(self) -> Table:
        """A row an attack; the blind one last."""
        levels = [rate.level for rate in self.blind.rates if rate.level in (STRICT, 0.01)]
        columns = ["attack", "AUC"]
        for level in levels:
            columns += [f"found at {level:.1%} false alarms", "false alarms that came"]
        rows = []
        for each in (*self.attacks, self.blind):
            rates = [each.at(level) for level in levels]
            rows.append((each.attack, each.auc, *(cell for rate in rates for cell in (rate.found, rate.false))))
        return Table(tuple(columns), tuple(rows), "Members told from others", (len(self.attacks) - 1,))

    def curve(self) -> Curves:
        """The ROC curve on logarithmic axes: at low rates of false alarms an attack is worth something or nothing."""
        shown = (*self.attacks, self.blind)
        curves = tuple(Curve(each.attack, tuple((rate.level, rate.found) for rate in each.rates)) for each in shown)
        title = "ROC: members found, by false alarms allowed; bars at 1%"
        return Curves(title, "false alarms allowed", "members found", curves, "xy", "chance", 0.01, "xy")

    def blocks(self) -> tuple[Block, ...]:
        """Headline, warning if the lists differ as texts, table, curve, how it was done."""
        best = self.best
        hit = best.at(0.01)
        return (
            Heading(self.title),
            Facts(
                (
                    Fact("members found", f"{hit.found.value:.1%}", f"{hit.found.interval(3)} at 1% false alarms"),
                    Fact("AUC", f"{best.auc.value:.3f}", f"{best.auc.interval(3)}, {best.attack}"),
                    Fact(
                        "blind AUC",
                        f"{self.blind.auc.value:.3f}",
                        self.blind.auc.interval(3),
                        "bad" if self.leaks else "good",
                    ),
                    Fact("members, others", f"{self.members:,}, {self.others:,}", f"{self.left_out:,} left out"),
                )
            ),
            *self._warning(),
            self.table(),
            self.curve(),
            Text(self._method()),
        )

    def _warning(self) -> tuple[Text, ...]:
        if not self.leaks:
            return ()
        return (
            Text(
                f"The split leaks: words and lengths alone tell members from others (AUC {self.blind.auc.text()}). "
                "Only what an attack has beyond that is due to what is attacked; draw both lists from one source.",
                "warn",
            ),
        )

    def _method(self) -> str:
        strict = ""
        if self.others < FEWEST_STRICT:
            strict = (
                f" No rate at 0.1% false alarms: that needs {FEWEST_STRICT:,} non-members, of which there are "
                f"{self.others:,}; a random attack may find {self.strict_chance:.1%} there."
            )
        return (
            f"{self.note} Each half of the texts is judged by what the non-members of the other half teach, thresholds "
            "included; rates have exact (Clopper-Pearson) intervals, which take texts as independent. A random attack "
            f"may find {self.chance:.1%} at 1% false alarms (97.5% limit): less cannot be told from chance.{strict}"
        )
