"""Problems: what keeps records from being in step."""

from crosstie.app.home import Home
from crosstie.app.session import find_mapping
from crosstie.app.views import ProblemView


def list_problems(
    home: Home, mapping: str | None = None, *, code: str | None = None, limit: int = 1000, after_id: int = 0
) -> list[ProblemView]:
    """Return open problems in the order in which they were found. Raises UnknownMapping."""
    with home.store.begin() as unit:
        name = find_mapping(unit.mappings(), mapping).name if mapping else None
        return [ProblemView.of(p) for p in unit.problems(name, code=code, limit=limit, after_id=after_id)]
