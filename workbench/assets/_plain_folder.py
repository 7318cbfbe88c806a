"""What a model's folder must not do: name code to be run, files outside of it, or weights that only a pickle holds."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from workbench.core.errors import BadInput
from workbench.core.files import read_json

_OWN = "sentence_transformers."
_LONGEST = 200
"""Bytes of a path within a model's folder; file systems take 255 a name."""


def require_plain(model: str | Path) -> None:
    """Check a local model before a library opens it; a hub id passes, for the libraries themselves refuse its code.

    Raises BadInput for a module that is none of sentence-transformers' own, for a module or shard whose path leaves
    the folder, and for weights that lie there as a pickle (`.bin`) alone.
    """
    folder = Path(model)
    if not folder.is_dir():
        return
    parts = [folder]
    if (listing := folder / "modules.json").is_file():
        for module in _records(read_json(listing), listing):
            kind, path = str(module.get("type")), str(module.get("path"))
            if not kind.startswith(_OWN):
                raise BadInput(f"{listing} names the code {kind!r}; only modules of sentence-transformers are opened")
            _require_within(path, listing)
            parts.append(folder / path)
    for part in parts:
        for index in part.glob("*.safetensors.index.json"):
            content = read_json(index)
            shards = content.get("weight_map") if isinstance(content, dict) else None
            for shard in set(map(str, shards.values())) if isinstance(shards, dict) else ():
                _require_within(shard, index)
        if any(part.glob("pytorch_model*.bin")) and not any(part.glob("*.safetensors")):
            raise BadInput(
                f"{part} holds its weights as a pickle, which may run code and is not opened; save the model anew as "
                "safetensors"
            )


def _records(value: Any, path: Path) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise BadInput(f"{path} is not a list of modules")
    return value


def _require_within(name: str, path: Path) -> None:
    pure = PurePosixPath(name)
    if (size := len(name.encode("utf-8", "surrogatepass"))) > _LONGEST:
        raise BadInput(f"{path} names a path of {size:,} bytes; expected at most {_LONGEST}")
    if pure.is_absolute() or ".." in pure.parts or "\\" in name or "\0" in name:
        raise BadInput(f"{path} names {name!r}, which leads out of its folder")
