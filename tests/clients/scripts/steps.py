"""What the client scripts share: steps that are tried one by one, and a report of them as JSON.

Runs in the environment of each client, beside nothing of the project.
"""

import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

_report: list[dict[str, Any]] = []


def step(name: str, call: Callable[[], Any], expect: Any = None, raises: str = "") -> Any:
    """Run *call* and note whether it did what it should.

    *expect* is the value it must return, or a function that must be true of it. With *raises* it must fail with an
    error whose text holds these words. The value is returned, None after an unexpected error.
    """
    try:
        value = call()
    except Exception as error:
        text = f"{type(error).__name__}: {error} {getattr(error, 'code', '')} {getattr(error, 'status_code', '')}"
        ok = bool(raises) and raises in text
        _report.append({"step": name, "ok": ok, "saw": text[:500]})
        if not ok:
            traceback.print_exc()
        return None
    if raises:
        ok = False
    elif callable(expect):
        ok = bool(expect(value))
    else:
        ok = expect is None or value == expect
    _report.append({"step": name, "ok": ok, "saw": repr(value)[:500]})
    return value


def finish() -> None:
    """Print the report and end."""
    print(json.dumps(_report))
    sys.exit(0)
