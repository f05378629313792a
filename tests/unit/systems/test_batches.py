"""Both forms of batch, as they are sent and as they are read."""

import pytest
from multidict import CIMultiDict

from crosstie.model.errors import GarbledAnswer
from crosstie.systems.answers import Answer, from_json
from crosstie.systems.batch_json import JsonBatch
from crosstie.systems.batch_multipart import MultipartBatch
from crosstie.systems.parts import Part

PARTS = [
    Part("POST", "/api/accounts", {"Content-Type": "application/json"}, b'{"name":"\xc3\xa4"}'),
    Part("DELETE", "/api/accounts(1)", {"If-Match": "*"}),
]


def multipart(body: bytes, boundary: str = "batchresponse_1") -> Answer:
    return Answer(200, CIMultiDict({"Content-Type": f"multipart/mixed; boundary={boundary}"}), body)


RESPONSE = (
    b"--batchresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nETag: W/"1"\r\n\r\n{"name":"a"}\r\n'
    b"--batchresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    b"HTTP/1.1 204 No Content\r\nRetry-After: 3\r\n\r\n\r\n"
    b"--batchresponse_1--\r\n"
)


def test_a_multipart_batch_holds_each_request_on_its_own() -> None:
    headers, body = MultipartBatch().encode(PARTS)
    boundary = headers["Content-Type"].partition("boundary=")[2].strip('"')
    assert headers["Prefer"] == "odata.continue-on-error"
    pieces = body.split(b"--" + boundary.encode())
    assert pieces[0] == b""
    assert pieces[-1] == b"--\r\n"
    assert len(pieces) == 4
    assert b"\r\n\r\nPOST /api/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n" in pieces[1]
    assert pieces[1].endswith(b'{"name":"\xc3\xa4"}\r\n')
    assert b"DELETE /api/accounts(1) HTTP/1.1\r\nIf-Match: *\r\n\r\n\r\n" in pieces[2]


@pytest.mark.parametrize("boundary", ["batchresponse_1", '"batchresponse_1"'])
@pytest.mark.parametrize("body", [RESPONSE, RESPONSE.replace(b"\r\n", b"\n"), b"\r\n" + RESPONSE, RESPONSE.rstrip()])
def test_multipart_answers_are_read_in_order(body: bytes, boundary: str) -> None:
    first, second = MultipartBatch().decode(multipart(body, boundary), PARTS)
    assert first is not None
    assert second is not None
    assert (first.status, first.body, first.headers["etag"]) == (201, b'{"name":"a"}', 'W/"1"')
    assert (second.status, second.body, second.retry_after) == (204, b"", 3.0)


def test_a_multipart_answer_that_stopped_early_leaves_parts_out() -> None:
    only = RESPONSE.split(b"--batchresponse_1\r\n")[1]
    found = MultipartBatch().decode(multipart(b"--batchresponse_1\r\n" + only + b"--batchresponse_1--"), PARTS)
    assert found[0] is not None
    assert found[1] is None


@pytest.mark.parametrize(
    "answer",
    [
        multipart(RESPONSE[: len(RESPONSE) // 2]),
        multipart(RESPONSE[:-6]),
        multipart(b""),
        multipart(RESPONSE.replace(b"HTTP/1.1 201", b"nonsense")),
        multipart(RESPONSE.replace(b"--batchresponse_1--", RESPONSE)),
        Answer(200, CIMultiDict({"Content-Type": "text/html"}), b"<html>"),
        Answer(200, CIMultiDict(), RESPONSE),
    ],
)
def test_a_torn_or_strange_multipart_answer_is_never_half_used(answer: Answer) -> None:
    with pytest.raises(GarbledAnswer):
        MultipartBatch().decode(answer, PARTS)


def test_a_json_batch_numbers_its_requests() -> None:
    headers, body = JsonBatch().encode(PARTS)
    assert headers == {"Content-Type": "application/json"}
    assert from_json(body) == {
        "requests": [
            {
                "id": "1",
                "method": "POST",
                "url": "/api/accounts",
                "headers": {"Content-Type": "application/json"},
                "body": {"name": "ä"},
            },
            {"id": "2", "method": "DELETE", "url": "/api/accounts(1)", "headers": {"If-Match": "*"}},
        ]
    }


def json_answer(body: str) -> Answer:
    return Answer(200, CIMultiDict({"Content-Type": "application/json"}), body.encode())


def test_json_answers_are_found_by_their_ids() -> None:
    body = (
        '{"responses":[{"id":"2","status":204,"headers":{"Retry-After":4}},{"id":"1","status":201,"body":{"a":1.50}}]}'
    )
    first, second = JsonBatch().decode(json_answer(body), PARTS)
    assert first is not None
    assert second is not None
    assert (first.status, first.body) == (201, b'{"a":1.50}')
    assert (second.status, second.body, second.retry_after) == (204, b"", 4.0)


def test_a_json_answer_may_leave_parts_out() -> None:
    assert JsonBatch().decode(json_answer('{"responses":[]}'), PARTS) == [None, None]


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        '{"responses":[{"id":"1","status":20',
        '{"value":[]}',
        '{"responses":[{"id":"3","status":200}]}',
        '{"responses":[{"id":null,"status":200}]}',
    ],
)
def test_a_torn_or_strange_json_answer_is_never_half_used(body: str) -> None:
    with pytest.raises(GarbledAnswer):
        JsonBatch().decode(json_answer(body), PARTS)
