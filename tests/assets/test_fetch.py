"""Fetching from a package index: a real HTTP server on this machine, with faults injected."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workbench import assets
from workbench.assets import _card
from workbench.core.errors import FetchError, UnknownName
from workbench.core.resources import cache_folder


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


def register(monkeypatch, card_changes=None, **changes):
    card_changes = {"licence": {"id": "MIT", "basis": "test"}} | (card_changes or {})
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
        sources=(source,),
        reader="plain",
        **card_changes,
    )
    monkeypatch.setattr(_card, "cards", lambda: {"mine": card})


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


def test_a_licence_that_asks_is_answered_by_name_alone(index, monkeypatch):
    register(monkeypatch, {"licence": {"id": "Terms", "basis": "read them", "ask": True}})
    with pytest.raises(FetchError, match=r"under Terms \(read them\); if you accept that, run: workbench fetch mine"):
        assets.fetch("mine")
    assert not index.ranges, "nothing was downloaded"
    folder = assets.fetch("mine", asked=True)
    assert assets.fetch("mine") == folder, "what is here may be used"


def test_pieces_are_joined_and_unpacked(index, monkeypatch, tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as pack:
        pack.writestr("model/config.json", "{}")
        pack.writestr("model/weights.bin", bytes(range(256)) * 400)
        pack.writestr("model/run.py", "print()")
    whole = inner.getvalue()
    outer = tmp_path / "pieces.whl"
    with zipfile.ZipFile(outer, "w") as pack:
        pack.writestr("corpus/model.zip.002", whole[5000:])
        pack.writestr("corpus/model.zip.001", whole[:5000])
    Index.payload = outer.read_bytes()
    convert = {"how": "split-zip", "options": {"members": ["*.json", "*.bin"]}}
    register(monkeypatch, {"convert": convert}, members=("corpus/*",))
    folder = assets.fetch("mine")
    assert (folder / "model/weights.bin").read_bytes() == bytes(range(256)) * 400
    assert sorted(path.name for path in folder.rglob("*.*")) == ["asset.json", "config.json", "weights.bin"]
    assert not list(folder.parent.glob(".*")), "nothing is left behind"


def test_a_model_that_is_none_is_refused(index, monkeypatch):
    register(monkeypatch, {"convert": {"how": "gguf"}})
    with pytest.raises(FetchError, match="cannot be read as a GGUF model"):
        assets.fetch("mine")
    assert not list((cache_folder() / "assets").glob("mine*/"))


def test_the_hub_is_not_asked_when_it_may_not_be(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assets.hub_is_reachable.cache_clear()
    assert not assets.hub_is_reachable()
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assets.hub_is_reachable.cache_clear()
    began = time.monotonic()
    assert not assets.hub_is_reachable()
    assert time.monotonic() - began < 5
    assets.hub_is_reachable.cache_clear()
