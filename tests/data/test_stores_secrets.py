"""No password stands in a line, a message, a log or a provenance."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import BadInput
from workbench.data.stores import open_store
from workbench.data.stores._secrets import scrub, secret

PASSWORD = "correct-horse-9431"


@pytest.mark.parametrize(
    "line",
    [
        "pgvector:postgresql://me:{}@localhost:5432/db?table=docs",
        "postgresql://me:{}@localhost/db?table=docs",
        "pgvector:postgresql://localhost/db?table=docs&password={}",
        "pgvector:postgresql://localhost/db?password={}",
        "pgvector:host=localhost password={} dbname=db",
        "pgvector:host=localhost PASSWORD = {}",
        "chroma:http://{}@localhost:8000?collection=docs",
        "chroma:http://me:{}@localhost:8000?collection=docs",
        "chroma:http://localhost:8000?collection=docs&token={}",
        "chroma:http://localhost:8000?X-Chroma-Token={}",
        "qdrant:https://localhost:6333?api_key={}",
        "qdrant:https://localhost:6333?collection=docs&apiKey={}",
        "qdrant:https://localhost:6333?a%70i-key={}",
    ],
)
def test_a_line_with_a_password_is_refused_with_the_fix_and_does_not_repeat_it(line, caplog):
    with caplog.at_level(0), pytest.raises(BadInput, match="set PGPASSWORD, CHROMA_TOKEN or QDRANT_API_KEY") as told:
        open_store(line.format(PASSWORD))
    assert PASSWORD not in "".join(traceback.format_exception(told.value, chain=True)).replace(line, "")
    assert PASSWORD not in caplog.text


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12).map(lambda text: f"Zq{text}xJ7"))
def test_whatever_the_password_is_and_however_badly_it_is_quoted(password):
    for kind in ("pgvector:postgresql", "chroma:http", "qdrant:https"):
        line = f"{kind}://reader:{password}@localhost:5432/db?table=docs&collection=docs"
        with pytest.raises(BadInput) as told:
            open_store(line).facts()
        for part in ("Zq", "xJ7"):
            assert part not in str(told.value)


@pytest.mark.parametrize(
    "line", ["pgvector:postgresql://reader@localhost/db?table=a", "chroma:http://localhost:1?collection=b"]
)
def test_lines_without_one_are_taken(line):
    assert open_store(line).name == line.partition("?")[0]


def test_from_the_environment_or_a_file(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    assert secret("PGPASSWORD") == ""
    file = tmp_path / "credentials"
    file.write_text("# of the audit\nexport PGPASSWORD='from = file'\nQDRANT_API_KEY=k1\n\n")
    file.chmod(0o600)
    monkeypatch.setenv("WORKBENCH_CREDENTIALS", str(file))
    assert secret("PGPASSWORD") == "from = file"
    assert secret("CHROMA_TOKEN") == ""
    assert scrub("key k1, from = file, from%20%3D%20file") == "key ***, ***, ***"
    monkeypatch.setenv("PGPASSWORD", "from environment")
    assert secret("PGPASSWORD") == "from environment"
    assert not caplog.text
    file.chmod(0o644)
    secret("QDRANT_API_KEY")
    assert "can be read by every user" in caplog.text
    monkeypatch.setenv("WORKBENCH_CREDENTIALS", str(tmp_path / "none"))
    with pytest.raises(BadInput, match=r"WORKBENCH_CREDENTIALS names .*none, which cannot be read"):
        secret("QDRANT_API_KEY")
