"""An OpenAI-compatible HTTP endpoint: base URL, model, key from the environment; query access alone"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import tenacity
from jaxtyping import Float, Int

from workbench.core.errors import BadInput, FetchError
from workbench.core.vectors import are_unit
from workbench.embed._embedder import Embedder, EmbedderSpec

__all__ = ["ApiEmbedder"]

_LOG = logging.getLogger(__name__)
_CHARACTERS_PER_TOKEN = 4
_LONG_RUN = 1000
_PROBE = ["What is the dimension?", "And is it normalised?"]


class ApiEmbedder(Embedder):
    """`POST {url}/embeddings`, as OpenAI, vLLM, llama.cpp, Ollama, TEI and LiteLLM speak it.

    The first request asks for two short vectors: they tell dimension and normalisation. Requests that fail for a time
    (429, 5xx, a hang, an answer that is broken off or too short) are repeated with exponential backoff, as long as
    `Retry-After` asks where it is sent; what cannot get better (401, 404, a wrong dimension) fails at once. An empty
    text is sent as one space, since servers refuse empty ones. How long texts are handled is the server's affair.

    url             base address, up to and without `/embeddings`
    key_env         environment variable that holds the key; unset means that none is sent. It is never written down
    batch           texts a request
    parallel        requests at once
    per_minute      most requests a minute; 0 means no limit
    timeout         seconds until a request counts as hanging
    retries         times that a failed request is repeated
    dimensions      asks the server for shorter vectors, where it can cut them; 0 asks for none
    price           of a million tokens, in your currency, for the estimate that is shown before a long run
    max_cost        a run that is estimated to cost more is refused before its first request; 0 means no limit
    """

    def __init__(
        self,
        model: str,
        url: str = "https://api.openai.com/v1",
        key_env: str = "OPENAI_API_KEY",
        batch: int = 128,
        parallel: int = 4,
        per_minute: int = 0,
        timeout: float = 60.0,
        retries: int = 6,
        dimensions: int = 0,
        price: float = 0.0,
        max_cost: float = 0.0,
        device: str = "auto",
    ) -> None:
        super().__init__()
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"url is {url!r}; expected http:// or https://")
        for name, value in {"batch": batch, "parallel": parallel, "timeout": timeout}.items():
            if value <= 0:
                raise BadInput(f"{name} is {value}; expected more than 0")
        self.batch_texts, self.batch_tokens = batch * parallel, 100_000
        self._model, self._key_env, self._dimensions = model, key_env, dimensions
        self._batch, self._parallel, self._retries = batch, parallel, retries
        self._price, self._max_cost = price, max_cost
        key = os.environ.get(key_env, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=timeout)
        self._pace = _Pace(per_minute)
        self._dim = 0
        probe, served = self._ask(_PROBE)
        self._dim = probe.shape[1]
        self.spec = EmbedderSpec(
            name=f"api:{model}?url={url}"
            + (f"&dimensions={dimensions}" if dimensions else "")
            + ("" if key_env == "OPENAI_API_KEY" else f"&key_env={key_env}"),
            revision=served,
            dim=self._dim,
            normalised=are_unit(probe),
            max_tokens=0,
        )

    def lengths(self, texts: Sequence[str]) -> Int[np.ndarray, " n"]:
        """Tokens by rule of thumb, four characters each: the server's tokenizer is not known."""
        return np.array([1 + len(text) // _CHARACTERS_PER_TOKEN for text in texts], dtype=np.int64)

    def estimate(self, texts: Sequence[str]) -> str:
        """Texts, tokens, requests and, where `price` is given, cost. Raises BadInput over `max_cost`."""
        tokens = int(self.lengths(texts).sum())
        requests = -(-len(texts) // self._batch)
        cost = tokens * self._price / 1e6
        if self._max_cost and cost > self._max_cost:
            raise BadInput(f"the run is estimated at {cost:.2f} ({tokens:,} tokens); max_cost is {self._max_cost:.2f}")
        priced = f", about {cost:.2f} at {self._price:g} a million" if self._price else ", price not given"
        return (
            f"{len(texts):,} texts, about {tokens:,} tokens in {requests:,} requests to {self._client.base_url}{priced}"
        )

    def forward(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """One batch, as up to `parallel` requests at once."""
        parts = [texts[start : start + self._batch] for start in range(0, len(texts), self._batch)]
        if len(parts) == 1:
            return self._ask(parts[0])[0]
        with ThreadPoolExecutor(self._parallel) as pool:
            return np.concatenate([vectors for vectors, _ in pool.map(self._ask, parts)])

    def _embed_distinct(self, texts: list[str], what: str) -> np.ndarray:
        estimate = self.estimate(texts)
        if len(texts) >= _LONG_RUN:
            _LOG.info("%s", estimate)
        return super()._embed_distinct(texts, what)

    def _ask(self, texts: list[str]) -> tuple[Float[np.ndarray, "n d"], str]:
        """Vectors in the order of `texts`, and the model that the server says it used; repeated while it fails."""
        repeat = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Passing),
            stop=tenacity.stop_after_attempt(self._retries + 1),
            wait=_wait,
            reraise=True,
        )
        try:
            return repeat(self._ask_once, texts)
        except _Passing as error:
            raise FetchError(
                f"{self._client.base_url} failed {self._retries + 1} times; the last time: {error}"
            ) from error

    def _ask_once(self, texts: list[str]) -> tuple[np.ndarray, str]:
        self._pace.wait()
        request = {"model": self._model, "input": [text or " " for text in texts], "encoding_format": "float"}
        if self._dimensions:
            request["dimensions"] = self._dimensions
        try:
            answer = self._client.post("/embeddings", json=request)
        except httpx.TransportError as error:
            raise _Passing(f"{type(error).__name__}: {error}") from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _Passing(f"status {answer.status_code}: {_message(answer)}", _seconds(answer))
        if answer.is_error:
            hint = f"; the key is read from ${self._key_env}" if answer.status_code in (401, 403) else ""
            raise FetchError(f"{answer.url} answers {answer.status_code}: {_message(answer)}{hint}")
        return self._read(answer, len(texts))

    def _read(self, answer: httpx.Response, wanted: int) -> tuple[np.ndarray, str]:
        try:
            body = answer.json()
            rows = sorted(body["data"], key=lambda row: row["index"])
            vectors = [np.asarray(row["embedding"], dtype=np.float32) for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise _Passing(f"an answer that is no list of embeddings: {answer.text[:80]!r}") from error
        if [row["index"] for row in rows] != list(range(wanted)):
            raise _Passing(f"{len(rows)} vectors for {wanted} texts")
        dims = {vector.shape for vector in vectors}
        expected = self._dim or self._dimensions
        if len(dims) != 1 or (expected and dims != {(expected,)}):
            found = ", ".join(sorted(str(shape) for shape in dims))
            raise FetchError(f"{answer.url} sends vectors of shape {found}; expected ({expected or 'd'},)")
        stacked = np.stack(vectors)
        if not np.isfinite(stacked).all():
            raise FetchError(f"{answer.url} sends vectors that hold NaN or infinity")
        return stacked, str(body.get("model") or self._model)


class _Passing(Exception):
    """A failure that may pass; `after` is how long the server asks to be left alone."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


_backoff = tenacity.wait_exponential(multiplier=0.5, max=30) + tenacity.wait_random(0, 0.5)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return max(_backoff(state), getattr(error, "after", 0.0))


def _seconds(answer: httpx.Response) -> float:
    """What `Retry-After` asks for, at most ten minutes; a date or nonsense counts as nothing."""
    try:
        return min(max(float(answer.headers.get("retry-after", 0)), 0.0), 600.0)
    except ValueError:
        return 0.0


def _message(answer: httpx.Response) -> str:
    try:
        body: Any = answer.json()
        said = body["error"]["message"] if isinstance(body.get("error"), dict) else body.get("error") or body
    except (ValueError, KeyError, AttributeError):
        said = answer.text
    return " ".join(str(said).split())[:200] or answer.reason_phrase


class _Pace:
    """Lets a request go every so often, over all threads."""

    def __init__(self, per_minute: int) -> None:
        self._gap = 60.0 / per_minute if per_minute > 0 else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        if not self._gap:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._gap
        time.sleep(turn - now)
