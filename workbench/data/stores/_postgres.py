"""A PostgreSQL connection that only reads and comes back after it was cut, and what its catalogue says of a table"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from workbench.core.columns import Role
from workbench.core.errors import BadInput
from workbench.data.stores._library import need
from workbench.data.stores._retry import Lost, Patience
from workbench.data.stores._secrets import said, secret

_VECTORS = {
    "vector": (),
    "sparsevec": (),
    "_float4": (),
    "_float8": ("vectors are stored as double precision and read as float32",),
    "halfvec": ("vectors are stored as halfvec: quantised to 16 bits a number",),
    "_numeric": ("vectors are stored as numeric and read as float32",),
    "bit": ("vectors are bits: one a dimension, read as -1 and +1; the size of each number is lost",),
    "_int2": ("vectors are stored as integer: quantised, and their scale is not stated",),
    "_int4": ("vectors are stored as integer: quantised, and their scale is not stated",),
}
"""Types that can be read as `vector`, and what their numbers have lost."""
_PLAIN = {"bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "json", "jsonb", "_text", "_varchar"}
"""Types that are read as they are; numeric is read as a float, all others as their text."""
_OTHER = {"flag", "varbit", "bytea", "tsvector"}
_METRICS = {"vector_l2_ops": "l2", "vector_ip_ops": "inner product", "vector_cosine_ops": "cosine"}
_BIT_METRICS = {"bit_hamming_ops": "hamming", "bit_jaccard_ops": "jaccard"}

_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f')
AND (t.typname IN ('vector', 'halfvec', 'sparsevec') OR t.typname = 'bit' AND a.atttypmod >= 8)
AND pg_table_is_visible(c.oid) GROUP BY c.oid ORDER BY 1"""
_QUOTED = "SELECT coalesce(to_regclass(%s), to_regclass(quote_ident(%s)))::text"
"""The table's name as the server writes it: quoted where it must be, so that it can stand in a query."""
_COLUMNS = """
SELECT a.attname::text,
CASE WHEN t.typname = 'bit' AND a.atttypmod < 8 THEN 'flag' ELSE t.typname::text END
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_INDICES = """
SELECT i.indisprimary, i.indisunique AND i.indpred IS NULL, am.amname::text, a.attname::text, o.opcname::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
JOIN pg_opclass o ON o.oid = i.indclass[0]
WHERE i.indrelid = to_regclass(%s) AND i.indnkeyatts = 1 AND i.indisvalid"""


@dataclass(frozen=True)
class Table:
    """A table or view: its columns' types, and its indices over one column."""

    name: str
    types: dict[str, str]
    indices: tuple[tuple[bool, bool, str, str, str], ...]

    def roles(self, asked: str = "") -> dict[str, Role]:
        """What each column can be; bits are vectors where they are asked for, or the table has no other ones."""
        whole = any(kind in _VECTORS and kind != "bit" for kind in self.types.values())
        return {
            name: "other"
            if kind in _OTHER or (kind == "bit" and whole and name != asked)
            else "vector"
            if kind in _VECTORS
            else "plain"
            for name, kind in self.types.items()
        }

    def primary_key(self) -> tuple[str, ...]:
        """The primary key, if it is of one column."""
        return tuple(column for primary, _, _, column, _ in self.indices if primary)

    def is_unique(self, column: str) -> bool:
        """Whether an index holds the column's values apart."""
        return any(unique and name == column for _, unique, _, name, _ in self.indices)

    def metric(self, column: str) -> str:
        """What the index over a column of vectors ranks by, "" without one."""
        found = (ops for _, _, kind, name, ops in self.indices if kind in ("hnsw", "ivfflat") and name == column)
        ops = next(found, "")
        if ops in _BIT_METRICS:
            return _BIT_METRICS[ops]
        return _METRICS.get(ops.replace("halfvec", "vector").replace("sparsevec", "vector"), ops)

    def lost(self, column: str) -> tuple[str, ...]:
        """What the type of a column cannot hold."""
        return _VECTORS[self.types[column]]

    def vector(self, column: str) -> Any:
        """The column as a `vector`, whatever its type; a bit is -1 or +1."""
        sql = need("psycopg.sql")
        if self.types[column] == "bit":
            signs = "(SELECT array_agg(CASE b WHEN '1' THEN 1 ELSE -1 END ORDER BY place) FROM regexp_split_to_table"
            return sql.SQL(signs + "({}::text, '') WITH ORDINALITY AS bits(b, place))::vector").format(_named(column))
        if self.types[column] == "_int2":
            return sql.SQL("{}::int4[]::vector").format(_named(column))
        return sql.SQL("{}::vector").format(_named(column))

    def plain(self, columns: Sequence[str]) -> Any:
        """Columns of labels and texts, each after a comma, as Python can hold them."""
        sql = need("psycopg.sql")
        kinds = ((column, self.types[column]) for column in columns)
        casts = ((c, "" if kind in _PLAIN else "::float8" if kind == "numeric" else "::text") for c, kind in kinds)
        return sql.SQL("").join(sql.SQL(", {}" + cast).format(_named(column)) for column, cast in casts)


class Server:
    """A connection, made when it is first needed; a query that is cut off is asked again on a new one."""

    def __init__(self, address: str, patience: Patience) -> None:
        self._address, self._patience = address, patience
        self._psycopg = need("psycopg")
        self._held: Any = None

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._drop()

    def table(self, asked: str, store: str) -> Table:
        """The table that was asked for, or the only one that has vectors. Raises BadInput otherwise."""
        there = [name for (name,) in self._first(_TABLES, ())]
        if not asked and len(there) != 1:
            known = ", ".join(there) or "none"
            raise BadInput(f"{store} has {len(there)} tables of vectors; name one with ?table=NAME; it has: {known}")
        ((name,),) = self._first(_QUOTED, (asked or there[0],) * 2)
        if name is None:
            raise BadInput(f"{store} has no table {asked!r}; tables of vectors: {', '.join(there) or 'none'}")
        return Table(name, dict(self._first(_COLUMNS, (name,))), tuple(self._first(_INDICES, (name,))))

    def ask(self, query: str, table: Table, **parts: Any) -> list[Any]:
        """The rows of a query at the beginning of a reading: failures are told at once."""
        return self._first(_composed(query, table, parts), ())

    def ask_again(self, query: str, table: Table, values: Sequence[Any], **parts: Any) -> list[Any]:
        """The rows of a query in mid-reading, patiently."""
        composed = _composed(query, table, parts)
        return self._patience.again(lambda: self._rows(composed, values))

    def versions(self) -> dict[str, str]:
        """Of the server and its extension."""
        ((server, extension),) = self._first(
            "SELECT current_setting('server_version'), (SELECT extversion FROM pg_extension WHERE extname = 'vector')",
            (),
        )
        return {"postgresql": server, "pgvector extension": str(extension)}

    def _first(self, query: Any, values: Sequence[Any]) -> list[Any]:
        return self._patience.first(lambda: self._rows(query, values))

    def _rows(self, query: Any, values: Sequence[Any]) -> list[Any]:
        try:
            if self._held is None:
                self._held = self._connect()
            return self._held.execute(query, values, binary=True).fetchall()
        except (self._psycopg.OperationalError, self._psycopg.InterfaceError) as error:
            self._drop()
            hint = "; the password is read from PGPASSWORD" if "password" in str(error) else ""
            raise Lost(_one_line(error) + hint) from None
        except self._psycopg.Error as error:
            self._drop()
            raise BadInput(f"{self._patience.name}: {_one_line(error)}") from None

    def _connect(self) -> Any:
        password = secret("PGPASSWORD")
        held = self._psycopg.connect(
            self._address,
            **({"password": password} if password else {}),
            autocommit=True,
            connect_timeout=10,
            tcp_user_timeout=60_000,
            application_name="workbench",
        )
        held.execute("SET default_transaction_read_only = on")
        try:
            need("pgvector.psycopg").register_vector(held)
        except self._psycopg.ProgrammingError:
            held.close()
            raise BadInput(
                f"{self._patience.name} has no pgvector: CREATE EXTENSION vector was not run there"
            ) from None
        return held

    def _drop(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None


def _composed(query: str, table: Table, parts: dict[str, Any]) -> Any:
    """A query with the table's name and further parts put in; strings are the names of columns."""
    sql = need("psycopg.sql")
    named = {key: _named(part) if isinstance(part, str) else part for key, part in parts.items()}
    return sql.SQL(query).format(t=sql.SQL(table.name.replace("%", "%%")), **named)


def _named(column: str) -> Any:
    """A column's name, quoted; psycopg takes a `%` for a place of a value, in names too."""
    sql = need("psycopg.sql")
    return sql.SQL(sql.Identifier(column).as_string().replace("%", "%%"))


def _one_line(error: Exception) -> str:
    return " ".join(said(error).split())
