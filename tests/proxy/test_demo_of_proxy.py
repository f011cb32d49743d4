"""The demo page as the proxy itself serves it, in a real browser, with a model server behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.proxy.browser import chromium, console_errors, requested_urls
from tests.proxy.pictures import encoded, plain
from tests.proxy.running import RunningProxy


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def page(browser: Chrome, proxy: RunningProxy) -> Chrome:
    browser.get("about:blank")
    requested_urls(browser)
    console_errors(browser)
    browser.get(f"{proxy.url}/")
    _wait(browser, lambda: "models" in _text(browser, "state-text"))
    return browser


def _wait(page: Chrome, condition: Callable[[], bool]) -> None:
    WebDriverWait(page, 20, poll_frequency=0.05).until(lambda _: condition())


def _text(page: Chrome, name: str) -> str:
    return page.find_element(By.ID, name).text


def _choose(page: Chrome, model: str) -> None:
    Select(page.find_element(By.ID, "model")).select_by_value(model)


def _send(page: Chrome, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    page.find_element(By.ID, "file").send_keys(str(path))


def test_a_red_cell_is_found_and_every_stage_has_its_time(page: Chrome, proxy: RunningProxy, tmp_path: Path) -> None:
    pixels = plain(64, 64)
    pixels[24:32, 16:24] = (0, 0, 255)
    _choose(page, "detector")
    _send(page, tmp_path / "cell.png", encoded(pixels))
    _wait(page, lambda: _text(page, "found-title") == "1 object found")
    assert _text(page, "finds") == "red\n90.0 %"
    assert page.find_element(By.ID, "canvas").get_attribute("aria-label") == "cell.png, 1 box"
    stages = {row.get_attribute("data-stage") for row in page.find_elements(By.CSS_SELECTOR, "#legend li")}
    assert stages >= {"decode", "preprocess", "encode", "model", "decode-answer", "postprocess", "rest"}
    assert console_errors(page) == []
    foreign = [url for url in requested_urls(page) if not url.startswith((proxy.url, f"blob:{proxy.url}", "data:"))]
    assert [url for url in foreign if url != "about:blank"] == []


def test_a_file_that_is_no_picture_is_refused_in_words(page: Chrome, tmp_path: Path) -> None:
    _choose(page, "detector")
    _send(page, tmp_path / "broken.png", b"no picture at all")
    _wait(page, lambda: _text(page, "error").startswith("Refused (400)\n"))
    assert not page.find_element(By.ID, "found").is_displayed()


def test_tensors_are_suggested_from_the_metadata_and_answered(page: Chrome) -> None:
    _choose(page, "half")
    box = page.find_element(By.ID, "tensors")
    _wait(page, lambda: box.get_property("value") == '{"inputs":[0]}')
    box.send_keys(Keys.CONTROL, Keys.ENTER)
    _wait(page, lambda: _text(page, "found-title") == "Output tensors")
    assert _text(page, "finds") == "output\n1\n2"


def test_frames_of_the_camera_are_answered(page: Chrome) -> None:
    _choose(page, "detector")
    page.find_element(By.ID, "camera").click()
    _wait(page, lambda: _text(page, "round-trip-name").endswith("frames/s"))
    _wait(page, lambda: not _text(page, "round-trip-name").startswith("0.0"))
    assert _text(page, "error") == ""
    page.find_element(By.ID, "camera").click()
