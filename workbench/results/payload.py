"""Payload: what a store of vectors says without any inversion, with every value masked."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.blocks import Block, Fact, Facts, Heading, Table, Text, Tone
from workbench.core.estimate import Estimate
from workbench.core.result import Result


@dataclass(frozen=True)
class Column:
    """One column beside the vectors: ids, texts, or a label."""

    name: str
    kind: str
    """What nearly all values are: sequential, UUID v7, hash, e-mail, path, timestamp, free text, category, ..."""
    filled: float
    """Share of rows that have a value, counted over all of them."""
    distinct: int
    longest: int
    """Characters of the longest value."""
    shape: str
    """A value with its letters and digits masked."""
    note: str = ""


@dataclass(frozen=True)
class Times:
    """When rows were made, by a column or by the moment that its ids hold; hours are UTC, or as written."""

    column: str
    first: str
    last: str
    busiest: str
    """The eight hours in a row that hold the most rows; empty where there are dates alone."""
    in_busiest: Estimate | None
    """Share of rows in these eight hours; a third where there is no rhythm."""
    weekend: Estimate
    """Share of rows on Saturday or Sunday; two sevenths where there is no rhythm."""
    bursts: Estimate
    """Share of rows that follow another within a second, as a batch does."""


@dataclass(frozen=True)
class Pattern:
    """Personal data of one kind in one column; `distinct` values, of which `shape` is one, masked."""

    column: str
    kind: str
    rows: Estimate
    distinct: int
    shape: str


@dataclass(frozen=True)
class Duplicates:
    """Rows whose vector another row has too, exactly or nearly (cosine of at least `near`)."""

    exact: Estimate
    largest: int
    """Rows of the largest set of equal vectors."""
    nearly: Estimate
    """Equal ones included."""
    near: float


@dataclass(frozen=True)
class Linkage:
    """Rows of this store that are found again in another dump."""

    rows: int
    """Rows of the other dump."""
    by_id: Estimate
    """Share of this store's rows whose id is there."""
    by_vector: Estimate | None
    """Share of rows whose nearest vector there is nearer than the second by the ratio below."""
    ratio: float | None
    """Distance to the nearest over distance to the second nearest, at most."""
    false_link: Estimate | None
    """Share of rows that are not there and still would be linked, measured on other rows than the ratio was set on."""
    right: Estimate | None
    """Of links by vector whose id is in both dumps: the share that joins equal ids."""
    note: str = ""

    @property
    def false_links(self) -> float | None:
        """Most links by vector that are expected to be false, as a share of all of them."""
        if self.by_vector is None or self.false_link is None or not self.by_vector.value:
            return None
        return min(1.0, self.false_link.value / self.by_vector.value)


@dataclass(frozen=True)
class Payload(Result):
    """Ids, labels, texts, times, personal data, duplicates and links of one store. Holds no value of any row."""

    n: int
    dim: int
    columns: tuple[Column, ...]
    times: tuple[Times, ...]
    free_text: Estimate
    """Share of rows with text in a label."""
    texts: bool
    """Whether the texts themselves lie beside the vectors."""
    personal: tuple[Pattern, ...]
    any_personal: Estimate
    """Share of rows with personal data of any kind; dates count only where they are of a birth."""
    singled_out: Estimate | None
    """Share of rows that no other equals in all category columns together; None with fewer than two of them."""
    duplicates: Duplicates
    linkage: Linkage | None
    seconds: float
    unread: tuple[str, ...] = ()
    """Columns of the store that were not read, by name, and why: nothing here speaks of them."""
    lost: tuple[str, ...] = ()
    """What the stored vectors no longer hold of the numbers that were embedded."""

    def column_table(self) -> Table:
        """One row a column."""
        rows = [(c.name, c.kind, c.filled, c.distinct, c.longest, c.shape, c.note) for c in self.columns]
        names = ("column", "kind", "filled", "distinct", "longest", "shape of a value", "so")
        return Table(names, tuple(rows), "What lies beside the vectors", digits=2)

    def personal_table(self) -> Table:
        """One row a column and kind of personal data."""
        rows = [(p.column, p.kind, p.rows, p.distinct, p.shape) for p in self.personal]
        names = ("column", "kind", "share of rows", "distinct values", "shape of one")
        return Table(names, tuple(rows), "Personal data that patterns find")

    def time_table(self) -> Table:
        """One row a column that holds moments."""
        rows = [(t.column, t.first, t.last, t.busiest, t.in_busiest, t.weekend, t.bursts) for t in self.times]
        names = ("column", "first", "last", "busiest 8 hours", "rows in them", "at weekends", "in bursts")
        return Table(names, tuple(rows), "When rows were made", digits=2)

    def linkage_table(self) -> Table:
        """Links by id and by vector."""
        link = self.linkage
        assert link is not None  # shown only where there is one
        doubt = None if link.false_links is None else f"{link.false_links:.3f}"
        rows = (
            ("by id", link.by_id, None, None, None),
            ("by vector", link.by_vector, link.false_link, doubt, link.right),
        )
        names = ("link", "rows linked", "link of a row that is not there", "false among links, at most", "ids agree")
        return Table(names, rows, f"The same rows in another dump of {link.rows:,}")

    def blocks(self) -> tuple[Block, ...]:
        """Headline numbers, columns, personal data, times, links, and what was not looked for."""
        return (
            Heading("What the store says without inversion"),
            self._facts(),
            *self._unread(),
            *self._lost(),
            self.column_table(),
            *((self.personal_table(),) if self.personal else ()),
            *((self.time_table(),) if self.times else ()),
            *self._linkage(),
            Text(
                "Values are masked: x for letters and marks, 9 for digits, runs cut to three. Personal data is found "
                "by patterns (check digits, numbering plans, words nearby), which know no names and no places: what "
                "they miss is not absent. A date is personal data only where it is a date of birth."
            ),
        )

    def _unread(self) -> tuple[Block, ...]:
        if not self.unread:
            return ()
        names = ", ".join(self.unread)
        return (Text(f"Not read: {names}. No number on this page speaks of these columns.", "bad"),)

    def _lost(self) -> tuple[Block, ...]:
        if not self.lost:
            return ()
        return (
            Text(
                f"The vectors are a lossy copy: {'; '.join(self.lost)}. Which vectors are equal or near is said of the "
                "copy, and can be more or fewer than those of the embedder."
            ),
        )

    def _facts(self) -> Facts:
        def tone(share: Estimate) -> Tone:
            return "bad" if share.value else "plain"

        d, facts = self.duplicates, [Fact("vectors", f"{self.n:,}", f"of {self.dim} dimensions")]
        if self.texts:
            facts.append(Fact("texts", "stored", "beside their vectors: nothing is to be inverted", "bad"))
        facts += [
            _share("rows with text in a label", self.free_text, tone(self.free_text)),
            _share("rows with personal data", self.any_personal, tone(self.any_personal)),
        ]
        if self.unread:
            facts.append(Fact("columns not read", f"{len(self.unread):,}", "they may hold personal data", "bad"))
        if self.singled_out is not None:
            facts.append(_share("rows singled out by categories", self.singled_out, tone(self.singled_out)))
        facts.append(_share("rows with an equal vector", d.exact, "plain"))
        facts.append(_share(f"rows with a vector at cosine {d.near}", d.nearly, "plain"))
        return Facts(tuple(facts))

    def _linkage(self) -> tuple[Block, ...]:
        if self.linkage is None:
            return ()
        note = self.linkage.note
        return (self.linkage_table(), *((Text(note),) if note else ()))


def _share(label: str, share: Estimate, tone: Tone) -> Fact:
    interval = f"[{share.low:.1%}, {share.high:.1%}]" if share.has_interval else share.interval()
    return Fact(label, f"{share.value:.1%}", f"{interval} of {share.n:,}", tone)
