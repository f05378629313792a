"""What forms bring along: known fields, of a length that can be, and checked before anything is done."""

from collections.abc import Collection, Mapping

from crosstie.api.asking import StrictRequest
from crosstie.api.refusing import invalid
from crosstie.web.csrf import FIELD


async def fields_of(
    request: StrictRequest, known: Mapping[str, int], *, several: Collection[str] = ()
) -> dict[str, str]:
    """Return a form's fields, each at most so many characters; one that is left away is not in it, or empty.

    Those of `several` may come many times, and are left to `several_of`. Raises InvalidRequest for a field that is not
    known, comes twice or is too long.
    """
    form = await request.form()
    found: dict[str, str] = dict.fromkeys(known, "")
    for name in form:
        if name == FIELD or name in several:
            continue
        values = form.getall(name)
        if name not in known:
            raise invalid(f"The form has no field {name!r}; there are: {', '.join(known) or 'none'}.", name)
        if len(values) != 1 or not isinstance(values[0], str):
            raise invalid(f"The field {name} comes {len(values)} times, or is no text.", name)
        if len(values[0]) > known[name] or "\0" in values[0]:
            raise invalid(f"The field {name} may have {known[name]:,} characters, none of them a zero.", name)
        found[name] = values[0]
    return found


async def several_of(request: StrictRequest, name: str, *, most: int = 1000, length: int = 500) -> list[str]:
    """Return the values of a field that may come many times, in order and once each. Raises InvalidRequest."""
    values = [each for each in (await request.form()).getall(name, []) if isinstance(each, str) and each]
    found = list(dict.fromkeys(values))
    if len(found) > most:
        raise invalid(f"{len(found):,} values of {name} are more than the {most:,} that one request takes.", name)
    if any(len(each) > length or "\0" in each for each in found):
        raise invalid(f"A value of {name} has more than {length:,} characters, or a zero among them.", name)
    return found
