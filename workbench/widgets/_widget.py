"""The base of all widgets: what crosses to the browser, who answers, what is shown where no script runs."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from html import escape
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import traitlets
from anywidget import AnyWidget

from workbench.core import render
from workbench.core.blocks import Block, Heading, Intervals, Text
from workbench.core.errors import BadInput, WorkbenchError
from workbench.core.files import write_text
from workbench.widgets import _answers, _packing, _page


class _AbstractWidget(type(AnyWidget), ABCMeta):
    """A widget's class that may have abstract methods."""


class Widget(AnyWidget, metaclass=_AbstractWidget):
    """Base of the widgets. A subclass is one `.py` and one `.js` (`_script`), and gives four things.

    1. In `__init__`, under `with self.filling() as content:`, it checks its input and puts what the browser draws into
       `content` (text, numbers, numpy arrays, `pack_texts(...)`). An error there, `BadInput` first of all, becomes
       `problem`, which the widget shows as words; nothing is ever blank.
    2. `self.answers(channel=handler, ...)` names who answers which question of the browser. A handler takes the
       payload that the script sent, and returns the answer or is a generator: every item is the whole answer so far,
       or a `Progress`. It runs in a thread of its channel; a newer question of the same channel cancels the older one.
    3. `blocks()` says the same without a script, for GitHub, nbconvert and a terminal.
    4. `requests()` lists the questions (channel, payload) that `export_html` asks beforehand, the most wanted first.
       A payload is then a string, an int, or a list of those, so that both sides write the same key.

    The script is read behind `_shared.js` (its head says what it offers) and ends with `export default { render }`,
    where `render = (context) => begin(context, "name", CSS, (shell, content) => ...)`. In an exported page the same
    script runs before a stand-in for the kernel (`_offline.js`). Data meets the page as text nodes or pixels only.

    State that both sides write (what is selected, which round is shown) is a traitlet with `.tag(sync=True)`.
    """

    _script: ClassVar[str] = ""
    _css = traitlets.Unicode().tag(sync=True)
    _esm = traitlets.Unicode().tag(sync=True)
    content = traitlets.Dict().tag(sync=True)
    """What the browser draws, packed; made by `filling`."""
    problem = traitlets.Unicode().tag(sync=True)
    """What is wrong with the input, in words; empty if nothing is."""
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    """`auto` follows the notebook, else the system."""

    def __init__(self, **traits: Any) -> None:
        self._channels: dict[str, _answers.Channel] = {}
        super().__init__(_css=asset("_shared.css"), _esm=asset("_shared.js") + asset(self._script), **traits)
        self.on_msg(self._hear)

    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """What the widget shows, without a script; not called while there is a `problem`."""

    def requests(self) -> Iterable[tuple[str, Any]]:
        """Questions (channel, payload) that an exported page can answer, the most wanted first."""
        return ()

    @property
    def errors(self) -> Mapping[str, Exception]:
        """The last exception of each channel's handler, for the person who wrote it."""
        return {name: channel.error for name, channel in self._channels.items() if channel.error is not None}

    @contextmanager
    def filling(self) -> Iterator[dict[str, Any]]:
        """Yield a dict to fill; then it is what the browser draws, or the error is what it says."""
        raw: dict[str, Any] = {}
        try:
            yield raw
            raw.setdefault("open", sorted(self._channels))
            packed = _packing.pack(raw)
        except (WorkbenchError, TypeError, ValueError) as error:
            self.problem = _answers.words(error)
            return
        with self.hold_sync():
            self.content, self.problem = packed, ""

    def answers(self, **handlers: _answers.Handler | None) -> None:
        """Name the handler of each channel, before `filling`; None leaves it closed, and the script sees so."""
        given = {name: handler for name, handler in handlers.items() if handler is not None}
        self._channels |= {name: _answers.Channel(handler) for name, handler in given.items()}

    def export_html(self, path: Path | str, states: int = 200) -> None:
        """Write one page that needs neither kernel nor network; up to `states` questions are answered beforehand.

        Raises BadInput where the widget shows a problem instead of data, and where the page cannot be written.
        """
        if self.problem:
            raise BadInput(f"{type(self).__name__} has nothing to export: {self.problem}")
        asked = islice((each for each in self.requests() if each[0] in self._channels), states)
        replies = {_page.key(channel, payload): self._reply(channel, payload) for channel, payload in asked}
        own = set(self.class_trait_names(sync=True)) - set(AnyWidget.class_trait_names(sync=True)) - {"_css", "_esm"}
        traits = {name: getattr(self, name) for name in sorted(own)}
        page = _page.page(
            title=str(self.content.get("title") or type(self).__name__),
            style=self._css,
            script=self._esm,
            state=_packing.to_base64({"traits": traits, "replies": replies}),
            fallback=self._static_html(),
        )
        write_text(path, page)

    def _reply(self, channel: str, payload: Any) -> dict[str, Any]:
        kind, value = _answers.final(self._channels[channel].handler, payload)
        try:
            return {"kind": kind, "value": _packing.pack(value)}
        except BadInput as error:
            return {"kind": "failed", "value": str(error)}

    def close(self) -> None:
        """Give up what is being worked on and leave the page."""
        for channel in getattr(self, "_channels", {}).values():  # absent where the arguments were wrong
            channel.cancel()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "text/plain": self._static_text(), "text/html": self._static_html()}, metadata

    def _static_blocks(self) -> tuple[Block, ...]:
        if self.problem:
            return (Heading(type(self).__name__), Text(self.problem, "bad"))
        return tuple(block.table() if isinstance(block, Intervals) else block for block in self.blocks())

    def _static_text(self) -> str:
        return render.to_markdown(self._static_blocks())

    def _static_html(self) -> str:
        """Elements without any script; a subclass may put a drawing before them."""
        return f'<div class="wb-static" role="group" aria-label="{escape(type(self).__name__)}">{self._drawing()}' + (
            render.to_html(self._static_blocks()) + "</div>"
        )

    def _drawing(self) -> str:
        """SVG that shows more than the blocks can; nothing by default."""
        return ""

    def _hear(self, _widget: Any, message: Any, _buffers: Any) -> None:
        """A question, or that it is given up; anything else is another protocol's."""
        if not isinstance(message, dict) or message.get("wb") not in ("ask", "cancel"):
            return
        name, sequence = message.get("channel"), message.get("sequence")
        channel = self._channels.get(name) if isinstance(name, str) else None

        def emit(kind: str, value: Any) -> None:
            try:
                packed = _packing.pack(value)
            except BadInput as error:
                kind, packed = "failed", str(error)
            content, buffers = _packing.to_buffers(packed)
            self.send({"wb": kind, "channel": name, "sequence": sequence, "value": content}, buffers)

        if channel is None:
            emit("failed", f"nobody answers {name!r} here; hand a callable over when the widget is made")
        elif message["wb"] == "cancel":
            channel.cancel()
        else:
            emit("heard", None)  # a script that hears nothing says that the kernel is busy
            channel.submit(_answers.Request(message.get("payload"), emit))


@cache
def asset(name: str) -> str:
    """A file of this room."""
    return files("workbench.widgets").joinpath(name).read_text(encoding="utf-8")


def require(value: Any, kind: type | tuple[type, ...], name: str) -> None:
    """Raise BadInput that names both types unless `value` is of `kind`."""
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        wanted = " or ".join(each.__name__ for each in kinds)
        raise BadInput(f"{name} is of type {type(value).__name__}; expected {wanted}")
