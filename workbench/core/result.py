"""Result: what every method returns. It knows its blocks, and so renders, saves and loads itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from workbench.core import codec, render
from workbench.core.blocks import Block
from workbench.core.errors import BadInput, first_line
from workbench.core.files import read_json, write_json


class OtherVersion(BadInput):
    """A saved result or report whose form is that of another version of the workbench."""

    def __init__(self, what: str, found: Any, expected: int) -> None:
        super().__init__(
            f"{what} has schema_version {str(found)[:20]}; this workbench reads {expected}: "
            "make it again, or read it with the workbench that wrote it"
        )


class Result(ABC):
    """Base of the frozen dataclasses in `results/`; a subclass gives its `blocks`."""

    schema_version: ClassVar[int] = 1
    """Of the type's JSON; a change by which old files cannot be read raises it."""
    _kinds: ClassVar[dict[str, type[Result]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Result._kinds[cls.__name__] = cls

    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """What there is to show, in order."""

    def opening(self) -> tuple[Block, ...]:
        """What stands before further results of the same report: all, unless a result has closing words."""
        return self.blocks()

    def closing(self) -> tuple[Block, ...]:
        """What stands at the end of a report, after all its results; a part of `blocks` where there is any."""
        return ()

    def brief(self) -> tuple[Block, ...]:
        """What a terminal shows; all blocks, unless a result has more than a screenful."""
        return self.blocks()

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON, with the type's name and version; `workbench.core.schema` states its form."""
        return {"type": type(self).__name__, "schema_version": self.schema_version, **codec.encode(self)}

    @classmethod
    def from_json(cls, value: Any) -> Result:
        """Rebuild what `to_json` gave. Raises OtherVersion for another version's, BadInput for anything else.

        What states no version is of the first.
        """
        kind = Result._kinds.get(str(value.get("type"))) if isinstance(value, dict) else None
        if kind is None or not issubclass(kind, cls):
            known = ", ".join(sorted(name for name, each in Result._kinds.items() if issubclass(each, cls)))
            found = value.get("type") if isinstance(value, dict) else type(value).__name__
            raise BadInput(f"a result of type {str(found)[:100]!r}; expected one of {known}")
        if (version := value.get("schema_version", 1)) != kind.schema_version:
            raise OtherVersion(kind.__name__, version, kind.schema_version)
        inside = {key: item for key, item in value.items() if key not in ("type", "schema_version")}
        return codec.decode(kind, inside, kind.__name__)

    @classmethod
    def kinds(cls) -> tuple[type[Result], ...]:
        """All types of results that were imported, by name."""
        return tuple(Result._kinds[name] for name in sorted(Result._kinds) if issubclass(Result._kinds[name], cls))

    @classmethod
    def opened(cls, value: Any) -> Result:
        """As `from_json`, for a file from anywhere: what comes back can be shown, or BadInput says why not."""
        found = cls.from_json(value)
        try:
            render.to_html(found.blocks())
        except Exception as error:  # columns of different lengths, an index behind the end: whatever does not fit
            raise BadInput(
                f"the {type(found).__name__} does not hold together: {type(error).__name__} {first_line(error)}"
            ) from error
        return found

    def save(self, path: Path | str) -> None:
        """Write JSON, whole or not at all."""
        write_json(path, self.to_json())

    @classmethod
    def load(cls, path: Path | str) -> Result:
        """Read what `save` wrote."""
        try:
            return cls.opened(read_json(path))
        except BadInput as error:
            raise BadInput(f"{path}: {error}" if str(path) not in str(error) else str(error)) from error

    def _repr_html_(self) -> str:
        """What a notebook shows: the blocks, charts as tables."""
        from workbench.core.blocks import Intervals

        inside = render.to_html(block.table() if isinstance(block, Intervals) else block for block in self.blocks())
        return f'<div class="wb-result"><style>{_STYLE}</style>{inside}</div>'

    def __rich__(self) -> Any:
        return render.to_terminal(self.brief())


_STYLE = "".join(
    f".wb-result {selector} {{{rules}}}"
    for selector, rules in {
        "h1": "font-size:1.25em;margin:.4em 0",
        "h2": "font-size:1.15em;margin:.8em 0 .4em",
        "h3": "font-size:1em;margin:.8em 0 .3em",
        ".facts": "display:flex;flex-wrap:wrap;gap:.6em 2em;margin:.6em 0",
        ".fact": "display:flex;flex-direction:column;max-width:20em",
        ".fact b": "font-size:1.3em",
        "small": "opacity:.75",
        "table": "margin:.6em 0",
        "table caption": "text-align:left;font-weight:600;white-space:nowrap",
        "table th": "text-align:left!important",
        "table td": "text-align:left!important;vertical-align:top",
        "table .number": "text-align:right!important",
        ".heatmap table td": "text-align:right!important",
        "figure": "margin:.6em 0",
        "dl": "display:grid;grid-template-columns:max-content 1fr;gap:.1em .8em;margin:.4em 0",
        "dd": "margin:0",
        ".step": "display:grid;grid-template-columns:12em 1fr 4.5em;gap:.8em;align-items:center;max-width:46em",
        ".step i": "position:relative;height:1.1em;background:rgba(127,127,127,.14);border-radius:3px",
        ".step b": "position:absolute;top:0;bottom:0;border-radius:3px",
        ".step em": "font-style:normal;text-align:right",
        ".step.total": "font-weight:600",
        ".curves svg": "max-width:100%;height:auto",
        ".curves .keys": "display:flex;flex-wrap:wrap;gap:.3em 1.4em",
    }.items()
)
"""Of a result in a notebook, whose own style puts facts in one line and words to the right."""
