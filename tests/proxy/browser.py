"""A browser for tests: Debian's chromium without a window, in a new profile, kept from every host but loopback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_DRIVER = "/usr/bin/chromedriver"
_BROWSER = "/usr/bin/chromium"
_OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--window-size=1280,900",
    # Names of other hosts come to nothing, whatever the browser would like to ask them.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Run chromium with an empty profile; without it on the machine, the test is skipped."""
    if not shutil.which(_DRIVER) or not shutil.which(_BROWSER):
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = _BROWSER
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(_DRIVER))
    driver.set_page_load_timeout(30)
    driver.set_script_timeout(30)
    try:
        yield driver
    finally:
        driver.quit()


def requested_urls(driver: webdriver.Chrome) -> list[str]:
    """Return every URL asked for since the last call; the log is emptied by reading it."""
    events: list[dict[str, Any]] = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    requests = (event["params"] for event in events if event["method"] == "Network.requestWillBeSent")
    sockets = (event["params"] for event in events if event["method"] == "Network.webSocketCreated")
    return [params["request"]["url"] for params in requests] + [params["url"] for params in sockets]


def console_errors(driver: webdriver.Chrome) -> list[str]:
    """Return what the console calls severe since the last call."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
