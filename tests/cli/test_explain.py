"""workbench explain: what it refuses before any model is opened."""

from __future__ import annotations

import pytest
from command_line import run

ONE = "give one of: a Parquet file of vectors, --texts FILE"


def test_help_teaches():
    done = run("explain", "--help")
    assert done.returncode == 0
    for option in ("--texts", "--between", "--document", "--evaluate", "--json", "--seed", "--device", "--quiet"):
        assert option in done.stdout
    assert "Example" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], ONE),
        (["v.parquet", "--texts", "lines.txt"], ONE),
        (["v.parquet", "--evaluate"], ONE),
        (["--between", "a", "b", "--texts", "lines.txt"], ONE),
        (["--between", "a"], "Option '--between' requires 2 arguments"),
        (["--between", "a", " "], "expected two that are not empty"),
        (["--between", "a", "b", "--ask", "Is it?"], "--ask goes with vectors or --texts"),
        (["--between", "a", "b", "--steps", "1"], "Invalid value for '--steps'"),
        (["--evaluate", "--ask", "Is it?"], "--ask goes with vectors or --texts"),
        (["--evaluate", "--n", "3"], "Invalid value for '--n'"),
        (["v.parquet", "--document"], "--document needs a question"),
        (["--evaluate", "--serve", "llamacpp"], "--evaluate measures the model as torch serves it"),
        (["--between", "a", "b", "--serve", "gpu"], "serve is 'gpu'; expected one of torch, llamacpp"),
        (["none.parquet"], "none.parquet is not there; expected a Parquet file"),
        (["--texts", "none.txt"], "none.txt is not there; expected a file of texts"),
    ],
)
def test_every_mistake_is_one_clear_line_and_exit_3(tmp_path, arguments, message):
    done = run("explain", *arguments, cwd=tmp_path)
    assert done.returncode == 3
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir()), "a failed command leaves nothing behind"
