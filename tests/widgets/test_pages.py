"""Exported pages in a real chromium, offline: they answer, ask the network for nothing, and complain of nothing."""

from __future__ import annotations

import numpy as np
import pytest

from tests.widgets import browser, samples
from tests.widgets.browser import see
from workbench.results import Inversions
from workbench.results.inversions import Round
from workbench.widgets import EmbeddingMap, InversionPlayer, PairAttribution

pytestmark = pytest.mark.browser


def canvas_point(page, row):
    """Where a point of the map lies on the screen, from the coordinates and the first view."""
    widget = page.widget
    box = page.locator("canvas").nth(1).bounding_box()
    x, y = widget._places[row]
    scale = whole(widget, box)
    return box["x"] + box["width"] / 2 + float(x) * scale, box["y"] + box["height"] / 2 - float(y) * scale


def whole(widget, box):
    """Pixels a unit of the map when all of it is shown."""
    wide, high = map(float, np.abs(widget._places).max(0))
    return 0.94 * min(box["width"] / 2 / wide, box["height"] / 2 / high)


def lonely(widget):
    """The point that is farthest from its nearest neighbour on the plane: no other one is under the pointer."""
    places = widget._places
    far = ((places[:, None] - places[None]) ** 2).sum(2) + np.eye(len(places)) * 9
    return int(far.min(1).argmax())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", sorted(samples.ALL))
def test_every_page_opens_and_follows_the_theme(visit, name, scheme):
    page = visit(samples.ALL[name](), scheme)
    page.wait_for_timeout(150)
    assert page.locator(".wb").get_attribute("data-theme") == scheme
    assert page.locator(".wb-problem").is_hidden()
    browser.shoot(page, f"page_{name}_{scheme}")


def test_every_control_has_a_name(visit):
    controls = ".wb button, .wb select, .wb input, .wb canvas[tabindex], .wb svg[role]"
    named = "(e) => e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length"
    for name in sorted(samples.ALL):
        page = visit(samples.ALL[name]())
        script = (
            f"() => [...document.querySelectorAll('{controls}')].filter((e) => !({named})(e)).map((e) => e.outerHTML)"
        )
        assert page.evaluate(script) == []


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_background_are_apart(visit, scheme):
    """Contrast is at least that of WCAG AA."""
    page = visit(samples.audit_grid(), scheme)
    pairs = [(ink, back) for ink in ("ink", "soft", "bad", "good", "accent") for back in ("back", "card")]
    for ink, back in (*pairs, ("on", "accent"), ("ink", "same"), ("ink", "hit"), ("ink", "warn")):
        script = "(name) => getComputedStyle(document.querySelector('.wb')).getPropertyValue('--wb-' + name).trim()"
        low, high = sorted(luminance(page.evaluate(script, name)) for name in (ink, back))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, back)


def test_the_map_answers_hover_click_keys_search_lasso_and_legend(visit):
    widget = samples.embedding_map()
    row = lonely(widget)
    widget.point = row
    page = visit(widget)
    page.widget = widget
    text = str(widget._set.texts[row])
    panel = page.locator(".panel")
    panel.get_by_text("A report <script>").wait_for()
    panel.get_by_text("The weather report came late.").last.wait_for()
    assert panel.locator(".near li").count() == 12
    browser.shoot(page, "page_embedding_map_open")

    page.mouse.move(*canvas_point(page, row))
    page.locator(".tip:visible").wait_for()
    assert text in page.locator(".tip").text_content()
    panel.locator(".near button").first.click()
    near = widget._near(row)["rows"][0]
    page.locator(".panel h3", has_text=str(widget._set.ids[near])).wait_for()

    page.locator("canvas").nth(1).focus()
    page.keyboard.press("ArrowRight")
    page.locator(".tip:visible").wait_for()
    said = page.locator("[role=status].wb-hidden").text_content()
    assert page.locator(".tip b").text_content()[:20] in said
    for key in ("+", "+", "ArrowDown", "-", "0", "Enter"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    panel.get_by_text("Choose a point").wait_for()
    panel.get_by_text("This page holds the answers of 20 points").wait_for()

    page.get_by_role("searchbox").fill("chess")
    count = int((widget._set.labels["topic"] == "chess").sum())
    see(page, f"{count} of 400 points")
    browser.shoot(page, "page_embedding_map_search")
    page.get_by_role("button", name="Show all").click()
    see(page, "400 points", exact=True)

    page.locator(".legend button").first.click()
    see(page, " of 400 points")
    page.get_by_role("button", name="Show all").click()

    box = page.locator("canvas").nth(1).bounding_box()
    left, top = box["x"] + 4, box["y"] + 4
    page.get_by_role("button", name="Lasso").click()
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((1, 0), (1, 1), (0, 1), (0, 0)):
        page.mouse.move(left + x * (box["width"] / 2 - 4), top + y * (box["height"] - 8), steps=3)
    page.mouse.up()
    places = widget._places
    scale = whole(widget, box)
    inside = int((np.abs(places[:, 1]) * scale < box["height"] / 2 - 4).sum() - (places[:, 0] > 0).sum())
    see(page, f"{inside} of 400 points")
    browser.shoot(page, "page_embedding_map_lasso")

    page.get_by_role("combobox", name="colour by").select_option("length")
    page.locator(".ramp").wait_for()
    browser.shoot(page, "page_embedding_map_scale")


def test_the_map_finds_the_point_under_the_pointer_after_pan_and_zoom(visit):
    widget = samples.embedding_map()
    row = lonely(widget)
    page = visit(widget)
    page.widget = widget
    x, y = canvas_point(page, row)
    page.mouse.move(x + 60, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 20, steps=4)
    page.mouse.up()
    page.mouse.move(x + 30, y + 20)
    page.mouse.wheel(0, -300)
    page.locator(".tip:visible").wait_for(state="hidden")
    page.mouse.move(x + 31, y + 20)
    page.locator(".tip:visible").wait_for()
    assert str(widget._set.texts[row])[:30] in page.locator(".tip").text_content()


def test_a_page_says_that_it_was_not_asked(visit):
    widget = samples.embedding_map()
    widget.point = 3
    page = visit(widget, states=0)
    page.locator(".panel").get_by_text("saved without an answer").first.wait_for()


def test_the_player_scrubs_plays_and_lights_up_what_was_recovered(visit):
    page = visit(samples.inversion_player())
    see(page, "round 4 of 4, cosine 0.9890")
    lit = page.locator(".hits .lit")
    assert lit.all_text_contents() == ["● person: Alice Marlowe", "● city: Portland"]
    page.locator("h3").first.click()
    page.get_by_role("button", name="round before").focus()
    page.keyboard.press("Home")
    see(page, "round 1 of 4, cosine 0.7100")
    assert lit.count() == 0
    browser.shoot(page, "page_inversion_player_first")
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").wait_for()
    see(page, "round 3 of 4")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("slider").fill("1")
    see(page, "round 2 of 4")
    page.locator(".dot").nth(3).click()
    see(page, "round 4 of 4")
    page.get_by_role("combobox").select_option("1")
    assert "<script>" in page.locator(".line").nth(1).text_content()
    browser.shoot(page, "page_inversion_player_second")


def test_only_a_whole_value_in_its_order_lights_up(visit):
    """The word `may` is no trace of a person of that name."""
    rounds = (Round("one", np.array(["May 3: Ann of May wrote, says Ann May."], object), np.ones(1), 1, 0.1),)
    found = Inversions("x", np.array(["a"], object), rounds[0].texts, rounds[0].cosines, np.zeros(1), 1, 0.1, rounds)
    page = visit(InversionPlayer(found, ["Dear Ann May, thanks."], [[("person", 5, 12)]]))
    assert page.locator(".line").first.locator(".hit").all_text_contents() == ["Ann", "May"]
    assert page.locator(".line").first.text_content().endswith("says Ann May.")


def test_words_in_place_are_those_of_the_longest_common_subsequence(visit):
    page = visit(samples.inversion_player())
    see(page, "words in place")
    guess, truth = (page.locator(".line").nth(k) for k in (0, 1))
    assert guess.locator(".moved").all_text_contents() in (["Street"], ["Oak"])
    assert "street" in truth.locator("span.safe").all_text_contents()[-1].lower()


def test_words_of_a_pair_point_at_each_other(visit):
    page = visit(samples.pair_attribution())
    words = page.locator("button.word")
    words.filter(has_text="closed").hover()
    see(page, "“closed” gives")
    assert "with “shut”" in page.locator(".partners").text_content()
    browser.shoot(page, "page_pair_attribution_hover")
    words.first.focus()
    page.keyboard.press("ArrowRight")
    see(page, "“bank” gives")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete this word").click()
    outcome = page.get_by_text("Without “bank”: foretold")
    outcome.get_by_text("0.580").wait_for()
    page.get_by_role("radio", name="Grid").click()
    assert page.locator("td.lit").count() == 11
    browser.shoot(page, "page_pair_attribution_grid")
    page.get_by_role("button", name="Put it back").click()
    assert outcome.count() == 0


def test_a_large_error_is_a_warning(visit):
    page = visit(PairAttribution(samples.pair(0.08)))
    assert "⚠" in page.locator(".wb-badge.warn").text_content()


def test_the_grid_shows_evidence_and_names_what_was_not_run(visit):
    page = visit(samples.audit_grid())
    cells = page.locator(".cell")
    assert cells.count() == 20
    missing = page.get_by_role("button", name="store and pairs, correction: not run")
    missing.click()
    page.locator(".evidence").get_by_text("which is no pass").wait_for()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    evidence = page.locator(".evidence")
    evidence.get_by_text("few-shot under store and pairs").wait_for()
    assert "<script>" in evidence.text_content()
    assert "n = 400" in evidence.text_content()


@pytest.mark.parametrize("name", sorted(samples.ALL))
def test_narrow_pages_lose_nothing(visit, name):
    page = visit(samples.ALL[name](), width=420)
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    browser.shoot(page, f"narrow_{name}")


def test_a_hundred_thousand_points_are_there_in_half_a_second(chromium, tmp_path):
    random = np.random.default_rng(0)
    plane = random.standard_normal((100_000, 2)).astype(np.float32)
    many = samples.EmbeddingSet(np.arange(100_000).astype(object), plane + 10)
    EmbeddingMap(many, plane, title="many").export_html(tmp_path / "a.html", states=0)
    page = chromium.new_page()
    page.goto((tmp_path / "a.html").as_uri())
    page.wait_for_selector("canvas")
    spent = page.evaluate(
        """() => new Promise((done) => { const began = performance.now();
          document.querySelector('[aria-label="zoom in"]').click();
          requestAnimationFrame(() => setTimeout(() => done(performance.now() - began), 0)); })"""
    )
    assert spent < 500
    page.close()
