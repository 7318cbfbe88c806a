"""Gate: limits on what may leak, checked against an audit's findings, for continuous integration."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.core.errors import BadInput
from workbench.core.files import read_toml
from workbench.results.audit_parts import Finding


class Limit(BaseModel):
    """The most that findings may have: of one threat model, attack or measure where these are named, else of all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    most: float = Field(ge=0, le=1)
    """Largest excess over the floor that is allowed."""
    threat: str = ""
    attack: str = ""
    measure: str = ""
    """A part of the measure's name, such as `personal data`."""
    bound: str = Field("value", pattern="^(value|low|high)$")
    """Which end of the interval is held against it: `low` forgives what may be chance, `high` forgives nothing."""

    def meets(self, finding: Finding) -> bool:
        """Whether the limit speaks of a finding."""
        return (
            self.threat in ("", finding.threat)
            and self.attack in ("", finding.attack)
            and self.measure.casefold() in finding.measure.casefold()
        )

    def words(self) -> str:
        """The limit in one line."""
        of = ", ".join(each for each in (self.threat, self.attack, self.measure) if each) or "anything"
        return f"{of}: at most {self.most:g} ({self.bound})"


class Gate(BaseModel):
    """Limits of a file `limits.toml`: a list of `[[limit]]` tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: tuple[Limit, ...] = Field(min_length=1)

    @classmethod
    def read(cls, path: Path | str) -> Gate:
        """Read TOML. Raises BadInput that names what is wrong."""
        content = read_toml(path, "the limits ")
        try:
            return cls(**content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise BadInput(f"{path}: {place} is {first.get('input')!r}; {first['msg']}") from error

    def broken(self, findings: tuple[Finding, ...]) -> list[str]:
        """A line for every finding that is over a limit, and for every limit that no finding could be held against.

        A limit on what was not measured is broken: what was not looked at has not passed. So is a limit on an end of
        the interval where one item or one group gave none.
        """
        lines = []
        for limit in self.limit:
            met = [finding for finding in findings if limit.meets(finding)]
            if not met:
                lines.append(f"{limit.words()}: nothing of the kind was measured")
            for finding in met:
                unknown = limit.bound != "value" and not finding.excess.has_interval
                if unknown or getattr(finding.excess, limit.bound) > limit.most:
                    name = f"{finding.threat}, {finding.attack}, {finding.measure}"
                    lines.append(f"{limit.words()}, but {name} has {finding.excess.text()}")
        return lines
