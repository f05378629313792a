"""Pictures of every page and dialog: `python -m tests.web.screenshots [FOLDER]`; else into out/screenshots."""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import sync_playwright

from crosstie.app.demo import run_demo
from crosstie.app.home import open_home
from crosstie.sandbox.launch import running_sandbox
from tests.flow.desks import both_desks
from tests.web.addresses import PAGES
from tests.web.conftest import SWITCHES, browser_path, served

WIDTHS = (1280, 400)
SCHEMES = ("light", "dark")


def main(folder: Path) -> None:
    """Make the pictures over the demo's systems, and say where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as made, running_sandbox(data="demo") as sandbox:
        info: Any = sandbox.info()
        home_folder = Path(made) / "home"
        with open_home(home_folder, str(home_folder / "crosstie.db")) as home:
            asyncio.run(run_demo(home, info, lambda words: None))
        with (
            both_desks(sandbox) as desks,
            served(home_folder, sandbox, desks, worker=True) as site,
            sync_playwright() as driver,
        ):
            browser = driver.chromium.launch(executable_path=browser_path(), args=list(SWITCHES))
            for scheme in SCHEMES:
                for width in WIDTHS:
                    context = browser.new_context(
                        base_url=site.address, viewport={"width": width, "height": 900}, color_scheme=scheme
                    )
                    window = context.new_page()
                    for name, address in PAGES.items():
                        window.goto(address(site))
                        window.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                    context.close()
            browser.close()
    print(f"{len(PAGES) * len(WIDTHS) * len(SCHEMES)} pictures are in {folder}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out") / "screenshots")
