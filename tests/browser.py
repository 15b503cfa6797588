"Chromium for the tests that look at a page as a reader does."
import shutil
from contextlib import contextmanager

import pytest

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')


@contextmanager
def chromium():
    "Chromium, driven by Playwright; fails with what to install where there is none."
    from playwright.sync_api import sync_playwright
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found: pytest.fail('No Chromium on the PATH. Get it: sudo apt-get install chromium (Debian), brew install --cask chromium '
                              '(macOS), or install Google Chrome.', pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=['--no-sandbox'])
        try: yield browser
        finally: browser.close()
