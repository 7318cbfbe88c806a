"""ExplainerScores: whether what a language model says of vectors can be believed, beside floors and controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.core.blocks import Block, Fact, Facts, Heading, Intervals, Series, Table, Text
from workbench.core.estimate import Estimate, difference
from workbench.core.result import Result

ExplainerRole = Literal["explainer", "floor", "prior", "ceiling"]
PROBE = "linear probe"
_MEASURES = (
    ("cosine", "cosine"),
    ("normalised cosine", "normalised"),
    ("top-1 of 256", "top1_of_256"),
    ("top-10 of 256", "top10_of_256"),
    ("top-10 of 1,000", "top10_of_1000"),
)


@dataclass(frozen=True)
class DescriptionScores:
    """How well the descriptions of one method point back at their vectors.

    A vector is `top1_of_256` where its description, embedded anew, is nearer to it than to 255 others.
    """

    method: str
    role: ExplainerRole
    cosine: Estimate
    """Between the vector and the description embedded anew."""
    normalised: Estimate | None
    """(cosine - prior) / (with access to the text - prior)."""
    top1_of_256: Estimate
    top10_of_256: Estimate
    top10_of_1000: Estimate | None


@dataclass(frozen=True)
class QuestionScores:
    """How well one kind of yes-or-no question is answered. All but `recovered` and the error are AUROC."""

    kind: str
    auroc: Estimate
    blind: Estimate
    """The same model, given another vector."""
    text: Estimate | None
    """The same model, given the text itself."""
    probe: Estimate | None
    """A linear probe or the closed-form bag of words on the same vectors."""
    recovered: Estimate | None
    """(accuracy - blind) / (with the text - blind)."""
    calibration_error: float | None
    n: int


@dataclass(frozen=True)
class Counterfactual:
    """Spearman's correlation of the answer's logit with how far a vector is moved."""

    direction: str
    spearman: Estimate
    """Along the probe's direction."""
    random: Estimate
    """Along a random direction."""


@dataclass(frozen=True)
class Abstention:
    """How often the model abstains on one kind of vectors, and whether it should."""

    kind: str
    share: Estimate
    wanted: bool


@dataclass(frozen=True)
class Beaten:
    """One comparison that a floor wins."""

    domain: str
    measure: str
    floor: str
    ours: Estimate
    theirs: Estimate

    @property
    def clearly(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return difference(self.theirs, self.ours).low > 0

    def __str__(self) -> str:
        sure = "" if self.clearly else ", within the intervals"
        return f"{self.floor} on {self.measure} ({self.theirs.value:.2f} against {self.ours.value:.2f}{sure})"


@dataclass(frozen=True)
class DomainScores:
    """One corpus; `seen` tells whether its training split was learnt from. Losses are nats a token."""

    domain: str
    seen: bool
    n: int
    nats: Estimate
    shuffled_nats: Estimate
    """With another text's vector."""
    gap: Estimate
    """`shuffled_nats` less `nats`: what the vector tells."""
    descriptions: tuple[DescriptionScores, ...]
    questions: tuple[QuestionScores, ...]

    @property
    def ours(self) -> DescriptionScores | None:
        """The explainer's own row, the first if there are several."""
        return next((row for row in self.descriptions if row.role == "explainer"), None)

    def beaten(self) -> tuple[Beaten, ...]:
        """Every comparison in which a floor, the prior, the blind model or a probe is above the explainer."""
        pairs: list[tuple[str, str, Estimate | None, Estimate | None]] = [
            (measure, row.method, getattr(self.ours, field), getattr(row, field))
            for row in self.descriptions
            if self.ours and row.role in ("floor", "prior")
            for measure, field in _MEASURES
            if field != "normalised"  # the same comparison as the cosine's
        ]
        for row in self.questions:
            pairs += [(f"'{row.kind}'", "blind", row.auroc, row.blind), (f"'{row.kind}'", PROBE, row.auroc, row.probe)]
        return tuple(
            Beaten(self.domain, measure, floor, ours, theirs)
            for measure, floor, ours, theirs in pairs
            if ours and theirs and theirs.value > ours.value
        )

    def verdict(self) -> Text:
        """Where a floor beats the explainer, in words."""
        lost = self.beaten()
        if not lost:
            return Text(f"No floor beats the explainer on {self.domain}.", "good")
        told = "; ".join(map(str, lost))
        tone = "bad" if any(each.clearly for each in lost) else "warn"
        return Text(f"On {self.domain} the explainer is beaten by: {told}.", tone)

    def chart(self) -> Intervals:
        """AUROC by kind: explainer, blind, probe, and the model that is given the text."""
        kinds = self.questions
        series = [Series("explainer", tuple(q.auroc for q in kinds)), Series("blind", tuple(q.blind for q in kinds))]
        for name, found in ((PROBE, tuple(q.probe for q in kinds)), ("given the text", tuple(q.text for q in kinds))):
            if any(found):
                series.append(Series(name, found))
        title = f"Questions about {self.domain}, answered from vectors"
        return Intervals(title, "AUROC, chance is .5", tuple(q.kind for q in kinds), tuple(series), upper=1.0)

    def description_table(self) -> Table:
        """A line a method, the explainer in bold."""
        measures = [(n, f) for n, f in _MEASURES if any(getattr(row, f) is not None for row in self.descriptions)]
        rows = tuple((r.method, r.role, *(getattr(r, field) for _, field in measures)) for r in self.descriptions)
        strong = tuple(place for place, row in enumerate(self.descriptions) if row.role == "explainer")
        columns = ("method", "role", *(name for name, _ in measures))
        return Table(columns, rows, f"Descriptions of {self.domain}", strong, digits=2)

    def question_table(self) -> Table:
        """A line a kind of question."""
        columns = ("questions", "n", "AUROC", "blind", PROBE, "given the text", "recovered", "calibration error")
        rows = tuple(
            (q.kind, q.n, q.auroc, q.blind, q.probe, q.text, q.recovered, q.calibration_error) for q in self.questions
        )
        return Table(columns, rows, f"Questions about {self.domain}", digits=2)

    def blocks(self) -> tuple[Block, ...]:
        """One section of the page."""
        seen = "of whose other texts it learnt" if self.seen else "a corpus that it never saw"
        return (
            Heading(f"{self.domain}, {seen}"),
            self.verdict(),
            *((self.chart(), self.question_table()) if self.questions else ()),
            *((self.description_table(),) if self.descriptions else ()),
        )


@dataclass(frozen=True)
class ExplainerScores(Result):
    """One explainer, measured on held-out texts of one or more corpora; the first is the main one."""

    title: str
    embedder: str
    model: str
    checkpoint: str
    domains: tuple[DomainScores, ...]
    counterfactuals: tuple[Counterfactual, ...]
    abstentions: tuple[Abstention, ...]
    seconds: float
    seed: int

    def beaten(self) -> tuple[Beaten, ...]:
        """Every comparison that a floor wins, over all corpora and directions."""
        moved = tuple(
            Beaten("counterfactuals", f"'{each.direction}'", "a random direction", each.spearman, each.random)
            for each in self.counterfactuals
            if each.random.value > each.spearman.value
        )
        return (*(lost for domain in self.domains for lost in domain.beaten()), *moved)

    def losses(self) -> Table:
        """A line a corpus: what the vector tells the language model."""
        rows = tuple((d.domain, "yes" if d.seen else "no", d.n, d.nats, d.shuffled_nats, d.gap) for d in self.domains)
        columns = ("corpus", "learnt from", "texts", "nats a token", "with another vector", "gap")
        return Table(columns, rows, "What a vector saves of the text's description length", digits=2)

    def counterfactual_table(self) -> Table:
        """A line a direction."""
        rows = tuple((each.direction, each.spearman, each.random) for each in self.counterfactuals)
        columns = ("direction", "along the probe's", "along a random one")
        return Table(columns, rows, "Spearman's correlation of the answer with how far the vector is moved", digits=2)

    def abstention_table(self) -> Table:
        """A line a kind of vectors."""
        rows = tuple((each.kind, each.share, "yes" if each.wanted else "no") for each in self.abstentions)
        return Table(("vectors", "abstained", "should abstain"), rows, "Does it say when it cannot tell?", digits=2)

    def setting(self) -> str:
        """How it was measured, in words."""
        made = f" ({self.checkpoint})" if self.checkpoint else ""
        counts = ", ".join(f"{domain.n:,} of {domain.domain}" for domain in self.domains) or "no texts"
        return (
            f"{self.model}{made} reads vectors of {self.embedder}. Texts: {counts}, none learnt from. A description "
            "is embedded anew: its cosine with the vector, and whether it is nearest to its own among 256 or 1,000 "
            "(chance of top-1 of 256 is .004). Blind is the same model with another text's vector: it knows the "
            "language, not the text. An explainer that does not beat blind reads nothing, and one that does not beat "
            f"the {PROBE} tells nothing that is not had more cheaply. 95% intervals, seed {self.seed}, "
            f"{self.seconds:.0f} s."
        )

    def blocks(self) -> tuple[Block, ...]:
        """Headline, setting, losses, a section a corpus, counterfactuals and abstentions."""
        controls = self._controls()
        if not self.domains:
            return (Heading(self.title, 1), Text("No corpus was measured.", "warn"), *controls)
        sections = (block for domain in self.domains for block in domain.blocks())
        return (
            Heading(self.title, 1),
            self._facts(),
            Text(self.setting()),
            self.losses(),
            *sections,
            *((Heading("Does it follow the vector?"), *controls) if controls else ()),
        )

    def brief(self) -> tuple[Block, ...]:
        """Headline, losses, the main corpus, and where floors win."""
        if not self.domains:
            return self.blocks()
        main = self.domains[0]
        columns = ("AUROC", "explainer", "blind", PROBE)
        questions = tuple((q.kind, q.auroc, q.blind, q.probe) for q in main.questions)
        return (
            Heading(self.title, 1),
            self._facts(),
            self.losses(),
            *((Table(columns, questions, f"Questions about {main.domain}", digits=2),) if questions else ()),
            *((main.description_table(),) if main.descriptions else ()),
            *(domain.verdict() for domain in self.domains),
            *self._controls(),
        )

    def _controls(self) -> tuple[Block, ...]:
        if not (self.counterfactuals or self.abstentions):
            return ()
        lost = [each for each in self.beaten() if each.domain == "counterfactuals"]
        note = f"Answers do not follow these directions: {'; '.join(map(str, lost))}."
        return (
            *((self.counterfactual_table(),) if self.counterfactuals else ()),
            *((Text(note, "bad"),) if lost else ()),
            *((self.abstention_table(),) if self.abstentions else ()),
        )

    def _facts(self) -> Facts:
        main, lost = self.domains[0], self.beaten()
        gap = f"{main.gap.interval()}; {main.nats.value:.2f} with it, {main.shuffled_nats.value:.2f} with another"
        tone = "good" if main.gap.low > 0 else "bad"
        items = [Fact("nats a token that the vector tells", f"{main.gap.value:.2f}", gap, tone)]
        floors = [row for row in main.descriptions if row.role in ("floor", "prior")]
        if main.ours and floors:
            best = max(floors, key=lambda row: row.cosine.value)
            clear = difference(main.ours.cosine, best.cosine).low > 0
            note = f"{main.ours.cosine.interval()}; best floor, {best.method}: {best.cosine.value:.2f}"
            tone = "good" if clear else "warn"
            items.append(Fact("cosine of descriptions", f"{main.ours.cosine.value:.2f}", note, tone))
        kinds = [question for domain in self.domains for question in domain.questions]
        if kinds:
            told = sum(difference(question.auroc, question.blind).low > 0 for question in kinds)
            tone = "good" if told == len(kinds) else "warn"
            items.append(Fact("kinds of questions clearly above blind", f"{told} of {len(kinds)}", "AUROC", tone))
        clear = sum(each.clearly for each in lost)
        tone = "bad" if clear else "warn" if lost else "good"
        items.append(Fact("comparisons that a floor wins", f"{len(lost)}", f"{clear} of them clearly", tone))
        return Facts(tuple(items))
