"""Help: the page of each error and of each cause, as the documentation has it."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated

from litestar import Response, get
from litestar.params import PathParameter
from markdown_it import MarkdownIt
from markupsafe import Markup

from crosstie.api.asking import StrictRequest
from crosstie.model.errors import UnknownAddress
from crosstie.web.helping import for_pages
from crosstie.web.rendering import page

_PACKAGE = Path(__file__).parents[2]
_PLACES = (_PACKAGE / "help" / "errors", _PACKAGE.parents[1] / "docs" / "errors")
"""Where the pages are: in an installed package, or in the repository."""
_CODE = re.compile(r"^[a-z]+(-[a-z]+)*$")


@cache
def help_of(code: str) -> tuple[str, Markup]:
    """Return the title and the text of the page of a code. Raises UnknownAddress if there is none."""
    path = next((found for place in _PLACES if (found := place / f"{code}.md").is_file()), None)
    if not _CODE.match(code) or path is None:
        raise UnknownAddress(f"There is no error with the code {code!r}.")
    title, _, text = path.read_text(encoding="utf-8").partition("\n")
    # The pages are ours, and nothing else is let through all the same: no HTML of theirs gets into the page.
    return title.removeprefix("#").strip(), Markup(
        MarkdownIt("commonmark", {"html": False}).render(for_pages(code, text))
    )


@get("/help/errors/{code:str}")
async def error(request: StrictRequest, code: Annotated[str, PathParameter(max_length=100)]) -> Response[str]:
    """What an error means, why it happens and what to do."""
    title, text = help_of(code)
    return await page(request, "help.html", title=title, text=text)


HANDLERS = (error,)
