"""Archives are not trusted."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from workbench.assets._archive import extract
from workbench.core.errors import FetchError


def zip_of(path, files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as pack:
        for name, data in files.items():
            pack.writestr(name, data)
    return path


def tar_of(path, entries):
    with tarfile.open(path, "w:gz") as tar:
        for info, data in entries:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_named_files_alone_are_taken(tmp_path, kind):
    files = {"a/x.txt": b"one", "a/y.bin": b"two", "b/z.txt": b"three"}
    if kind == "zip":
        archive = zip_of(tmp_path / "p.whl", files)
    else:
        archive = tar_of(tmp_path / "p.tgz", [(tarfile.TarInfo(name), data) for name, data in files.items()])
    extract(archive, ("a/*.txt", "b/z.txt"), tmp_path / "out")
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {"a/x.txt", "b/z.txt"}
    assert (tmp_path / "out/a/x.txt").read_bytes() == b"one"


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "C:/evil", "a\\..\\evil"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path, name):
    archive = zip_of(tmp_path / "p.zip", {name: b"x"})
    with pytest.raises(FetchError, match="unsafe path"):
        extract(archive, ("*",), tmp_path / "out")
    assert not list(tmp_path.rglob("evil"))


def test_a_tar_that_leaves_the_folder_is_refused(tmp_path):
    archive = tar_of(tmp_path / "p.tgz", [(tarfile.TarInfo("../evil"), b"x")])
    with pytest.raises(FetchError, match="unsafe path"):
        extract(archive, ("*",), tmp_path / "out")
    assert not (tmp_path / "evil").exists()


def test_links_are_not_followed(tmp_path):
    link = tarfile.TarInfo("data.txt")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    archive = tar_of(tmp_path / "p.tgz", [(link, b"")])
    with pytest.raises(FetchError, match="holds no file"):
        extract(archive, ("data.txt",), tmp_path / "out")
    entry = zipfile.ZipInfo("data.txt")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as pack:
        pack.writestr(entry, "/etc/passwd")
    with pytest.raises(FetchError, match="holds no file"):
        extract(tmp_path / "p.zip", ("data.txt",), tmp_path / "out2")


def test_a_size_bomb_is_stopped(tmp_path):
    archive = zip_of(tmp_path / "bomb.zip", {"zeros": b"\0" * 30_000_000})
    assert archive.stat().st_size < 100_000
    with pytest.raises(FetchError, match="unpacks to more than 1,000,000 bytes"):
        extract(archive, ("zeros",), tmp_path / "out", max_bytes=1_000_000)
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*")) <= 1_000_000


def test_a_lie_about_the_size_does_not_help(tmp_path):
    archive = zip_of(tmp_path / "lie.zip", {"zeros": b"\0" * 3_000_000}, zipfile.ZIP_STORED)
    data = bytearray(archive.read_bytes())
    place = data.rindex(b"PK\x01\x02") + 24
    data[place : place + 4] = (10).to_bytes(4, "little")
    archive.write_bytes(data)
    with pytest.raises(FetchError):
        extract(archive, ("zeros",), tmp_path / "out", max_bytes=1_000)


@pytest.mark.parametrize("keep", [0, 20, 0.5])
def test_a_damaged_archive_is_refused_by_name(tmp_path, keep):
    archive = zip_of(tmp_path / "cut.zip", {"a": bytes(range(256)) * 100})
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(keep if keep >= 1 else keep * len(whole))])
    with pytest.raises(FetchError, match=r"cut\.zip is damaged"):
        extract(archive, ("a",), tmp_path / "out")


def test_a_file_named_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = tmp_path / "twice.zip"
        with zipfile.ZipFile(archive, "w") as pack:
            pack.writestr("a", "1")
            pack.writestr("a", "2")
    with pytest.raises(FetchError, match="damaged"):
        extract(archive, ("a",), tmp_path / "out")
