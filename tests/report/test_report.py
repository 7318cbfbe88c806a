"""A report is one page, needs no network, and holds nothing that is not in its JSON."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest

from workbench.core.errors import BadInput
from workbench.core.estimate import Estimate
from workbench.report import Report
from workbench.results import AuditResult, Control, GroupScores, InversionScores, Persons, Recovery, ScoreTable


def estimate(value):
    return Estimate(value, value / 2, (1 + value) / 2, 40, "Wilson")


@pytest.fixture
def audit():
    def scores(method, role, value):
        e = estimate(value)
        return InversionScores(method, role, e, e, e, e)

    table = ScoreTable(
        "Attack & floors", (scores("ours", "attack", 0.512), scores("nearest <b>", "floor", 0.234)), "sig"
    )
    return AuditResult(
        title="An audit",
        plan={"seed": 0, "floors": ["nearest"]},
        threat={"name": "known-encoder", "description": "knows the encoder"},
        embedder={"embedder": "minilm", "versions": {"torch": "2"}},
        controls=(Control("round trip", True, "1.000"),),
        sentences=table,
        groups=tuple(
            GroupScores("length", name, 20, words, *map(estimate, (0.61, 0.12, 0.49, 0.31, 0.29)))
            for name, words in (("1 to 8 words", 6.0), ("9 to 14 words", 11.5))
        ),
        recoveries=(Recovery("ours", "email", *map(estimate, (0.1, 0.2, 0.3, 0.05, 0.15, 0.4))),),
        persons=(Persons("ours", *map(estimate, (0.2, 0.15, 0.1, 0.19, 0.14, 0.09))),),
        examples=(),
        records=(),
        seconds=1.5,
        checkpoint={"name": "c"},
    )


def test_three_files_from_one_result(audit, tmp_path):
    paths = Report("An audit", (audit,), "Made today").save(tmp_path)
    assert [path.name for path in paths] == ["report.html", "report.md", "report.json"]
    again = Report.load(tmp_path / "report.json")
    assert again.to_html() == paths[0].read_text()
    assert again.to_markdown() == paths[1].read_text()


def test_every_number_of_the_page_is_in_the_json(audit, tmp_path):
    Report("An audit", (audit,)).save(tmp_path)
    body = re.search(r"<main>(.*)</main>", (tmp_path / "report.html").read_text(), re.S).group(1)
    shown = {
        float(number)
        for number in re.findall(r"(?<![\w.])\d\.\d{3}(?!\d)", re.sub(r"<script.*?</script>", "", body, flags=re.S))
    }

    def numbers(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return {n for item in value for n in numbers(item)}
        return {round(value, 3)} if isinstance(value, float) else set()

    held = numbers(Report("An audit", (audit,)).to_json()) | {1.0}
    assert len(shown) > 10
    assert shown <= held


def test_the_page_asks_the_network_for_nothing(audit, tmp_path):
    Report("An audit", (audit,)).save(tmp_path)
    page = (tmp_path / "report.html").read_text()
    markup = re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", markup)
    assert "default-src 'none'" in page
    assert page.count("'sha256-") == 4
    assert len(page.encode()) < 8_000_000
    assert "nearest &lt;b&gt;" in page


def test_risks_and_limits_close_the_page(audit):
    page = Report("An audit", (audit, audit.sentences)).to_markdown()
    places = [
        page.index(f"## {name}") for name in ("How much of a", "Attack & floors", "Risks", "Limits", "What was done")
    ]
    assert places == sorted(places)
    assert page.count("## Risks") == 1 and audit.blocks() == (*audit.opening(), *audit.closing())


def test_a_report_says_what_it_masks(audit):
    asked = replace(audit, plan={**audit.plan, "include_plaintext": True, "store": "mine.parquet"})
    for result, words in (
        (audit, ("planted data is masked", "of the public test split, so shown as they are")),
        (asked, ("planted data is shown as it is, as the plan asks", "texts of the store, shown as they are")),
        (
            replace(asked, plan={"store": "mine.parquet"}),
            ("planted data is masked", "texts of the store, their letters"),
        ),
    ):
        page = Report("An audit", (result,)).to_markdown()
        assert all(each in page for each in words)


def test_the_worst_off_group_is_named(audit):
    first, second = audit.groups
    page = Report("x", (replace(audit, groups=(second, replace(first, excess=estimate(0.9)))),)).to_markdown()
    assert "Worst-off of 2 groups: 1 to 8 words (length), excess 0.90" in page
    assert "Recovery by length of the hidden sentence" in page


def test_what_is_no_report_is_refused(tmp_path):
    for content in (
        "[]",
        "{}",
        '{"report": 1, "results": []}',
        '{"schema_version": 9, "results": []}',
        '{"schema_version": 1, "results": [{"type": "X"}]}',
        "{",
    ):
        (tmp_path / "a.json").write_text(content)
        with pytest.raises(BadInput):
            Report.load(tmp_path / "a.json")


def test_a_single_result_makes_a_page(audit, tmp_path):
    audit.sentences.save(tmp_path / "a.json")
    assert "Attack &amp; floors" in Report.load(tmp_path / "a.json").to_html()


def test_a_page_is_printed_where_there_is_a_browser(audit, tmp_path, monkeypatch):
    page = Report("title", (audit,))
    page.save(tmp_path)
    if shutil.which("chromium"):
        assert page.print_pdf(tmp_path).read_bytes().startswith(b"%PDF")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match=r"no browser to print .*report\.pdf with; install chromium"):
        page.print_pdf(tmp_path)


def test_a_private_report_is_the_owners_alone(audit, tmp_path):
    page = Report("title", (audit,))
    paths = [*page.save(tmp_path, private=True)]
    if shutil.which("chromium"):
        paths.append(page.print_pdf(tmp_path, private=True))
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in page.save(tmp_path / "open")} == {0o644}


@pytest.mark.parametrize("recovered", [True, False])
def test_an_audit_of_a_lossy_copy_says_so_in_its_verdict(audit, recovered):
    from dataclasses import replace

    whole = audit
    lossy = replace(whole, lost=("only the sign of each number was read: 3 of 4 bits a number were not read",))
    assert (whole.verdict, lossy.verdict) == ("done", "done on a lossy copy")
    blocks = lossy.opening() if recovered else lossy.brief()
    first = next(block for block in blocks if getattr(block, "text", "").startswith("The vectors that were attacked"))
    assert "3 of 4 bits a number were not read" in first.text
    assert "lossy copy" not in repr(whole.blocks())


def test_an_audit_says_which_rows_of_the_store_were_left_out(audit):
    said = "skipped 3 rows that cannot be used: 1 x is a zero vector, 2 x has no vector; ids: 'k3', 'k5', 'k7'"
    assert "left out" not in repr(audit.opening())
    for blocks in (replace(audit, left_out=(said,)).opening(), replace(audit, left_out=(said,)).brief()):
        assert f"Rows of the store that were left out: {said}." in [getattr(block, "text", "") for block in blocks]
