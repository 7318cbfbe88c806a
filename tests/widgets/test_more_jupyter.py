"""The widgets that probe, ask, mix and defend in a real JupyterLab: streams, cancelling, and state that crosses."""

from __future__ import annotations

import pytest

from tests.widgets import browser

pytestmark = pytest.mark.browser
_CELL = """
from tests.widgets import more_samples
from workbench.widgets import DefenceSlider, Progress, VectorChat
from ipywidgets import Label
import time

def ask(question):
    for place in range(4):
        yield Progress(place, 4)
        yield " ".join(["so", "far", "and", "on"][: place + 1])
        time.sleep(0.05)
    if "ever" in question:
        time.sleep(3)
        yield Progress(4, 4)
    yield from more_samples.answer(question)

def measure(method, strength):
    time.sleep(0.6)
    yield from more_samples.measure(method, strength)

chat = VectorChat(ask, lambda: more_samples.READ, questions=more_samples.QUESTIONS)
pad, dashboard = more_samples.mix_pad(), more_samples.probe_dashboard()
defence = DefenceSlider(more_samples.defence_rows(), measure, {"truncation": (2.0, 4.0, 8.0)})
asked, placed, measured = Label(""), Label(""), Label("")
chat.observe(lambda change: setattr(asked, "value", "asked: " + chat.turns[-1]["answer"]), "turns")
pad.observe(lambda change: setattr(placed, "value", "placed: " + pad.position), "position")
defence.observe(lambda change: setattr(measured, "value", f"measured: {len(defence.measured)}"), "measured")
dashboard.observe(lambda change: setattr(pad, "position", "3"), "step")
for widget in (chat, pad, defence, dashboard, asked, placed, measured):
    display(widget)
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """JupyterLab with the four widgets; afterwards no script of ours complained, and no other address was asked."""
    with browser.jupyter(_CELL, tmp_path_factory.mktemp("jupyter")) as server, browser.chromium() as chromium:
        watched = browser.Watched(chromium.new_page(viewport={"width": 1280, "height": 900}))
        watched.page.set_default_timeout(15_000)
        watched.page.goto(server.notebook("lab/tree"), timeout=60_000)
        browser.run_all(watched.page)
        watched.page.locator(".wb.probe-dashboard").wait_for(state="attached", timeout=60_000)
        yield watched.page
        assert [each for each in watched.errors if "blob:" in each] == []
        assert [each for each in watched.requests if not each.startswith((server.url, "data:", "blob:"))] == []


def test_an_answer_streams_into_the_transcript_and_reaches_python(page):
    chat = page.locator(".wb.vector-chat")
    chat.get_by_text("A report on a match").first.wait_for()
    chat.get_by_role("textbox", name="question").fill("Is it about sport?")
    page.keyboard.press("Enter")
    chat.locator(".waiting").get_by_text("so far").wait_for()
    chat.locator(".turn").get_by_text("contradicted").first.wait_for()
    page.get_by_text("asked: yes").wait_for(state="attached")
    browser.shoot(chat, "lab_vector_chat")


def test_a_question_is_given_up(page):
    chat = page.locator(".wb.vector-chat")
    turns = chat.locator(".turn").count()
    chat.get_by_role("textbox", name="question").fill("Will it ever end?")
    page.keyboard.press("Enter")
    chat.locator(".waiting").get_by_text("so far and on").wait_for()
    chat.get_by_role("button", name="Cancel").click()
    chat.get_by_text("Given up before it was finished").wait_for()
    chat.locator(".chips button", has_text="Is it a question?").click()
    chat.locator(".turn").nth(turns + 1).get_by_text("0.11").wait_for()
    assert chat.locator(".turn").count() == turns + 2


def test_a_slider_reaches_python_and_is_answered(page):
    pad = page.locator(".wb.mix-pad")
    pad.get_by_role("slider").fill("7")
    pad.get_by_text("30% football, 70% banking").first.wait_for()
    page.get_by_text("placed: 7").wait_for(state="attached")
    pad.locator(".near li").first.wait_for()
    pad.locator(".said").wait_for()
    dashboard = page.locator(".wb.probe-dashboard")
    dashboard.get_by_role("slider").fill("16")
    dashboard.get_by_text("+2.00 class gaps").first.wait_for()
    pad.get_by_text("70% football, 30% banking").first.wait_for()


def test_a_strength_is_measured_when_the_slider_comes_to_it(page):
    defence = page.locator(".wb.defence-slider")
    defence.get_by_role("combobox", name="defence").select_option(label="truncation")
    defence.get_by_text("not measured yet").wait_for()
    defence.get_by_text("truncation <script>").wait_for()
    page.get_by_text("measured: 1").wait_for(state="attached")
    defence.get_by_role("slider").fill("2")
    page.get_by_text("measured: 2").wait_for(state="attached")
    browser.drawn(defence, "truncation at 8.0: utility")
