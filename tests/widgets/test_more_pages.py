"""Exported pages of the widgets that probe, ask, mix and defend, in a real chromium, offline."""

from __future__ import annotations

import pytest

from tests.widgets import browser, more_samples
from tests.widgets.browser import drawn, see

pytestmark = pytest.mark.browser


def test_tasks_are_sorted_filtered_and_opened(visit):
    page = visit(more_samples.probe_dashboard(), states=70)
    tasks = page.locator("button.task")
    assert tasks.first.text_content() == "topic minilm"
    assert tasks.count() == 16
    page.get_by_role("combobox", name="embedder").select_option("potion")
    assert tasks.count() == 8
    page.get_by_role("combobox", name="sort by").select_option("selectivity")
    assert tasks.first.text_content() == "similarity (graded)"
    page.get_by_role("combobox", name="sort by").select_option("over TF-IDF")
    assert tasks.last.text_content() == "contains a name <b>"
    page.get_by_role("searchbox").fill("SYNTAX")
    see(page, "2 of 16 rows")
    page.get_by_role("searchbox").fill("nothing like it")
    see(page, "No task fits")
    page.get_by_role("searchbox").fill("")
    see(page, "8 of 16 rows")

    tasks.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    detail = page.locator(".detail")
    detail.get_by_text("untrained twin").wait_for()
    name = page.locator("button.task[aria-pressed=true]").text_content()
    assert name in detail.text_content()
    assert detail.locator("figure").count() == 2
    assert page.evaluate("document.activeElement.textContent") == name, "focus stays where it was"
    browser.shoot(page, "page_probe_dashboard_open")

    marks = page.locator("tbody .mark")
    before = marks.count()
    page.get_by_role("button", name="control task").click()
    assert marks.count() == before - 8


def test_a_slider_moves_a_vector_along_a_direction(visit):
    page = visit(more_samples.probe_dashboard(), states=70)
    slider = page.get_by_role("slider", name="how far along the direction")
    see(page, "+0.00 class gaps")
    page.locator(".near li").first.wait_for()
    first = page.locator(".near").text_content()
    slider.focus()
    page.keyboard.press("Home")
    see(page, "\u22122.00 class gaps")
    page.locator(".near .fresh").first.wait_for()
    assert page.locator(".near").text_content() != first
    assert "<script>" in page.locator(".said").text_content()
    assert "football" in slider.get_attribute("aria-valuetext") or "banking" in slider.get_attribute("aria-valuetext")
    browser.shoot(page, "page_probe_dashboard_moved")
    page.get_by_role("button", name="Back").click()
    see(page, "+0.00 class gaps")
    page.get_by_role("combobox", name="direction").select_option("1")
    see(page, "stands at")
    assert "cav, held-out AUC" in page.locator(".along").text_content()
    page.get_by_role("combobox", name="vector").select_option("3")
    page.locator(".fault", has_text="saved without an answer").first.wait_for()


def test_a_vector_answers_what_it_was_asked_beforehand(visit):
    widget = more_samples.vector_chat()
    page = visit(widget)
    turns = page.locator(".turn")
    assert turns.count() == 3
    assert turns.first.locator(".wb-badge.warn").text_content() == "⚠ contradicted"
    assert turns.nth(1).locator(".wb-badge").first.text_content() == "✓ not contradicted"
    page.get_by_role("button", name=more_samples.QUESTIONS[3]).click()
    turns.nth(3).get_by_text("0.52").wait_for()
    assert "unclear" in turns.nth(3).text_content()
    bar = turns.nth(3).get_by_role("img", name="probability of yes 0.52, of another vector 0.47")
    assert bar.count() == 1
    page.get_by_role("textbox", name="question").fill("  Is it\tabout   sport? ")
    page.keyboard.press("Enter")
    turns.nth(4).get_by_text("0.92").wait_for()
    page.get_by_role("textbox", name="question").fill("Does it rain?")
    page.get_by_role("button", name="Ask", exact=True).click()
    turns.nth(5).get_by_text("saved without an answer").wait_for()
    page.get_by_text("All 5 claims").click()
    assert page.locator("details tbody tr").count() == 5
    browser.shoot(page, "page_vector_chat_asked")


def test_a_talk_that_begins_reads_the_vector_first(visit):
    chat = more_samples.VectorChat(more_samples.answer, lambda: more_samples.READ, questions=more_samples.QUESTIONS)
    page = visit(chat)
    see(page, "A report on a match")
    see(page, "Nothing was asked yet")
    page.get_by_role("button", name=more_samples.QUESTIONS[2]).click()
    page.locator(".turn").get_by_text("between two towns").wait_for()
    assert "<script>" in page.locator(".turn").text_content()


def test_a_mixture_moves_between_both_ends_and_their_differences(visit):
    page = visit(more_samples.mix_pad())
    slider = page.get_by_role("slider")
    see(page, "100% football, 0% banking")
    page.locator(".near li").first.wait_for()
    slider.focus()
    page.keyboard.press("End")
    see(page, "0% football, 100% banking")
    see(page, "1.000 to banking")
    page.locator(".near .fresh").first.wait_for()
    page.get_by_role("button", name="football \u2212 banking").click()
    see(page, "cosine 0.609 to football")
    drawn(page, "football \u2212 banking: cosine 0.609")
    page.locator(".said").wait_for()
    browser.shoot(page, "page_mix_pad_difference")
    slider.fill("4")
    see(page, "60% football, 40% banking")


def test_a_strength_shows_leakage_beside_utility_and_prior(visit):
    page = visit(more_samples.defence_slider())
    slider = page.get_by_role("slider", name="strength")
    see(page, "0.880")
    slider.focus()
    page.keyboard.press("End")
    see(page, "static alone deceives")
    drawn(page, "noise at 1.6")
    drawn(page, "prior 0.270")
    browser.shoot(page, "page_defence_slider_strong")
    page.get_by_role("combobox", name="defence").select_option(label="truncation")
    see(page, "truncation <script>")
    page.get_by_role("combobox", name="defence").select_option(label="leace")
    assert slider.is_disabled()
    page.locator("circle.adaptive", has_text="pca at 64.0").click()
    assert page.get_by_role("combobox", name="defence").input_value() == "1"
    drawn(page, "pca at 64.0")


@pytest.mark.parametrize("name", sorted(more_samples.MORE))
def test_every_state_of_a_page_is_silent(visit, name):
    """Every button, box and slider is tried once; the page must not complain."""
    page = visit(more_samples.MORE[name](), states=40)
    for control in page.locator(".wb button:visible:enabled").all():
        if control.is_visible() and control.is_enabled():
            control.click()
    for control in page.locator(".wb select").all():
        control.select_option(index=control.locator("option").count() - 1)
    for control in page.locator(".wb input[type=range]:enabled").all():
        control.fill(control.get_attribute("max"))
    page.wait_for_timeout(200)
    assert page.locator(".wb-problem").is_hidden()
