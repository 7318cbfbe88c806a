"""Files are whole or absent."""

from __future__ import annotations

import pytest

from workbench.core.errors import BadInput
from workbench.core.files import atomic_folder, atomic_path, read_json, write_json


def test_an_error_leaves_nothing_behind(tmp_path):
    target = tmp_path / "new" / "file.txt"
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert not list(target.parent.iterdir())


def test_an_error_leaves_the_former_folder(tmp_path):
    folder = tmp_path / "checkpoint"
    with atomic_folder(folder) as temporary:
        (temporary / "a").write_text("1")
    with pytest.raises(RuntimeError), atomic_folder(folder) as temporary:
        (temporary / "a").write_text("2")
        raise RuntimeError
    assert (folder / "a").read_text() == "1"
    assert list(tmp_path.iterdir()) == [folder]


def test_nan_is_not_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(BadInput, match="is a file, expected a folder"):
        write_json(tmp_path / "f" / "a.json", {})
    with pytest.raises(BadInput, match="it is a folder"):
        write_json(tmp_path, {})
    with pytest.raises(BadInput, match="does not exist"):
        read_json(tmp_path / "none.json")
