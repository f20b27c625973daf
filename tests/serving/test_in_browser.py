"""The page in a headless Chromium, as a user works with it; skipped where none is installed."""

import json
import os
import shutil

import pytest
from running_server import running

import ovarnet
from ovarnet.catalogue.search.product_finder import open_finder
from ovarnet.serving.app import create_app
from ovarnet.serving.examples import FOLDER, SCENES
from ovarnet.serving.limits import Limits

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = ["--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions"]
SCENE = FOLDER / "scene.jpg"  # two trees, an apple and a heart

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed"),
]


@pytest.fixture(scope="module")
def address():
    app = create_app(
        ovarnet.load("scenes", device="cpu"),
        "scenes",
        note="drawn scenes alone",
        limits=Limits(upload_bytes=200_000, seconds=60),
        examples=SCENES,
        products=open_finder(ovarnet.load_index(FOLDER / "catalogue"), device="cpu"),
    )
    with running(app) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    flags = [*FLAGS, "--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def blank(browser, address):
    """A tab. At the end: nothing failed in it, nothing came from elsewhere."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(60_000)
    faults, requests = [], []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    yield page
    page.close()
    assert faults == []
    assert [url for url in requests if not url.startswith((address, "blob:" + address))] == []


@pytest.fixture
def page(blank, address):
    """The page, just opened."""
    blank.goto(address)
    blank.wait_for_selector("#examples img")
    return blank


@pytest.fixture
def shop(blank, address):
    """The page of products, just opened by its link."""
    blank.goto(address)
    blank.click("text=Products")
    blank.wait_for_selector("#filters:not([hidden])")
    return blank


def type_words(page, kind, text):
    page.fill(f"#{kind}", text)
    page.press(f"#{kind}", "Enter")


def upload(page, file=SCENE):
    page.set_input_files("#file", file)


def detect(page):
    """The scene with two categories and two attributes."""
    type_words(page, "categories", "heart, tree")
    type_words(page, "attributes", "red, transparent")
    upload(page)
    wait_for_list(page)


def wait_for_list(page):
    page.wait_for_selector("#list button")
    page.wait_for_selector("#status:not(.working)")


def wait_until(page, is_true):
    """Polls from here, because the page's policy forbids to evaluate text in it."""
    for _ in range(1200):
        if is_true():
            return
        page.wait_for_timeout(50)
    raise AssertionError(page.locator("body").inner_text())


def listed(page):
    """Category of each box that is listed, best first."""
    return [text.split("\n")[0] for text in page.locator("#list button").all_inner_texts()]


def point(page, x, y):
    """A point of the picture, given as fractions, on the screen."""
    frame = page.locator("#picture").bounding_box()
    return frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]


def test_upload_type_detect_click(page):
    detect(page)
    chips = [text.rstrip("\n×") for text in page.locator(".chip").all_inner_texts()]
    assert chips == ["heart", "tree", "red", "transparent"]
    shown = page.locator("#list button").all_inner_texts()
    assert shown[0].split("\n")[:2] == ["heart", "0.97"]
    assert page.locator(".box").count() == len(shown)

    # the heart is the best box: the middle of it is clicked
    frame = page.locator(".box").first.bounding_box()
    middle = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    page.mouse.click(*middle)
    assert page.locator(".box.active .label").inner_text().startswith("heart 0.97")
    assert page.locator("#list button[aria-pressed=true]").count() == 1
    groups = page.locator("#scores h3").all_inner_texts()
    assert [name.lower() for name in groups] == ["categories", "color", "finish"]
    page.mouse.move(1, 1)
    assert page.locator("#scores tr").count() == 4  # a click keeps what hovering showed
    page.keyboard.press("Escape")
    assert page.locator("#scores tr").count() == 0


def test_thresholds_need_no_request_and_new_words_no_second_pass(page):
    detect(page)
    sent = []
    page.on("request", lambda request: sent.append(request.url.rpartition("/")[2]))
    before = page.locator("#list button").count()
    page.fill("#threshold", "0.95")
    assert 0 < page.locator("#list button").count() < before
    page.fill("#threshold", "1")
    assert page.locator(".empty-list").inner_text().startswith("Nothing scores that high")
    assert sent == []

    page.fill("#threshold", "0.5")
    page.click("[aria-label='Remove heart']")
    wait_until(page, lambda: "heart" not in listed(page))
    assert sent == ["detect"]


def test_draw_a_box_and_remove_it(page):
    detect(page)
    page.mouse.move(*point(page, 0.55, 0.1))
    page.mouse.down()
    page.mouse.move(*point(page, 0.75, 0.4), steps=3)
    page.mouse.move(*point(page, 0.92, 0.55))
    page.mouse.up()
    page.wait_for_selector(".box.given.active")
    (mine,) = [name for name in listed(page) if name.endswith("(your box)")]
    assert mine == "heart (your box)"
    page.click("text=Remove this box")
    wait_until(page, lambda: page.locator(".box.given").count() == 0)
    assert page.locator("#error").is_hidden()


def test_a_box_by_numbers_and_one_that_is_refused(page):
    detect(page)
    page.click("text=Add a box by numbers")
    for name, value in (("x1", 90), ("y1", 20), ("x2", 146), ("y2", 68)):
        page.fill(f"[name={name}]", str(value))
    page.click("#numbers button")
    page.wait_for_selector(".box.given.active")
    page.fill("[name=x2]", "10")
    page.click("#numbers button")
    page.wait_for_selector("#error:not([hidden])")
    assert "is inverted" in page.locator("#error").inner_text()
    page.click("#detect")
    page.wait_for_selector("#status:not(.working)")
    assert page.locator(".box.given").count() == 1


def test_find_by_a_phrase_and_go_back(page):
    upload(page)
    wait_for_list(page)
    page.fill("#phrase", "a red heart without leaves")
    page.click("#find button")
    page.wait_for_selector("#best-field:not([hidden])")
    page.wait_for_selector("#status:not(.working)")
    assert listed(page)[0] == "1. heart"
    assert page.locator("#status").inner_text() == (
        "Best 5 for “a red heart without leaves” (heart, red; left out: leaves)"
    )
    page.fill("#best", "2")
    assert page.locator("#list button").count() == 2
    page.fill("#phrase", "no cars")
    page.click("#find button")
    page.wait_for_selector("#error:not([hidden])")
    assert "says only what is not wanted" in page.locator("#error").inner_text()
    page.click("#detect")
    page.wait_for_selector("#threshold-field:not([hidden])")
    assert page.locator("#error").is_hidden()


def test_example_and_downloads(page, tmp_path):
    page.click("#examples button")
    wait_for_list(page)
    assert "apple" in listed(page)
    saved = {}
    for kind in ("picture", "json", "coco"):
        with page.expect_download() as download:
            page.click(f"[data-format={kind}]")
        saved[download.value.suggested_filename] = tmp_path / kind
        download.value.save_as(tmp_path / kind)
    assert list(saved) == ["scene.boxes.jpg", "scene.json", "scene.coco.json"]
    record = json.loads((tmp_path / "json").read_text())
    assert record["file"] == "scene.jpg"
    assert len(record["boxes"]) == page.locator(".box").count()
    assert [entry["score"] for entry in json.loads((tmp_path / "coco").read_text())] == (
        record["scores"]
    )
    assert (tmp_path / "picture").read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a picture", "bad.jpg: not an image that can be read"),
        (b"", "bad.jpg: the file is empty"),
        (b"x" * 200_001, "bad.jpg has 0.2 MB; the limit is 0.2 MB."),
    ],
)
def test_bad_uploads_are_said_in_one_line_and_the_page_goes_on(content, message, page, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(content)
    upload(page, tmp_path / "bad.jpg")
    page.wait_for_selector("#error:not([hidden])")
    assert page.locator("#error").inner_text().startswith(message)
    assert page.locator("#invitation").is_visible()
    upload(page)
    wait_for_list(page)
    assert page.locator("#error").is_hidden()


def test_detect_without_a_picture_says_what_to_do(page):
    page.click("#detect")
    assert page.locator("#error").inner_text().startswith("Choose a picture first")


def test_a_picture_is_pasted(page):
    page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(60, 40);
            canvas.getContext("2d").fillRect(0, 0, 60, 40);
            const data = new DataTransfer();
            data.items.add(new File([await canvas.convertToBlob()], "", {type: "image/png"}));
            document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data}));
        }"""
    )
    page.wait_for_selector("#tools:not([hidden])")
    assert page.locator("#error").is_hidden()


def test_narrow_screens_need_no_sideways_scrolling(page):
    page.set_viewport_size({"width": 360, "height": 700})
    detect(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_description_of_the_api_opens_offline(browser, address):
    page = browser.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{address}/docs")
    page.get_by_text("/api/images/{image}/detect").wait_for(timeout=60_000)
    page.close()
    assert [url for url in requests if not url.startswith((address, "data:"))] == []


def found(shop):
    """Title of each product that is shown, best first."""
    shop.wait_for_selector("#status:not(.working)")
    return shop.locator("#products strong").all_inner_texts()


def look_for(shop, phrase):
    shop.fill("#phrase", phrase)
    shop.click("#find button")
    shop.wait_for_selector("#products li")
    return found(shop)


def test_products_by_a_phrase_with_their_tags(shop):
    titles = look_for(shop, "a red truck")
    assert len(titles) == 12
    assert "truck" in titles[0]
    assert shop.locator("#status").inner_text() == (
        "12 nearest products for “a red truck”, best first"
    )
    assert "red" in shop.locator("#products li").first.locator(".tags span").all_inner_texts()
    first = shop.locator("#products img").first
    wait_until(shop, lambda: first.evaluate("image => image.naturalWidth") > 0)


def test_a_filter_repeats_the_search(shop):
    look_for(shop, "a car")
    shop.select_option("select[name=color]", "yellow")
    wait_until(shop, lambda: 0 < len(found(shop)) < 12)
    shown = shop.locator("#products li").count()
    assert shop.locator("[title=color]").all_inner_texts() == ["yellow"] * shown


def test_a_photo_of_a_product_finds_it_first(shop):
    shop.set_input_files("#file", FOLDER / "catalogue/images/00001_0.jpg")
    shop.wait_for_selector("#products li")
    assert found(shop)[0] == "Corin red zigzag glowing outlined truck"
    assert shop.locator("#photo").is_visible()
    look_for(shop, "a mug")
    assert shop.locator("#photo").is_hidden()


def test_bad_queries_for_products_are_said_in_one_line(shop, tmp_path):
    shop.click("#find button")
    assert shop.locator("#error").inner_text().startswith("Type a phrase first")
    (tmp_path / "bad.jpg").write_bytes(b"not a picture")
    shop.set_input_files("#file", tmp_path / "bad.jpg")
    wait_until(shop, lambda: "bad.jpg: not an image" in shop.locator("#error").inner_text())
    assert look_for(shop, "a mug")
    assert shop.locator("#error").is_hidden()


def test_products_on_a_narrow_screen(shop):
    shop.set_viewport_size({"width": 360, "height": 700})
    look_for(shop, "a mug")
    assert shop.evaluate("document.documentElement.scrollWidth") == 360
