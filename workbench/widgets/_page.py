"""One page out of a widget: script, style and state inside, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import Any


def key(channel: str, payload: Any) -> str:
    """What a question is filed under; the script writes the same with JSON.stringify([channel, payload])."""
    return json.dumps([channel, payload], separators=(",", ":"), ensure_ascii=False)


def page(title: str, style: str, script: str, state: dict[str, Any], fallback: str) -> str:
    """The page. `state` is plain JSON: `traits`, and `replies` by their `key`; `fallback` is shown without script."""
    from jinja2 import Environment
    from markupsafe import Markup

    template = Environment(autoescape=True).from_string(_asset("_page.html"))
    style += _asset("_page.css")
    script += _asset("_offline.js")
    data = json.dumps(state, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return template.render(
        title=title,
        style=Markup(style),
        script=Markup(script),
        state=Markup(data),
        fallback=Markup(fallback),
        style_hash=digest(style),
        script_hash=digest(script),
    )


def digest(text: str) -> str:
    """The hash that a content-security policy names an inline script or style by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return files("workbench.widgets").joinpath(name).read_text(encoding="utf-8")
