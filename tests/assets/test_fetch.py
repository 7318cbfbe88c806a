"""Fetching from a package index: a real HTTP server on this machine, with faults injected."""

from __future__ import annotations

import hashlib
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workbench import assets
from workbench.assets import _fetch
from workbench.core.errors import FetchError, UnknownName


class Index(BaseHTTPRequestHandler):
    """A package index that serves one file, with ranges, and can break off in the middle."""

    payload = b""
    break_after = 0
    ranges: tuple[str, ...] = ()

    def log_message(self, *_args):
        pass

    def do_GET(self):
        if self.path == "/simple/corpus/":
            body = json.dumps({"files": [{"filename": "corpus-1.whl", "url": "/files/corpus-1.whl"}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        elif self.path == "/files/corpus-1.whl":
            cls = type(self)
            wanted = self.headers.get("Range", "")
            cls.ranges = (*cls.ranges, wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            rest = cls.payload[start:]
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            if cls.break_after:
                self.wfile.write(rest[: cls.break_after])
                cls.break_after = 0
                self.connection.close()
            else:
                self.wfile.write(rest)
        else:
            self.send_error(404)


@pytest.fixture
def index(tmp_path, monkeypatch):
    path = tmp_path / "corpus-1.whl"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("corpus/lines.txt", "\n".join(f"This is line number {n}." for n in range(20_000)))
    Index.payload, Index.break_after, Index.ranges = path.read_bytes(), 0, ()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple")
    yield Index
    server.shutdown()


def register(monkeypatch, **changes):
    source = {
        "registry": "pypi",
        "package": "corpus",
        "version": "1",
        "file": "corpus-1.whl",
        "sha256": hashlib.sha256(Index.payload).hexdigest(),
        "bytes": len(Index.payload),
        "members": ("corpus/*.txt",),
        **changes,
    }
    card = assets.AssetCard(
        name="mine",
        kind="corpus",
        summary="a corpus",
        licence={"id": "MIT", "basis": "test"},
        source=source,
        reader="plain",
    )
    monkeypatch.setattr(_fetch, "cards", lambda: {"mine": card})


def test_fetched_once_and_then_from_the_cache(index, monkeypatch):
    register(monkeypatch)
    folder = assets.fetch("mine")
    assert (folder / "corpus/lines.txt").read_text().startswith("This is line number 0.")
    assert json.loads((folder / "asset.json").read_text())["licence"]["id"] == "MIT"
    assert assets.fetch("mine") == folder
    assert len(index.ranges) == 1


def test_a_broken_download_goes_on_where_it_stopped(index, monkeypatch):
    register(monkeypatch)
    index.break_after = 20_000
    with pytest.raises(FetchError, match="run it again to go on"):
        assets.fetch("mine")
    folder = assets.fetch("mine")
    assert (folder / "corpus/lines.txt").is_file()
    assert index.ranges[0] == ""
    assert int(index.ranges[1].removeprefix("bytes=").rstrip("-")) > 0


def test_another_file_than_the_card_names_is_refused(index, monkeypatch, tmp_path):
    register(monkeypatch, sha256="0" * 64)
    with pytest.raises(FetchError, match="its card says 0000"):
        assets.fetch("mine")
    assert not list((tmp_path / "cache").rglob("*.txt"))
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_more_than_the_card_states_is_not_taken(index, monkeypatch):
    register(monkeypatch, bytes=1000)
    with pytest.raises(FetchError, match="sends more than the 1,000 bytes"):
        assets.fetch("mine")


def test_no_network_is_one_clear_error(monkeypatch, tmp_path):
    Index.payload = b"x"
    register(monkeypatch)
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(FetchError, match=r"cannot download corpus-1\.whl"):
        assets.fetch("mine")


def test_unknown_names_get_a_proposal():
    with pytest.raises(UnknownName, match="Did you mean 'tatoeba'"):
        assets.fetch("tatoba")
