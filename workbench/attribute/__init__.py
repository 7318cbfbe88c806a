"""Attribution: which pieces of a text a cosine comes from. One method a file; the folder is the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import require
from workbench.core.registry import Registry

if TYPE_CHECKING:
    from workbench.attribute._attributor import Attributor, Options
    from workbench.core.access import ThreatModel
    from workbench.embed._embedder import Embedder

__all__ = ["ATTRIBUTORS", "open_attributor"]

ATTRIBUTORS = Registry("attributor", "workbench.attribute")


def open_attributor(
    embedder: Embedder,
    name: str = "integrated-jacobian",
    options: Options | None = None,
    threat: ThreatModel | None = None,
) -> Attributor:
    """The attributor called `name` for an embedder. Raises UnknownName; BadInput where the embedder has no gradients,
    and AccessDenied where a threat model grants none."""
    from workbench.attribute._attributor import Options
    from workbench.core.access import ThreatModel
    from workbench.embed._embedder import Embedder

    require(embedder, Embedder, "the embedder")
    require(options, (Options, type(None)), "options")
    require(threat, (ThreatModel, type(None)), "the threat model")
    member: Any = ATTRIBUTORS.load(name)
    if threat is not None:
        threat.admit(name, member.needs)
    return member(embedder, options)
