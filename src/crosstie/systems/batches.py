"""Sending parts in batches: at the same time as far as the pace allows, each part answered on its own.

A batch that the system refuses as a whole is halved until the bad part stands alone. A batch whose answer is
lost is never sent again: its parts are lost, and whoever asked for them must look.
"""

from collections.abc import Sequence

from crosstie.model.errors import GarbledAnswer, SystemFailure
from crosstie.systems.answers import Answer
from crosstie.systems.odata import ODataClient
from crosstie.systems.parts import BatchForm, Lost, Outcome, Part, Unsent
from crosstie.systems.together import together
from crosstie.systems.transport import AnswerLost

_HALVED = (400, 413, 422, 431)
"""Refusals of a whole batch that one part may be guilty of."""
_THROTTLING = (429, 503)


async def send_parts(
    client: ODataClient, url: str, parts: Sequence[Part], form: BatchForm, batch_size: int
) -> list[Outcome]:
    """Carry out the parts in batches of `batch_size`; return what became of each, in order.

    Parts that are throttled inside a batch were not carried out and are sent again, as often as the limits allow.
    Raises SystemFailure only if no part at all was or may have been carried out.
    """
    outcomes: list[Outcome] = []
    due = list(range(len(parts)))
    for _ in range(client.limits.attempts):
        found = await _send_all(client, url, [parts[i] for i in due], form, batch_size)
        if not outcomes:
            outcomes = found
        for position, outcome in zip(due, found, strict=True):
            outcomes[position] = outcome
        due = [i for i in due if _is_throttled(outcomes[i])]
        if not due:
            break
        client.pace.throttled(_longest([outcomes[i] for i in due]))
    failures = [outcome.failure for outcome in outcomes if isinstance(outcome, Unsent)]
    if failures and len(failures) == len(outcomes):
        raise failures[0]
    return outcomes


async def _send_all(
    client: ODataClient, url: str, parts: Sequence[Part], form: BatchForm, batch_size: int
) -> list[Outcome]:
    chunks = [parts[start : start + batch_size] for start in range(0, len(parts), batch_size)]
    answered = await together(_send(client, url, chunk, form) for chunk in chunks)
    return [outcome for chunk in answered for outcome in chunk]


async def _send(client: ODataClient, url: str, parts: Sequence[Part], form: BatchForm) -> list[Outcome]:
    headers, body = form.encode(parts)
    try:
        answer = await client.send("POST", url, headers, body, purpose="batches", parts=len(parts))
        if answer.status < 400 or "multipart" in answer.content_type:
            return [outcome or Lost("the answer leaves it out") for outcome in form.decode(answer, parts)]
    except SystemFailure as failure:
        if isinstance(failure, GarbledAnswer):
            return [Lost(failure.words)] * len(parts)
        return [Unsent(failure)] * len(parts)
    except AnswerLost as error:
        return [Lost(str(error))] * len(parts)
    return await _refused(client, url, parts, form, answer)


async def _refused(
    client: ODataClient, url: str, parts: Sequence[Part], form: BatchForm, answer: Answer
) -> list[Outcome]:
    if answer.status not in _HALVED:
        return [Unsent(client.refused(answer, "a batch"))] * len(parts)
    if len(parts) == 1:
        return [answer]
    middle = len(parts) // 2
    first = await _send(client, url, parts[:middle], form)
    return first + await _send(client, url, parts[middle:], form)


def _is_throttled(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) and outcome.status in _THROTTLING


def _longest(outcomes: Sequence[Outcome]) -> float | None:
    waits = [outcome.retry_after for outcome in outcomes if isinstance(outcome, Answer)]
    return max((wait for wait in waits if wait is not None), default=None)
