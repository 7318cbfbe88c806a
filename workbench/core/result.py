"""Result: what every method returns. It knows its blocks, and so renders, saves and loads itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from workbench.core import codec, render
from workbench.core.blocks import Block
from workbench.core.errors import BadInput
from workbench.core.files import read_json, write_json


class Result(ABC):
    """Base of the frozen dataclasses in `results/`; a subclass gives its `blocks`."""

    _kinds: ClassVar[dict[str, type[Result]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Result._kinds[cls.__name__] = cls

    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """What there is to show, in order."""

    def brief(self) -> tuple[Block, ...]:
        """What a terminal shows; all blocks, unless a result has more than a screenful."""
        return self.blocks()

    def to_json(self) -> dict[str, Any]:
        """All fields as plain JSON, with the type's name."""
        return {"type": type(self).__name__, **codec.encode(self)}

    @classmethod
    def from_json(cls, value: Any) -> Result:
        """Rebuild what `to_json` gave. Raises BadInput for anything else."""
        kind = Result._kinds.get(value.get("type", "")) if isinstance(value, dict) else None
        if kind is None or not issubclass(kind, cls):
            known = ", ".join(sorted(name for name, each in Result._kinds.items() if issubclass(each, cls)))
            found = value.get("type") if isinstance(value, dict) else type(value).__name__
            raise BadInput(f"a result of type {found!r}; expected one of {known}")
        return codec.decode(kind, {key: item for key, item in value.items() if key != "type"}, kind.__name__)

    def save(self, path: Path | str) -> None:
        """Write JSON, whole or not at all."""
        write_json(path, self.to_json())

    @classmethod
    def load(cls, path: Path | str) -> Result:
        """Read what `save` wrote."""
        try:
            return cls.from_json(read_json(path))
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
    }.items()
)
"""Of a result in a notebook, whose own style puts facts in one line and words to the right."""
