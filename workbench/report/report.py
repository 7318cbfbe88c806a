"""One page out of results: HTML without network, Markdown, or JSON that gives both back."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from workbench.core import render
from workbench.core.blocks import Block, Intervals
from workbench.core.errors import BadInput
from workbench.core.files import read_json, write_json, write_text
from workbench.core.result import Result

FORMATS = ("html", "md", "json")


@dataclass(frozen=True)
class Report:
    """Results under one title. Everything on the page is in the JSON, and nothing else."""

    title: str
    results: tuple[Result, ...]
    made: str = ""
    """When and by which version, as one line for the foot of the page."""

    def blocks(self) -> tuple[Block, ...]:
        """All results' blocks, in order."""
        return tuple(block for result in self.results for block in result.blocks())

    def to_json(self) -> dict[str, Any]:
        """Title and results as plain JSON."""
        return {
            "report": 1,
            "title": self.title,
            "made": self.made,
            "results": [result.to_json() for result in self.results],
        }

    @classmethod
    def from_json(cls, value: Any, source: str = "report") -> Report:
        """Rebuild a report. A single result is taken as a report of one. Raises BadInput."""
        if isinstance(value, dict) and "type" in value:
            result = Result.from_json(value)
            return cls(getattr(result, "title", type(result).__name__), (result,))
        if not isinstance(value, dict) or value.get("report") != 1 or not isinstance(value.get("results"), list):
            raise BadInput(
                f"{source} is not a report of the workbench: expected an object with 'report': 1 and 'results'"
            )
        results = tuple(Result.from_json(item) for item in value["results"])
        return cls(str(value.get("title", "")), results, str(value.get("made", "")))

    @classmethod
    def load(cls, path: Path | str) -> Report:
        """Read `report.json`, or a single saved result."""
        return cls.from_json(read_json(path), str(path))

    def to_markdown(self) -> str:
        """GitHub-flavoured Markdown; charts become tables."""
        return render.to_markdown(self.blocks()) + (f"\n---\n\n{self.made}\n" if self.made else "")

    def to_html(self) -> str:
        """One page that needs no network: style, plotly and data are inside, and its policy lets nothing else in."""
        from jinja2 import Environment
        from markupsafe import Markup

        blocks = self.blocks()
        charts = any(isinstance(block, Intervals) for block in blocks)
        scripts = [_plotly(), _asset("charts.js")] if charts else []
        policy = " ".join(f"'sha256-{_digest(script)}'" for script in scripts) or "'none'"
        template = Environment(autoescape=True).from_string(_asset("page.html"))
        return template.render(
            title=self.title,
            style=Markup(_asset("page.css")),
            body=Markup(render.to_html(blocks)),
            scripts=[Markup(script) for script in scripts],
            policy=Markup(policy),
            made=self.made,
        )

    def save(self, folder: Path | str, name: str = "report", private: bool = False) -> tuple[Path, ...]:
        """Write `name`.html, .md and .json into `folder`, each whole or not at all; `private`: for the owner's eyes."""
        paths = tuple(Path(folder) / f"{name}.{form}" for form in FORMATS)
        write_text(paths[0], self.to_html())
        write_text(paths[1], self.to_markdown())
        write_json(paths[2], self.to_json())
        if private:
            for path in paths:
                path.chmod(0o600)
        return paths

    def print_pdf(self, folder: Path | str, name: str = "report", private: bool = False) -> Path:
        """Write `name`.pdf from `name`.html in `folder`, by a Chromium. Raises BadInput where none is found."""
        from workbench.report._pdf import print_pdf

        path = print_pdf(Path(folder) / f"{name}.html", Path(folder) / f"{name}.pdf")
        if private:
            path.chmod(0o600)
        return path


def _asset(name: str) -> str:
    return files("workbench.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()


def _digest(script: str) -> str:
    """The hash that a content-security policy names a script by."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
