"""Parts of an audit's report that show scores: planted data by kind, persons, and the attack by groups of texts."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.blocks import Block, Intervals, Series, Table, Text
from workbench.core.curves import Curve, Curves
from workbench.results.audit_parts import GroupScores, Persons, Recovery


def recovery_chart(recoveries: Sequence[Recovery]) -> Intervals:
    """Values found whole, by kind and method."""
    kinds = tuple(dict.fromkeys(each.kind for each in recoveries))
    methods = tuple(dict.fromkeys(each.method for each in recoveries))
    found = {(each.method, each.kind): each.exact for each in recoveries}
    labels = tuple(f"{kind} ({next(found[m, kind].n for m in methods if (m, kind) in found)})" for kind in kinds)
    series = tuple(Series(method, tuple(found.get((method, kind)) for kind in kinds)) for method in methods)
    title = "Planted values found whole, by kind (number planted)"
    return Intervals(title, "share of values", labels, series, upper=1.0)


def recovery_tables(recoveries: Sequence[Recovery], main: str) -> tuple[Table, Table]:
    """A row a kind of the method `main` with all that is known of it, and a row a kind and method of the others."""
    own = tuple(
        (r.kind, r.exact, r.fuzzy, r.partial, r.excess, r.fuzzy_excess, r.invented)
        for r in recoveries
        if r.method == main
    )
    rest = tuple((r.kind, r.method, r.exact, r.fuzzy, r.partial, r.invented) for r in recoveries if r.method != main)
    names = ("kind", "whole", "nearly", "its words", "excess, whole", "excess, nearly", "made up")
    floors = ("kind", "method", "whole", "nearly", "its words", "made up")
    return (
        Table(names, own, f"Recovery of planted personal data, {main}", digits=2),
        Table(floors, rest, "The same by what needs no inversion, or no vector", digits=2),
    )


def person_table(persons: Sequence[Persons], main: str) -> Table:
    """A row a method: of how many persons it reads a value, the name, the name with another value."""
    rows = tuple(
        (
            each.method,
            each.anything,
            each.named,
            each.linked,
            each.anything_excess,
            each.named_excess,
            each.linked_excess,
        )
        for each in persons
    )
    strong = tuple(place for place, each in enumerate(persons) if each.method == main)
    names = ("method", "any value", "name", "linked", "excess, any value", "excess, name", "excess, linked")
    return Table(names, rows, "Distinct planted persons of whom something came back whole", strong, digits=2)


def group_blocks(groups: Sequence[GroupScores]) -> tuple[Block, ...]:
    """Recovery by length as curves, every group in a table, and those who fare worst."""
    if not groups:
        return ()
    lengths = [each for each in groups if each.by == "length"]
    blocks: list[Block] = []
    if len(lengths) > 1:
        curves = (
            Curve("the attack", tuple((each.words, each.token_f1) for each in lengths)),
            Curve("the same on shuffled vectors", tuple((each.words, each.prior_f1) for each in lengths)),
            Curve("whole sentences", tuple((each.words, each.exact) for each in lengths)),
        )
        title = "Recovery by length of the hidden sentence"
        blocks.append(Curves(title, "words (mean of a bucket)", "token F1, or share", curves, percent="y"))
    place = max(range(len(groups)), key=lambda place: groups[place].excess.low)
    rows = tuple((g.by, g.group, g.n, g.token_f1, g.prior_f1, g.excess, g.exact, g.exact_excess) for g in groups)
    names = ("by", "group", "n", "token F1", "its prior", "excess", "whole", "excess, whole")
    worst = groups[place]
    return (
        *blocks,
        Table(names, rows, "The attack by groups of texts; the worst-off in bold", (place,), digits=2),
        Text(
            f"Worst-off of {len(groups)} groups: {worst.group} ({worst.by}), excess {worst.excess.text(2)}. It was "
            "chosen after the fact, so a little of its lead is chance; groups of fewer than ten texts have no row."
        ),
    )
