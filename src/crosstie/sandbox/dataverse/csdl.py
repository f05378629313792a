"""``$metadata``."""

from ..http import Response
from .environment import Call


def answer(call: Call) -> Response:
    return Response(501)
