"""Promises 1 to 4, whatever happens in whatever order.

`make test` plays a moderate number of stories, always the same ones; `make long` plays CROSSTIE_STORIES longer ones,
each time others.
"""

import os

from hypothesis import HealthCheck, Phase, settings

from tests.scenarios.machine import Machine

_STORIES = int(os.environ.get("CROSSTIE_STORIES", "0"))

TestPromises = Machine.TestCase
TestPromises.settings = settings(
    max_examples=_STORIES or 26,
    stateful_step_count=50 if _STORIES else 30,
    derandomize=not _STORIES,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink] if _STORIES else [Phase.generate],
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
