"""JSON on standard output: exactly one document a call, also where it is written while the work goes on."""

import sys
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


def print_document(document: object) -> None:
    """Print `document`, numbers exact, in one line."""
    _write(_encoder.encode(document), b"\n")


class StreamedDocument:
    """One JSON object whose list `name` is written item by item, so that memory does not grow with it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.begun = False

    def add(self, item: object) -> None:
        """Write one more item of the list."""
        if self.begun:
            _write(b",", _encoder.encode(item))
        else:
            self.begun = True
            _write(b"{", _encoder.encode(self._name), b":[", _encoder.encode(item))

    def close(self, **rest: Any) -> None:
        """End the list and write the other fields of the object."""
        if not self.begun:
            print_document({self._name: [], **rest})
            return
        self.begun = False
        members = b"".join(b"," + _encoder.encode(name) + b":" + _encoder.encode(value) for name, value in rest.items())
        _write(b"]", members, b"}\n")
        sys.stdout.flush()


def _write(*parts: bytes) -> None:
    out = sys.stdout.buffer
    for part in parts:
        out.write(part)
