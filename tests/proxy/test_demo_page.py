"""The demo page in a real browser, over canned answers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.proxy.browser import chromium, console_errors, requested_urls
from tests.proxy.demo_app import KEY, demo_app
from tests.proxy.pictures import encoded, photo, plain

_PATHS = ("/", "/demo.css", "/demo.js")
_DROP = """
const bytes = Uint8Array.from(atob(arguments[0]), (sign) => sign.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], "dropped.png", {type: "image/png"}));
document.getElementById("viewer").dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true}));
"""
# The colours of four pixels on the left edge of a box, where the picture itself is black.
_EDGE = """
const canvas = document.getElementById("canvas"), box = arguments[0], scale = canvas.width / arguments[1];
return [...canvas.getContext("2d").getImageData(box[0] * scale, (box[1] + box[3]) / 2 * scale, 1, 1).data];
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with demo_app() as url:
        yield url


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def page(browser: Chrome, address: str) -> Chrome:
    """Load the page anew, with its models there."""
    browser.get("about:blank")
    requested_urls(browser)
    console_errors(browser)
    browser.get(f"{address}/")
    _wait(browser, lambda: "models" in _text(browser, "state-text"))
    return browser


def _wait(page: Chrome, condition) -> None:
    WebDriverWait(page, 20, poll_frequency=0.05).until(lambda _: condition())


def _text(page: Chrome, name: str) -> str:
    return page.find_element(By.ID, name).text


def _choose(page: Chrome, model: str) -> None:
    Select(page.find_element(By.ID, "model")).select_by_value(model)


def _finds(page: Chrome) -> list[str]:
    return [row.text.replace("\n", " ") for row in page.find_elements(By.CSS_SELECTOR, "#finds li")]


def _send_file(page: Chrome, folder: Path, data: bytes) -> None:
    path = folder / "street.png"
    path.write_bytes(data)
    page.find_element(By.ID, "file").send_keys(str(path))


def test_a_chosen_picture_shows_its_boxes_and_the_time_of_each_stage(page: Chrome, tmp_path: Path) -> None:
    _send_file(page, tmp_path, encoded(plain(960, 600)))
    _wait(page, lambda: _text(page, "found-title") == "3 objects found")
    assert _finds(page) == ["car 91.2 %", "traffic light 64.0 %", "truck 37.0 %"]
    assert page.find_element(By.ID, "canvas").get_attribute("aria-label") == "street.png, 3 boxes"
    assert page.execute_script(_EDGE, [244, 252, 694, 490], 960) != [0, 0, 0, 255]
    assert page.execute_script(_EDGE, [100, 252, 150, 490], 960) == [0, 0, 0, 255]
    stages = page.find_elements(By.CSS_SELECTOR, "#legend li")
    assert [stage.get_attribute("data-stage") for stage in stages][:4] == ["decode", "preprocess", "encode", "model"]
    assert stages[3].text.split("\n") == ["Model", "12.4 ms"]
    assert _text(page, "round-trip").endswith(" ms")
    page.find_element(By.CSS_SELECTOR, "#document summary").click()
    assert '"label": "traffic light"' in _text(page, "json")
    assert console_errors(page) == []


def test_a_dropped_picture_is_asked_about(page: Chrome) -> None:
    page.execute_script(_DROP, base64.b64encode(photo("coffee.png")).decode())
    _wait(page, lambda: _text(page, "found-title") == "3 objects found")
    assert page.find_element(By.ID, "canvas").get_attribute("aria-label") == "dropped.png, 3 boxes"


def test_the_sample_needs_no_file_and_the_keyboard_is_enough(page: Chrome) -> None:
    page.find_element(By.ID, "sample").send_keys(Keys.ENTER)
    _wait(page, lambda: _text(page, "found-title") == "3 objects found")
    assert "Content-Type: image/jpeg" in page.find_element(By.ID, "curl").get_property("textContent")


def test_nothing_is_asked_of_another_host(page: Chrome, address: str) -> None:
    page.find_element(By.ID, "sample").click()
    _wait(page, lambda: _text(page, "found-title") == "3 objects found")
    urls = requested_urls(page)
    asked = {urlsplit(url).path for url in urls if url.startswith(address)}
    assert asked >= {*_PATHS, "/v1/models", "/v1/models/detector:predict"}
    assert [url for url in urls if not url.startswith((address, f"blob:{address}", "about:", "data:"))] == []


def test_classes_are_shown_likeliest_first(page: Chrome) -> None:
    _choose(page, "classifier")
    page.find_element(By.ID, "sample").click()
    _wait(page, lambda: _text(page, "found-title") == "Likeliest classes")
    assert _finds(page)[:2] == ["tabby cat 62.0 %", "tiger cat 21.0 %"]


def test_a_text_is_asked_about(page: Chrome) -> None:
    _choose(page, "sentences")
    page.find_element(By.ID, "text").send_keys("A cat sat on the mat.", Keys.CONTROL, Keys.ENTER)
    _wait(page, lambda: _text(page, "found-title") == "Output tensors")
    assert _finds(page)[0].startswith("embedding 1 × 120 0.1, -0.2, 0.3")


def test_a_request_without_its_key_asks_for_it(page: Chrome) -> None:
    _choose(page, "plain")
    box = page.find_element(By.ID, "tensors")
    _wait(page, lambda: box.get_property("value") == '{"inputs":[[0,0]]}')
    box.send_keys(Keys.CONTROL, Keys.ENTER)
    _wait(page, lambda: "Refused (401)" in _text(page, "error"))
    page.switch_to.active_element.send_keys(KEY)
    box.send_keys(Keys.CONTROL, Keys.ENTER)
    _wait(page, lambda: _text(page, "found-title") == "Output tensors")
    assert _text(page, "error") == ""
    assert page.execute_script("return [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert KEY not in page.find_element(By.ID, "curl").get_property("textContent")


def test_an_error_is_shown_in_words(page: Chrome) -> None:
    _choose(page, "plain")
    page.find_element(By.ID, "tensors").send_keys("refuse me", Keys.CONTROL, Keys.ENTER)
    _wait(page, lambda: _text(page, "error") != "")
    assert _text(page, "error") == (
        "Refused (400)\nrequest body: no JSON. The body must be one JSON object. Send it so. Request id-7"
    )


def test_the_camera_shows_boxes_on_its_frames_until_it_is_stopped(page: Chrome) -> None:
    page.find_element(By.ID, "camera").click()
    _wait(page, lambda: _text(page, "found-title") == "3 objects found")
    _wait(page, lambda: _text(page, "round-trip-name").endswith("frames/s"))
    assert '"frame": ' in page.find_element(By.ID, "json").get_property("textContent")
    page.find_element(By.ID, "camera").click()
    assert _text(page, "camera") == "Live camera"
    assert _text(page, "error") == ""
    assert console_errors(page) == []


def test_the_page_fits_a_phone(page: Chrome) -> None:
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.find_element(By.ID, "sample").click()
        _wait(page, lambda: _text(page, "found-title") == "3 objects found")
        assert page.execute_script("return document.documentElement.scrollWidth") == 360
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("path", _PATHS)
def test_the_files_let_nothing_else_in(path: str, address: str) -> None:
    answer = httpx.get(f"{address}{path}")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(answer.content) < 60_000
    again = httpx.get(f"{address}{path}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
