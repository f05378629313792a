"""The keyboard alone: what a person presses who has no mouse, and what holds after each press."""

from playwright.sync_api import Locator, Page, expect

MOST = 15
"""So many presses of Tab, at most, lead from where somebody is to what they came for."""
_WATCH = """
(() => {
  let last = null;
  const look = () => {
    if (!last || document.activeElement !== document.body || document.querySelector(".htmx-request")) return;
    console.error(`focus was lost from ${last.outerHTML.slice(0, 300)}`);
    last = null;
  };
  addEventListener("focusin", (event) => { last = event.target; }, true);
  new MutationObserver(() => setTimeout(look)).observe(document, { childList: true, subtree: true, attributes: true });
})();
"""
"""Says in the console, where every window of these tests listens, when what had the focus went away with it."""


class Keyboard:
    """A person at a page with a keyboard and nothing else."""

    def __init__(self, page: Page) -> None:
        page.add_init_script(_WATCH)
        self._page = page
        self.dialog = page.locator("#dialog")

    def open(self, address: str) -> None:
        """Follow a bookmark."""
        self._page.goto(address)

    def press(self, *keys: str) -> None:
        for each in keys:
            self._page.keyboard.press(each)

    def type(self, text: str) -> None:
        self._page.keyboard.type(text)

    def is_on(self, there: Locator) -> None:
        """See that something has the focus, in view and with a ring around it."""
        expect(there).to_be_focused()
        expect(there).to_be_in_viewport()
        expect(there.and_(self._page.locator(":focus-visible"))).to_have_count(1)
        expect(there).not_to_have_css("outline-style", "none")

    def is_in(self, there: Locator) -> None:
        """See that something within a part of the page has the focus."""
        expect(there.locator(":focus")).to_have_count(1)
        self.is_on(there.locator(":focus"))

    def tab_to(self, there: Locator, *, most: int = MOST, key: str = "Tab") -> None:
        """Press a key until something has the focus; in so many presses at most."""
        expect(there).to_be_visible()
        passed = []
        while not there.evaluate("each => each === document.activeElement"):
            assert len(passed) < most, "\n".join(["it was not reached:", *passed])
            self.press(key)
            passed.append(self._page.evaluate("document.activeElement.outerHTML.slice(0, 120)"))
        self.is_on(there)

    def skip(self) -> None:
        """Go past what every page begins with."""
        self.press("Tab", "Enter")
        expect(self._page.locator("#content")).to_be_focused()

    def go(self, words: str) -> None:
        """Search for a page or an action, and choose the first that is found."""
        self.press("Control+k")
        palette = self._page.get_by_role("dialog", name="Search pages and actions")
        self.is_on(palette.get_by_role("combobox"))
        self.type(words)
        self.press("Enter")

    def opened(self, heading: str) -> Locator:
        """See that a dialog has opened, with the focus in it."""
        expect(self.dialog.get_by_role("heading", name=heading, level=1)).to_be_visible()
        self.is_in(self.dialog)
        return self.dialog

    def close(self, opener: Locator | None = None) -> None:
        """Close the dialog, and see the focus where it was before."""
        self.press("Escape")
        expect(self.dialog).to_be_hidden()
        if opener is not None:
            self.is_on(opener)
