"""A headless Chromium with a phone's screen."""

import contextlib
import json
import shutil
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WIDTH, HEIGHT = 390, 844
SECONDS = 20
SCREENSHOTS = Path(".cache/page")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
BLOCKED = 2


class Phone:
    """What a payer does with a phone."""

    def __init__(self, driver, javascript):
        self.driver = driver
        self.javascript = javascript

    def open(self, address):
        self.driver.get(address)

    @property
    def address(self):
        return self.driver.current_url

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        """The element, once it is there."""
        return WebDriverWait(self.driver, SECONDS).until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector))

    def words(self):
        """What stands on the page, as a payer reads it."""
        return self.one("body").text

    def press(self, selector):
        """Presses what the selector names, and waits for the page that follows."""
        before = self.driver.find_element(By.TAG_NAME, "html").id
        self.one(selector).click()

        def is_another_page(driver):
            pages = driver.find_elements(By.TAG_NAME, "html")
            return pages and pages[0].id != before

        WebDriverWait(self.driver, SECONDS).until(is_another_page, f"nothing followed on pressing {selector}")

    def measure(self, expression):
        """A value from the page. The driver may run this where the page may not run its own scripts."""
        return self.driver.execute_script(f"return {expression}")

    def until(self, condition, what):
        """Loads the page anew until the condition holds for it."""

        def holds(driver):
            driver.refresh()
            return condition(self)

        WebDriverWait(self.driver, SECONDS, poll_frequency=0.3).until(holds, what)

    def until_there(self, condition, what):
        """Waits until the condition holds for the page as it is."""
        WebDriverWait(self.driver, SECONDS, poll_frequency=0.3).until(lambda _: condition(), what)

    def complaints(self):
        """What the browser's console says in earnest since it was last asked, such as breaches of the page's policy."""
        said = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        # Browsers ask for an icon by themselves; a page without one is none the worse.
        return [message for message in said if "/favicon.ico " not in message]

    def requests(self):
        """The address of each request that the open page made since it was last asked, where requests are noted.

        Those of the browser's own pages, such as the one that it starts with, are left out."""
        noted = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [it["params"] for it in noted if it["method"] == "Network.requestWillBeSent"]
        return [it["request"]["url"] for it in sent if not it["documentURL"].startswith("chrome://")]

    def picture(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        mode = "script" if self.javascript else "no-script"
        self.driver.save_screenshot(str(SCREENSHOTS / f"{name}-{mode}.png"))


def phone(javascript=True):
    """A phone with an empty browser of its own, gone afterwards."""
    screen = {"width": WIDTH, "height": HEIGHT, "pixelRatio": 2, "mobile": True, "touch": False}
    # Without touch: taps that the driver makes hang in a page that may not run scripts, clicks do not.
    return opened(javascript, lambda chosen: chosen.add_experimental_option("mobileEmulation", {"deviceMetrics": screen}))


def desk():
    """A browser with a wide window, which notes each request that it makes."""

    def noting(chosen):
        chosen.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        chosen.add_argument("--window-size=1280,1600")

    return opened(True, noting)


@contextlib.contextmanager
def opened(javascript, more):
    with tempfile.TemporaryDirectory(prefix="tinko-page-", ignore_cleanup_errors=True) as profile:
        driver = webdriver.Chrome(
            options=options(profile, javascript, more), service=Service(shutil.which("chromedriver") or "chromedriver")
        )
        try:
            driver.set_page_load_timeout(SECONDS)
            driver.set_script_timeout(SECONDS)
            yield Phone(driver, javascript)
        finally:
            driver.quit()


def options(profile, javascript, more):
    chosen = webdriver.ChromeOptions()
    chosen.binary_location = shutil.which("chromium") or "chromium"
    for flag in [*FLAGS, f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}"]:
        chosen.add_argument(flag)
    chosen.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not javascript:
        chosen.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": BLOCKED})
    more(chosen)
    return chosen
