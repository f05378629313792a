"""Batches in JSON, as Business Central takes them (wire-businesscentral section 6)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from multidict import CIMultiDict

from crosstie.model.errors import GarbledAnswer
from crosstie.systems.answers import Answer, excerpt
from crosstie.systems.parts import Part

MOST_PARTS = 100


class _Request(msgspec.Struct, omit_defaults=True):
    id: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Response(msgspec.Struct):
    status: int
    id: Any = None
    headers: dict[str, Any] | None = None
    body: msgspec.Raw = msgspec.Raw()


class _Responses(msgspec.Struct):
    responses: list[_Response]


_decode = msgspec.json.Decoder(_Responses).decode


class JsonBatch:
    """Every part stands alone: no isolation is asked for."""

    def encode(self, parts: Sequence[Part]) -> tuple[Mapping[str, str], bytes]:
        """Return headers and body of the batch; part n has the id "n"."""
        requests = [
            _Request(
                str(number),
                part.method,
                part.url,
                part.headers,
                msgspec.UNSET if part.body is None else msgspec.Raw(part.body),
            )
            for number, part in enumerate(parts, 1)
        ]
        return {"Content-Type": "application/json"}, msgspec.json.encode({"requests": requests})

    def decode(self, answer: Answer, parts: Sequence[Part]) -> list[Answer | None]:
        """Return the answers in the order of the parts, found by their ids. Raises GarbledAnswer."""
        try:
            responses = _decode(answer.body).responses
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GarbledAnswer(f"The answer to a batch cannot be read ({error}): {excerpt(answer.body)}") from error
        found: list[Answer | None] = [None] * len(parts)
        for response in responses:
            number = str(response.id)
            if not number.isdigit() or not 1 <= int(number) <= len(parts):
                raise GarbledAnswer(f"The answer to a batch names a part {response.id!r} that was not sent.")
            headers = CIMultiDict((name, str(value)) for name, value in (response.headers or {}).items())
            found[int(number) - 1] = Answer(response.status, headers, bytes(response.body))
        return found
