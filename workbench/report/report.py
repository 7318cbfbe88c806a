"""One page out of results: HTML without network, Markdown, or JSON that gives both back."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from workbench.core import render
from workbench.core.blocks import Block, Intervals
from workbench.core.errors import BadInput, require
from workbench.core.files import read_json, write_json, write_text
from workbench.core.result import OtherVersion, Result
from workbench.core.schema import report_schema

FORMATS = ("html", "md", "json")
SCHEMA_VERSION = 1
"""Of the JSON of a report; each result in it has its own."""


@dataclass(frozen=True)
class Report:
    """Results under one title. Everything on the page is in the JSON, and nothing else."""

    title: str
    results: tuple[Result, ...]
    made: str = ""
    """When and by which version, as one line for the foot of the page."""

    def __post_init__(self) -> None:
        require(self.title, str, "the title")
        require(self.results, (tuple, list), "results")
        for number, result in enumerate(self.results):
            require(result, Result, f"result {number}")

    def blocks(self) -> tuple[Block, ...]:
        """All results' blocks in order, closing words of any of them at the end."""
        opening = [block for result in self.results for block in result.opening()]
        return (*opening, *(block for result in self.results for block in result.closing()))

    def to_json(self) -> dict[str, Any]:
        """Title and results as plain JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "title": self.title,
            "made": self.made,
            "results": [result.to_json() for result in self.results],
        }

    @staticmethod
    def schema() -> dict[str, Any]:
        """JSON Schema (draft 2020-12) of `to_json`, for every type of result that the workbench has."""
        import workbench.results  # noqa: F401  # so that all are known

        known = (kind for kind in Result.kinds() if kind.__module__.startswith("workbench."))
        return report_schema(known, SCHEMA_VERSION)

    @classmethod
    def from_json(cls, value: Any, source: str = "report") -> Report:
        """Rebuild a report. A single result is taken as a report of one. Raises OtherVersion, BadInput."""
        if isinstance(value, dict) and "type" in value:
            result = Result.opened(value)
            return cls(getattr(result, "title", type(result).__name__), (result,))
        if not isinstance(value, dict) or not isinstance(value.get("results"), list):
            raise BadInput(f"{source} is not a report of the workbench: expected an object with 'results'")
        if (version := value.get("schema_version")) != SCHEMA_VERSION:
            raise OtherVersion(source, version, SCHEMA_VERSION)
        results = tuple(Result.opened(item) for item in value["results"])
        return cls(str(value.get("title", "")), results, str(value.get("made", "")))

    @classmethod
    def load(cls, path: Path | str) -> Report:
        """Read `report.json`, or a single saved result."""
        return cls.from_json(read_json(path), str(path))

    def to_markdown(self) -> str:
        """GitHub-flavoured Markdown; charts become tables."""
        return render.to_markdown(self.blocks()) + (f"\n---\n\n{render.plain(self.made)}\n" if self.made else "")

    def to_html(self) -> str:
        """One page that needs no network: style, plotly and data are inside, and its policy lets nothing else in."""
        from jinja2 import Environment
        from markupsafe import Markup

        blocks = self.blocks()
        charts = any(isinstance(block, Intervals) for block in blocks)
        scripts = [_plotly(), _asset("charts.js")] if charts else []
        styles = [_asset("page.css"), *([""] if charts else [])]  # plotly fills an empty one by rules
        template = Environment(autoescape=True).from_string(_asset("page.html"))
        return template.render(
            title=self.title,
            style=Markup(styles[0]),
            body=Markup(render.to_html(blocks)),
            scripts=[Markup(script) for script in scripts],
            policy=Markup(_hashes(scripts)),
            styles=Markup(_hashes(styles)),
            made=self.made,
        )

    def save(self, folder: Path | str, name: str = "report", private: bool = False) -> tuple[Path, ...]:
        """Write `name`.html, .md and .json into `folder`, each whole or not at all; `private`: for the owner's eyes."""
        paths = tuple(Path(folder) / f"{name}.{form}" for form in FORMATS)
        write_text(paths[0], self.to_html(), private)
        write_text(paths[1], self.to_markdown(), private)
        write_json(paths[2], self.to_json(), private)
        return paths

    def print_pdf(self, folder: Path | str, name: str = "report", private: bool = False) -> Path:
        """Write `name`.pdf from `name`.html in `folder`, by a Chromium. Raises BadInput where none is found."""
        from workbench.report._pdf import print_pdf

        return print_pdf(Path(folder) / f"{name}.html", Path(folder) / f"{name}.pdf", private)


def _asset(name: str) -> str:
    return files("workbench.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()


def _hashes(parts: Sequence[str]) -> str:
    """What a content-security policy names inline scripts or styles by: of each its hash."""
    digests = (base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts)
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
