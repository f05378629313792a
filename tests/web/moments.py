"""What is seen only for a moment, or after something was done: each opens it in a window, and clears up afterwards."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from playwright.sync_api import Page

from tests.web.conftest import Site

Moment = Callable[[Site, Page], AbstractContextManager[None]]
MOMENTS: dict[str, Moment] = {}
