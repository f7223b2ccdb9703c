"""The viewer in a real Chromium: cameras in step, labels on the right frame, links, filters, and what goes wrong."""

import os
import statistics

import pytest
from browsers import screenshot, watched
from viewed_sets import FPS, LATE_NS, make_viewed_set
from viewer_servers import viewer

SECONDS = float(os.environ.get("CLIPMILL_VIEWER_SECONDS", "12"))
"""How long the cameras play together: `CLIPMILL_VIEWER_SECONDS=60` for a whole minute."""

PLACES = """() => Object.fromEntries([...document.querySelectorAll("video:not(.ahead)")].map(
    (video) => [video.dataset.camera, (video.currentTime - Number(video.dataset.originS)) + Number(video.dataset.startNs) / 1e9]))"""
READY = f"""([count, at]) => {{
    const videos = [...document.querySelectorAll("video:not(.ahead)")];
    const places = Object.values(({PLACES})());
    return videos.length === count && videos.every((video) => video.readyState >= 3 && !video.seeking)
        && places.every((place) => Math.abs(place - at) < 0.02);
}}"""
BOXES = "() => [...document.querySelectorAll('.lane')].map((lane) => Number(lane.querySelector('canvas').dataset.boxes))"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_viewed_set(tmp_path_factory.mktemp("viewed"), SECONDS + 2)


@pytest.fixture(scope="module")
def running(made):
    with viewer(made) as started:
        yield started


@pytest.fixture
def opened(browser, running):
    """Opens the viewer at a link in a browser of its own; nothing may go wrong in the page."""
    contexts, complaints = [], []

    def open_at(link: str = "", *, width: int = 1440, height: int = 900, dark: bool = False):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        complaints.append(watched(page))
        page.goto(running.address + link)
        return page

    yield open_at
    for context in contexts:
        context.close()
    # a video that is put away while it loads is an aborted request
    wrong = [words for said in complaints for words in said if "ERR_ABORTED" not in words]
    assert wrong == []


def ready(page, cameras: int, at: float) -> None:
    """Waits until as many cameras show a moment of the drive."""
    page.wait_for_function(READY, arg=[cameras, at], timeout=60_000)


def test_two_cameras_stay_within_one_frame_of_each_other(opened, record_testsuite_property):
    page = opened("#drive=drive&t=1")
    ready(page, 2, 1.0)
    page.keyboard.press("Space")
    page.wait_for_function("() => [...document.querySelectorAll('video')].every((video) => !video.paused)")
    page.wait_for_timeout(1000)
    drifts, last = [], 0.0
    while last < SECONDS:
        places = page.evaluate(PLACES)
        drifts.append(abs(places["front"] - places["back"]))
        last = places["front"]
        page.wait_for_timeout(100)
    assert last >= SECONDS
    assert len(drifts) > SECONDS
    record_testsuite_property("median_drift_ms", statistics.median(drifts) * 1e3)
    record_testsuite_property("most_drift_ms", max(drifts) * 1e3)
    assert max(drifts) <= 1 / FPS


@pytest.mark.parametrize("by_s", [0.15, -0.15, 1.0])
def test_a_camera_that_is_off_is_brought_back(opened, by_s):
    page = opened("#drive=drive&t=1")
    ready(page, 2, 1.0)
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('video[data-camera=back]').currentTime > 1")
    page.evaluate("(by) => { document.querySelector('video[data-camera=back]').currentTime += by; }", by_s)
    page.wait_for_timeout(2500)
    places = page.evaluate(PLACES)
    assert abs(places["front"] - places["back"]) <= 1 / FPS


def test_a_paused_moment_is_the_same_on_every_camera_and_steps_by_frames(opened):
    page = opened("#drive=drive&t=3")
    ready(page, 2, 3)
    places = page.evaluate(PLACES)
    assert abs(places["front"] - 3) < 0.001
    assert abs(places["back"] - 3) < 0.001
    shown = "() => Number(document.querySelector('.lane canvas').dataset.shownNs)"
    page.wait_for_function(f"() => ({shown})() === 3000000000")
    page.keyboard.press(".")
    page.wait_for_function(f"() => ({shown})() === 3040000000")
    page.keyboard.press(",")
    page.keyboard.press(",")
    page.wait_for_function(f"() => ({shown})() === 2960000000")
    # labelled frames are 0.4 s apart
    page.keyboard.press(":")
    page.wait_for_function(f"() => ({shown})() === 3200000000")


def test_boxes_stand_where_the_labels_say(opened):
    page = opened("#drive=drive&t=4.08")
    ready(page, 2, 4.08)
    page.wait_for_function(f"() => ({BOXES})().every((count) => count === 1)")
    lane = page.locator(".lane").first.locator("canvas")
    size = lane.bounding_box()
    # at 4.08 s the car is from 61 to 121 of 320 pixels, from 50 to 150 of 180
    lane.click(position={"x": size["width"] * 90 / 320, "y": size["height"] * 100 / 180})
    assert "car" in page.locator("#picked").inner_text()
    assert "clipmill explain DIR front-1-0000" in page.locator("#picked").inner_text()
    lane.click(position={"x": size["width"] * 130 / 320, "y": size["height"] * 100 / 180})
    assert page.locator("#picked").inner_text() == ""
    # only the network saw a person
    page.get_by_label("as the network gave them").check()
    page.wait_for_function(f"() => ({BOXES})().every((count) => count === 2)")
    page.get_by_label("person").uncheck()
    page.wait_for_function(f"() => ({BOXES})().every((count) => count === 1)")
    page.locator("#score").fill("0.65")
    page.wait_for_function(f"() => ({BOXES})().every((count) => count === 0)")
    link = "#drive=drive&t=4.080&score=0.65&hide=person&labels=network"
    page.wait_for_function("(link) => location.hash === link", arg=link)
    page.get_by_text("71 km/h (19.6 m/s)").wait_for()


def test_links_lead_to_the_same_place_and_hold_no_key(opened):
    page = opened("#clip=back-1&t=2.25&score=0.5&labels=both")
    ready(page, 2, 2.73)
    assert abs(page.evaluate(PLACES)["back"] - (2.25 + LATE_NS / 1e9)) < 0.001
    assert page.locator("#score-value").inner_text() == "0.50"
    assert "enlarged" in page.locator(".lane", has_text="back.mp4").get_attribute("class")
    assert "key" not in page.url


def test_jumps_lead_to_what_they_name(opened):
    page = opened()
    ready(page, 1, 0.0)
    page.get_by_role("button", name="hard braking: -5.0 m/s²").click()
    # from here on more than 3 m/s² over half a second
    ready(page, 2, 4.08)
    # what a data set says is text, never markup
    assert page.get_by_text("damaged_packets: <b>3 damaged frames</b>").is_visible()
    page.get_by_label("hard braking (1)").uncheck()
    assert page.get_by_role("button", name="hard braking").count() == 0


def test_a_codec_that_no_browser_plays_is_shown_picture_by_picture(opened):
    page = opened("#drive=old&t=1")
    image = page.locator(".lane img")
    image.wait_for(timeout=90_000)
    page.wait_for_function(
        "() => document.querySelector('.lane canvas').dataset.shownNs === '1000000000'", timeout=90_000
    )
    assert image.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [320, 180]
    page.keyboard.press(".")
    page.wait_for_function(
        "() => document.querySelector('.lane canvas').dataset.shownNs === '1040000000'", timeout=90_000
    )
    assert page.locator(".lane figcaption .soft").inner_text() == "old <b>&.ts"


def test_a_clip_that_has_vanished_is_told_and_the_others_go_on(made, browser, running):
    path = made.parent / "clips" / "back.mp4"
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        context = browser.new_context()
        page = context.new_page()
        page.goto(running.address + "#drive=drive&t=2")
        page.get_by_text("back.mp4: the clip is no longer where it was labelled").wait_for(timeout=60_000)
        page.keyboard.press("Space")
        page.wait_for_function("() => document.querySelector('video[data-camera=front]').currentTime > 2.5")
        context.close()
    finally:
        aside.rename(path)


@pytest.mark.parametrize(("width", "height", "dark"), [(1440, 900, False), (390, 844, True)])
def test_the_page_fits_its_window(opened, width, height, dark):
    page = opened("#drive=drive&t=4.08", width=width, height=height, dark=dark)
    ready(page, 2, 4.08)
    page.wait_for_function(f"() => ({BOXES})().every((count) => count === 1)")
    page.get_by_role("button", name="hard braking").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(page, f"viewer-{width}")
    nameless = page.locator("button, input, select").evaluate_all(
        "(all) => all.filter((one) => !(one.ariaLabel || one.labels?.length || one.textContent.trim())).map((one) => one.outerHTML)"
    )
    assert nameless == []


def test_where_faces_and_plates_are_blurred_no_video_reaches_the_page(made, browser):
    with viewer(made, "--blur", "faces,plates") as blurring:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        complaints, answers = watched(page), []
        page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - it has no attribute to be kept in
        page.goto(blurring.address + "#drive=drive&t=3")
        shown = "() => [...document.querySelectorAll('.lane canvas')].map((canvas) => canvas.dataset.shownNs)"
        # labelled frames are 0.4 s apart; the back camera begins 0.48 s later
        page.wait_for_function(f"() => ({shown})().join() === '2800000000,2400000000'", timeout=90_000)
        assert page.locator(".lane img").count() == 2
        assert page.locator("video").count() == 0
        assert page.get_by_text("faces and plates blurred: labelled frames alone").is_visible()
        screenshot(page, "viewer-blurred")
        page.keyboard.press(".")
        page.keyboard.press(":")
        page.wait_for_function(f"() => ({shown})()[0] === '3200000000'", timeout=90_000)
        page.keyboard.press("Space")
        page.wait_for_function(f"() => Number(({shown})()[0]) >= 4000000000", timeout=90_000)
        kinds = {answer.headers.get("content-type", "") for answer in answers if "/clips/" in answer.url}
        assert "image/jpeg" in kinds
        assert not [kind for kind in kinds if kind.startswith("video")]
        told = page.evaluate("async () => (await fetch('clips/front-1')).status")
        assert told == 403
        context.close()
        assert [words for words in complaints if "ERR_ABORTED" not in words and "403" not in words] == []
