"""Shared fixtures: shapes are checked in every test, nothing is written outside a temporary folder."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import hypothesis
import numpy as np
import pytest

hypothesis.settings.register_profile("workbench", deadline=None, max_examples=40, derandomize=True)
hypothesis.settings.load_profile("workbench")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from workbench.core.embedding_set import EmbeddingSet  # noqa: E402  # after the environment is set
from workbench.embed import load_embedder  # noqa: E402


@pytest.fixture(scope="session")
def toy():
    return load_embedder("toy")


@pytest.fixture(scope="session")
def minilm():
    return load_embedder("minilm", "cpu")


@pytest.fixture
def small_set():
    vectors = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    return EmbeddingSet(
        ids=np.array([f"t{i}" for i in range(5)], dtype=object),
        vectors=vectors,
        texts=np.array(["one", "two", "three", "four", "five"], dtype=object),
        labels={"odd": np.array([1, 0, 1, 0, 1])},
    )


class Endpoint(BaseHTTPRequestHandler):
    """An OpenAI-compatible server whose vectors are those of the toy embedder; `faults` are served first, in order."""

    faults: list[str]
    requests: list[dict]
    times: list[float]
    keys: list[str]
    embedder = None

    def log_message(self, *_args):
        pass

    def do_POST(self):
        cls = type(self)
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        cls.requests.append(request)
        cls.times.append(time.monotonic())
        cls.keys.append(self.headers.get("Authorization", ""))
        vectors = cls.embedder.embed(request["input"])[:, : request.get("dimensions")]
        rows = [{"index": i, "embedding": vector.tolist()} for i, vector in enumerate(vectors)]
        fault = cls.faults.pop(0) if cls.faults else ""
        status, headers, cut = 200, {}, 0
        match fault:
            case "429":
                status, headers = 429, {"Retry-After": "1"}
            case "500" | "401" | "404":
                status = int(fault)
            case "hang":
                time.sleep(1.5)
            case "short":
                rows.pop()
            case "broken":
                cut = 100
            case "wrong dimension":
                rows = [{"index": row["index"], "embedding": row["embedding"][:-1]} for row in rows]
            case "nan":
                rows[0]["embedding"][0] = float("nan")
        rows.reverse()  # the index is what counts
        body = {"data": rows, "model": "toy-2"} if status == 200 else {"error": {"message": f"fault {fault}"}}
        raw = json.dumps(body).encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw[:cut] if cut else raw)
            if cut:
                self.connection.close()


@pytest.fixture(scope="session")
def _endpoint():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    Endpoint.embedder = load_embedder("toy")
    Endpoint.faults, Endpoint.requests, Endpoint.times, Endpoint.keys = [], [], [], []
    yield Endpoint
    server.shutdown()


@pytest.fixture
def endpoint(_endpoint):
    _endpoint.faults, _endpoint.requests, _endpoint.times, _endpoint.keys = [], [], [], []
    return _endpoint
