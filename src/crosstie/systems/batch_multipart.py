"""Batches as multipart/mixed, as Dataverse takes them (wire-dataverse section 11). A tenth of the time of `email`."""

import re
import uuid
from collections.abc import Mapping, Sequence

from multidict import CIMultiDict

from crosstie.model.errors import GarbledAnswer
from crosstie.systems.answers import Answer, excerpt
from crosstie.systems.parts import Part

MOST_PARTS = 1000

_BOUNDARY = re.compile(r'boundary="?([^";,\s]+)"?', re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_ENVELOPE = b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"


class MultipartBatch:
    """Single requests without change sets, so that each stands alone; goes on after a refused one."""

    def encode(self, parts: Sequence[Part]) -> tuple[Mapping[str, str], bytes]:
        """Return headers and body of the batch."""
        boundary = f"batch_{uuid.uuid4().hex}"
        start = f"--{boundary}\r\n".encode() + _ENVELOPE
        pieces: list[bytes] = []
        for part in parts:
            lines = [f"{part.method} {part.url} HTTP/1.1", *(f"{name}: {text}" for name, text in part.headers.items())]
            pieces += (start, "\r\n".join(lines).encode(), b"\r\n\r\n", part.body or b"", b"\r\n")
        pieces.append(f"--{boundary}--\r\n".encode())
        headers = {
            "Content-Type": f'multipart/mixed; boundary="{boundary}"',
            "Accept": "multipart/mixed, application/json",
            "Prefer": "odata.continue-on-error",
        }
        return headers, b"".join(pieces)

    def decode(self, answer: Answer, parts: Sequence[Part]) -> list[Answer | None]:
        """Return the answers in order; a batch that stopped early has fewer. Raises GarbledAnswer."""
        found: list[Answer | None] = [_part(chunk) for chunk in _chunks(answer)]
        if len(found) > len(parts):
            raise GarbledAnswer(f"The answer to a batch of {len(parts)} parts has {len(found)}.")
        return found + [None] * (len(parts) - len(found))


def is_multipart(answer: Answer) -> bool:
    """Whether the answer has parts at all."""
    return answer.content_type.lower().startswith("multipart/")


def _chunks(answer: Answer) -> list[bytes]:
    boundary = _BOUNDARY.search(answer.content_type)
    if not is_multipart(answer) or boundary is None:
        raise GarbledAnswer(f"The answer to a batch is {answer.content_type or 'of no type'}: {excerpt(answer.body)}")
    first, *chunks = answer.body.split(b"--" + boundary[1].encode())
    if not chunks or not chunks[-1].startswith(b"--") or first.strip():
        raise GarbledAnswer("The answer to a batch breaks off before its end.")
    return chunks[:-1]


def _part(chunk: bytes) -> Answer:
    _, inner = _parted(chunk)
    head, body = _parted(inner)
    start, *lines = head.splitlines() or [b""]
    status = _STATUS.match(start)
    if status is None:
        raise GarbledAnswer(f"A part of the answer to a batch has no status: {excerpt(chunk)}")
    headers: CIMultiDict[str] = CIMultiDict()
    for line in lines:
        name, _, value = line.decode("latin-1").partition(":")
        headers.add(name.strip(), value.strip())
    return Answer(int(status[1]), headers, body)


def _parted(text: bytes) -> tuple[bytes, bytes]:
    """Return what is before the first blank line and what is after it; the line break before the next boundary goes."""
    text = text.lstrip(b"\r\n")
    blank = _BLANK_LINE.search(text)
    if blank is None:
        return text, b""
    return text[: blank.start()], text[blank.end() :].removesuffix(b"\n").removesuffix(b"\r")
