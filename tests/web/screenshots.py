"""Pictures of every page, dialog and moment: `python -m tests.web.screenshots [--into FOLDER] [NAME ...]`.

Names may hold wildcards, as in `mapping* job-*`; without one, all are taken. They go into out/screenshots.
"""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Page, sync_playwright

from crosstie.api.door import SESSION_COOKIE
from crosstie.app.demo import run_demo
from crosstie.app.home import open_home
from crosstie.sandbox.launch import running_sandbox
from tests.flow.desks import both_desks
from tests.web import moments, record_moments
from tests.web.addresses import PAGES
from tests.web.conftest import SWITCHES, Site, browser_path, served

MOMENTS = {**record_moments.MOMENTS, **moments.MOMENTS}
LOOKS = [(width, scheme) for width in (1280, 400) for scheme in ("light", "dark")]


def main(folder: Path, wanted: list[str]) -> None:
    """Make the pictures over the demo's systems, and say where they are."""
    names = [each for each in (*PAGES, *MOMENTS) if any(fnmatchcase(each, pattern) for pattern in wanted or ["*"])]
    folder.mkdir(parents=True, exist_ok=True)
    with demonstrated() as site, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path(), args=list(SWITCHES))
        for name in names:
            # Each begins in a window of its own: what a moment leaves in it is not seen on the next.
            window = browser.new_context(base_url=site.address, viewport={"width": 1280, "height": 900}).new_page()
            if name in PAGES:
                signed_in = {"name": SESSION_COOKIE, "value": site.session(), "url": site.address}
                window.context.add_cookies([signed_in])
                window.goto(PAGES[name](site))
                taken(window, folder, name)
            else:
                with MOMENTS[name](site, window):
                    taken(window, folder, name)
            window.context.close()
        browser.close()
    print(f"{len(names) * len(LOOKS)} pictures are in {folder}.")


def taken(window: Page, folder: Path, name: str) -> None:
    """Take the pictures of what is seen now, in each look."""
    for width, scheme in LOOKS:
        window.set_viewport_size({"width": width, "height": 900})
        window.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        window.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)


@contextmanager
def demonstrated() -> Iterator[Site]:
    """Serve the pages over the systems as the demo leaves them."""
    with TemporaryDirectory() as made, running_sandbox(data="demo") as sandbox:
        info: Any = sandbox.info()
        home_folder = Path(made) / "home"
        with open_home(home_folder, str(home_folder / "crosstie.db")) as home:
            asyncio.run(run_demo(home, info, lambda words: None))
        with both_desks(sandbox) as desks, served(home_folder, sandbox, desks, worker=True) as site:
            yield site


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", metavar="NAME")
    asked.add_argument("--into", type=Path, default=Path("out") / "screenshots", metavar="FOLDER")
    given = asked.parse_args()
    main(given.into, given.names)
