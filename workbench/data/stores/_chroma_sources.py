"""Where a Chroma collection lies: a folder, by Chroma's library, or a server, by its HTTP interface (v2)"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from workbench.core.errors import BadInput
from workbench.data.stores._library import engine, need, versions_of
from workbench.data.stores._retry import Lost
from workbench.data.stores._secrets import said, scrub, secret

_FIELDS = ("embeddings", "metadatas", "documents")


class Source(ABC):
    """What is asked of either place; rows are in the order in which they were added."""

    collection: str
    metric: str
    versions: dict[str, str]

    @abstractmethod
    def collections(self) -> list[str]:
        """Names of all collections."""

    @abstractmethod
    def open(self, name: str) -> None:
        """Turn to the collection called `name`."""

    @abstractmethod
    def count(self) -> int:
        """Rows of the collection."""

    @abstractmethod
    def get(self, start: int, rows: int, ids_only: bool = False) -> dict[str, Any]:
        """At most `rows` rows from the place `start` on, as lists under ids, embeddings, documents and metadatas."""


class FolderSource(Source):
    """An embedded Chroma. Opening a folder that holds none would make one, so that is refused."""

    def __init__(self, where: str, tenant: str, database: str) -> None:
        if not (Path(where) / "chroma.sqlite3").is_file():
            raise BadInput(f"{where} holds no Chroma (no chroma.sqlite3); expected its folder or http://HOST:PORT")
        chromadb, settings = need("chromadb"), need("chromadb.config").Settings
        self._name = f"chroma:{where}"
        with engine(self._name, "cannot be opened"):
            try:
                self._client = chromadb.PersistentClient(where, settings(anonymized_telemetry=False), tenant, database)
            except ValueError:  # this process has the folder open already, with the library's own settings
                self._client = chromadb.PersistentClient(where, settings(), tenant, database)
        self.versions = versions_of("chromadb")

    def collections(self) -> list[str]:
        with engine(self._name):
            return [each.name for each in self._client.list_collections()]

    def open(self, name: str) -> None:
        with engine(self._name):
            # without a function of its own Chroma would load its default embedder
            self._held = self._client.get_collection(name, embedding_function=None)
            self.collection, self.metric = name, _metric(self._held.configuration_json, self._held.metadata)

    def count(self) -> int:
        with engine(self._name):
            return self._held.count()

    def get(self, start: int, rows: int, ids_only: bool = False) -> dict[str, Any]:
        with engine(self._name):
            return self._held.get(limit=rows, offset=start, include=[] if ids_only else list(_FIELDS))


class ServerSource(Source):
    """A Chroma server. Asked by httpx, since Chroma's own client does not tell a refusal from a fault."""

    def __init__(self, where: str, tenant: str, database: str) -> None:
        token = secret("CHROMA_TOKEN")
        headers = {"Authorization": f"Bearer {token}", "X-Chroma-Token": token} if token else {}
        self._client = httpx.Client(base_url=where.rstrip("/"), headers=headers, timeout=60)
        self._where = f"chroma:{where}"
        self._base = f"/api/v2/tenants/{quote(tenant, safe='')}/databases/{quote(database, safe='')}/collections"
        self.versions = {"chroma server": str(self._ask("GET", "/api/v2/version"))}

    def collections(self) -> list[str]:
        names: list[str] = []
        while page := self._ask("GET", f"{self._base}?limit=100&offset={len(names)}"):
            names += [each["name"] for each in page]
        return names

    def open(self, name: str) -> None:
        found = self._ask("GET", f"{self._base}/{quote(name, safe='')}")
        self.collection, self._at = name, f"{self._base}/{found['id']}"
        self.metric = _metric(found.get("configuration_json"), found.get("metadata"))

    def count(self) -> int:
        return int(self._ask("GET", f"{self._at}/count"))

    def get(self, start: int, rows: int, ids_only: bool = False) -> dict[str, Any]:
        wanted = {"limit": rows, "offset": start, "include": [] if ids_only else list(_FIELDS)}
        return self._ask("POST", f"{self._at}/get", wanted)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
            found = answer.json() if answer.is_success else None
        except (httpx.TransportError, ValueError) as error:  # a broken-off answer may be no JSON
            raise Lost(said(error)) from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise Lost(f"status {answer.status_code}: {_message(answer)}")
        if answer.is_error:
            hint = "; the token is read from CHROMA_TOKEN" if answer.status_code in (401, 403) else ""
            raise BadInput(f"{self._where} answers {answer.status_code}: {_message(answer)}{hint}")
        return found


def _message(answer: httpx.Response) -> str:
    return scrub(" ".join(answer.text.split())[:200]) or answer.reason_phrase


def _metric(configuration: Any, metadata: Any) -> str:
    """The distance that the index ranks by; older collections keep it in their metadata."""
    settings = configuration or {}
    for index in ("hnsw", "spann"):
        if space := (settings.get(index) or {}).get("space"):
            return str(space)
    return str((metadata or {}).get("hnsw:space", ""))
