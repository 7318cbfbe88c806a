"""Qdrant's HTTP interface, and points of every form.

No Qdrant server comes as a package, so a small one stands here: its answers are those of the library's own engine,
its faults are ours. What a real server does beyond that is not tested.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from _stores import Rows, check, fill_qdrant

from workbench.core.errors import BadInput, FetchError
from workbench.data.stores import open_store

ROWS = Rows.make(3000)


class Engine(BaseHTTPRequestHandler):
    """The four requests that a reading makes."""

    protocol_version = "HTTP/1.1"
    key = "qdr4nt-key"
    faults: list[str]
    client = None
    lock = threading.Lock()

    def log_message(self, *_args):
        pass

    def do_GET(self):
        name = self.path.removeprefix("/collections").strip("/")
        self._give(lambda: self.client.get_collection(name) if name else self.client.get_collections())

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _, _, name, _, what = self.path.partition("?")[0].split("/")
        if what == "count":
            return self._give(lambda: self.client.count(name, exact=asked["exact"]))
        options = {"limit": asked["limit"], "offset": asked.get("offset"), "with_vectors": asked["with_vector"]}
        self._give(lambda: self._scrolled(name, options))

    def _scrolled(self, name, options):
        points, following = self.client.scroll(name, **options)
        return {"points": [json.loads(point.model_dump_json()) for point in points], "next_page_offset": following}

    def _give(self, call):
        if self.headers.get("api-key") != self.key:
            return self._answer(401, b'{"status": {"error": "Invalid API key or JWT"}}')
        if type(self).faults and self.path.endswith("scroll"):
            match type(self).faults.pop(0):
                case "cut":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                case "busy":
                    return self._answer(503, b"overloaded")
        with self.lock:
            found = call()
        result = found if isinstance(found, dict) else json.loads(found.model_dump_json())
        self._answer(200, json.dumps({"result": result, "status": "ok", "time": 0.0}).encode())

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def served():
    from qdrant_client import QdrantClient

    Engine.client = QdrantClient(":memory:", force_disable_check_same_thread=True)
    fill_qdrant(Engine.client, ROWS)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"qdrant:http://127.0.0.1:{server.server_address[1]}?collection=docs"
    server.shutdown()
    server.server_close()


@pytest.fixture
def line(served, monkeypatch):
    Engine.faults = []
    monkeypatch.setenv("QDRANT_API_KEY", Engine.key)
    return served


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
class TestServer:
    def test_all_rows_and_that_norms_are_lost(self, line):
        store = open_store(line)
        facts, found = store.facts(), store.read(batch=700)
        check(found, ROWS, unit=True)
        assert (facts.count, facts.dim, facts.metric) == (3000, 16, "cosine")
        assert "those of the embedder are lost" in facts.lost[0]
        assert found.provenance.normalised is True
        assert found.provenance.notes[1] == facts.lost[0]
        assert [int(id) for id in found.ids] == sorted(ROWS.ids)

    def test_faults_that_pass(self, line, caplog):
        Engine.faults = ["", "busy", "", "cut", "busy"]
        found = [id for page in open_store(line).scroll(500) for id in page.ids]
        assert sorted(found) == sorted(ROWS.by_id())
        assert caplog.text.count("asking again") == 3

    def test_a_server_that_stays_away(self, line):
        pages = open_store(f"{line}&retries=1").scroll(500)
        next(pages)
        Engine.faults = ["busy"] * 9
        with pytest.raises(FetchError, match="lost and did not come back in 2 tries: status 503: overloaded"):
            next(pages)

    def test_points_that_come_while_reading(self, line):
        more = Rows.make(100, seed=1)
        more = Rows([id + 5000 for id in more.ids], more.vectors, more.texts, more.years)
        found = []
        for number, page in enumerate(open_store(line).scroll(500)):
            found.extend(page.ids)
            if number == 1:
                fill_qdrant_more(more)
        Engine.client.delete("docs", points_selector=more.ids)
        assert sorted(found) == sorted({*ROWS.by_id(), *more.by_id()})

    def test_the_key_is_sent_and_never_written(self, line, monkeypatch, caplog):
        with caplog.at_level(logging.DEBUG):
            found = open_store(line).read(limit=20)
            assert Engine.key not in f"{found.provenance} {caplog.text}"
            monkeypatch.setenv("QDRANT_API_KEY", "wr0ng-key")
            with pytest.raises(BadInput, match=r"answers 401.*the key is read from QDRANT_API_KEY") as told:
                open_store(line).facts()
        assert "wr0ng-key" not in str(told.value) + caplog.text


def fill_qdrant_more(rows):
    from qdrant_client import models

    points = zip(rows.ids, rows.vectors.tolist(), strict=True)
    with Engine.lock:
        Engine.client.upsert("docs", [models.PointStruct(id=id, vector=vector) for id, vector in points])


def test_points_of_other_forms(tmp_path):
    from qdrant_client import QdrantClient, models

    client = QdrantClient(path=str(tmp_path / "q"))
    small = models.VectorParams(size=2, distance="Dot", datatype="float16")
    client.create_collection("two", {"a": small, "b": models.VectorParams(size=3, distance="Euclid")})
    uuids = ["123e4567-e89b-12d3-a456-426614174000", "023e4567-e89b-12d3-a456-426614174000"]
    points = [
        models.PointStruct(
            id=7, vector={"a": [1.0, 2.0], "b": [1.0, 1.0, 1.0]}, payload={"body": "x", "n": {"k": [1]}}
        ),
        models.PointStruct(id=12, vector={"b": [1.0, 1.0, 2.0]}),
        *(models.PointStruct(id=id, vector={"a": [3.0, 4.0]}) for id in uuids),
    ]
    client.upsert("two", points)
    several = models.VectorParams(size=2, distance="Dot", multivector_config={"comparator": "max_sim"})
    client.create_collection("many", several)
    client.upsert("many", [models.PointStruct(id=1, vector=[[1.0, 2.0], [3.0, 4.0]])])
    client.create_collection("none", small)
    with pytest.raises(BadInput, match=r"cannot be opened: .*already accessed"):
        open_store(f"qdrant:{tmp_path}/q").facts()
    client.close()
    store = open_store(f"qdrant:{tmp_path}/q?collection=two&vector=a&text=body")
    with pytest.raises(BadInput, match=r"1 rows .*1 x has no vector 'a'; ids: '12'; leave them out with --on-bad-rows"):
        store.read(batch=1)
    store.on_bad_rows = "skip"
    found = store.read(batch=1)
    assert list(found.ids) == ["7", *sorted(uuids)]
    assert store.facts().count == 3
    assert "skipped 1 rows that cannot be used: 1 x has no vector 'a'; ids: '12'" in found.provenance.notes
    assert found.vectors.tolist() == [[1, 2], [3, 4], [3, 4]]
    assert list(found.texts) == ["x", "", ""]
    assert found.labels["n"][0] == '{"k": [1]}'
    assert (store.facts().metric, store.facts().lost) == ("dot", ())  # a local folder keeps float32
    for options, message in {
        "collection=two": r"has no vector ''; name one with \?vector=NAME; it has: a, b",
        "collection=two&vector=c": "has no vector 'c'",
        "collection=many": "holds several vectors for each point",
        "collection=none": "collection none, holds no vectors",
        "collection=none&vector=a": "has one vector without a name; leave vector=a out",
        "": "holds 3 collections; name one",
    }.items():
        with pytest.raises(BadInput, match=message):
            open_store(f"qdrant:{tmp_path}/q?{options}").facts()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_fifty_thousand(line):
    rows = Rows.make(50_000, 64)
    fill_qdrant(Engine.client, rows, "Euclid", "many")
    Engine.faults = ["", "", "cut", "", "busy"]
    found = list(open_store(line.replace("docs", "many")).scroll(1000))
    order = np.argsort(rows.ids)
    assert [id for page in found for id in page.ids] == [str(rows.ids[row]) for row in order]
    np.testing.assert_allclose(np.concatenate([page.vectors for page in found]), rows.vectors[order], rtol=1e-6)


def _folder(tmp_path, vectors, **options):
    from qdrant_client import QdrantClient, models

    client = QdrantClient(path=str(tmp_path / "q"))
    settings = models.VectorParams(size=vectors.shape[1], **{"distance": models.Distance.DOT, **options})
    client.create_collection("docs", vectors_config=settings)
    points = [models.PointStruct(id=row, vector=each.tolist()) for row, each in enumerate(vectors)]
    client.upsert("docs", points)
    client.close()
    return open_store(f"qdrant:{tmp_path / 'q'}")


def test_a_folder_says_what_was_measured_and_not_what_its_settings_promise(tmp_path):
    from qdrant_client import models

    vectors = np.random.default_rng(0).standard_normal((120, 8)).astype(np.float32)
    for place, datatype in enumerate((models.Datatype.FLOAT16, models.Datatype.UINT8)):
        store = _folder(tmp_path / str(place), vectors, datatype=datatype)
        assert np.array_equal(store.read().vectors[store.read().ids.astype(int).argsort()], vectors)
        assert store.facts().lost == ()


def test_a_folder_of_unit_and_raw_norms_counts_them(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((120, 8)).astype(np.float32)
    vectors[:40] /= np.linalg.norm(vectors[:40], axis=1, keepdims=True)
    store = _folder(tmp_path, vectors)
    assert store.facts().lost == ("norms are mixed: of all 120 vectors 40 have norm 1 and 80 another",)


def test_a_folder_of_few_distinct_numbers_is_said_to_be_quantised(tmp_path):
    vectors = np.random.default_rng(0).integers(-10, 11, (400, 8)).astype(np.float32)
    store = _folder(tmp_path, vectors)
    assert store.facts().lost == ("vectors are quantised: all 400 have 21 distinct numbers in a dimension (median)",)
