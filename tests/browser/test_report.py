"""The report in a real Chromium: it loads without a complaint, its filters work, and people can read it anywhere."""

import pytest
from browsers import screenshot, watched

LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 26)"
PAPER = "getComputedStyle(document.body).backgroundColor"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SHOWN = "#wall-cards > li:visible"


@pytest.fixture
def opened(browser, reported):
    """Opens the report; no console error, exception or failed request may come of it."""
    pages, wrongs = [], []

    def open_it(**settings):
        page = browser.new_page(**{"viewport": {"width": 1440, "height": 900}, **settings})
        wrongs.append(watched(page))
        page.on("dialog", lambda dialog: wrongs.append([dialog.message]))
        page.goto(reported.as_uri())
        pages.append(page)
        return page

    yield open_it
    assert [wrong for wrong in wrongs if wrong] == []
    for page in pages:
        page.close()


@pytest.mark.parametrize(("width", "scheme", "paper"), [(1440, "light", LIGHT), (390, "dark", DARK)])
def test_the_report_loads_whole_at_any_width_in_light_and_dark(opened, width, scheme, paper):
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    loaded = page.evaluate("[...document.images].map((image) => image.complete && image.naturalWidth)")
    assert len(loaded) > 4
    assert all(loaded)
    assert page.evaluate(OVERFLOW) == 0
    assert page.evaluate(PAPER) == paper
    screenshot(page, f"report-{width}-{scheme}")


def test_the_path_of_a_clip_is_text(opened):
    page = opened()
    assert page.locator("script").count() == 1
    assert page.get_by_text("<script>alert(1)</script>.mp4").count() > 0


def test_filters_work_by_keyboard_and_tell_what_is_left(opened):
    page = opened()
    cards = page.locator(SHOWN)
    every = cards.count()
    kind = page.get_by_label("kind")
    kind.focus()
    page.keyboard.press("b")
    assert kind.input_value() == "best"
    assert 0 < cards.count() < every
    assert page.evaluate(
        "[...document.querySelectorAll('#wall-cards > li:not([hidden])')].every((card) => card.dataset.kind === 'best')"
    )
    status = page.get_by_role("status")
    assert status.text_content() == f"{cards.count()} of {every} frames"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function(
        f"document.getElementById('wall-shown').textContent === '{every} of {every} frames'"
    )
    assert cards.count() == every
    category = page.get_by_label("category").locator("option").nth(1).text_content()
    page.get_by_label("category").select_option(category)
    assert {card.get_attribute("data-category") for card in cards.all()} == {category}


def test_the_first_tab_skips_to_the_content_and_sections_are_regions(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    assert page.get_by_role("region").count() == page.locator("section").count() == 10
    assert page.get_by_role("main").count() == 1
    # every picture has words
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator("svg:not([role=img])").count() == 0


def test_paper_shows_all_and_no_buttons(opened):
    page = opened(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(PAPER) == LIGHT
    assert not page.locator("#wall-filter").is_visible()
    assert not page.locator("nav").is_visible()
    assert page.locator(SHOWN).count() == page.locator("#wall-cards > li").count()


def test_without_scripts_every_frame_is_shown(browser, reported):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(reported.as_uri())
    assert page.locator(SHOWN).count() == page.locator("#wall-cards > li").count() > 0
    assert not page.locator("#wall-filter").is_visible()
    context.close()
