"""``$batch`` in both forms (wire-businesscentral section 6)."""

from typing import Any

import pytest

from .service import COMPANY, COMPANY_ID, HOST, ROOT, Service

JSON = {"Content-Type": "application/json"}


def post(name: str, url: str = "customers", **more: Any) -> dict[str, Any]:
    return {"id": name, "method": "POST", "url": url, "headers": JSON, "body": {"displayName": name}, **more}


def statuses(answers: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(answer["id"], answer["status"]) for answer in answers]


def test_each_operation_stands_alone(service: Service) -> None:
    requests = [post("a"), {**post("b"), "body": {"size": 1}}, post("c")]
    answers = service.batch(requests)
    assert statuses(answers) == [("a", 201), ("b", 400), ("c", 201)]
    assert answers[0]["body"]["displayName"] == "a"
    assert answers[0]["headers"]["location"].startswith(f"{HOST}{ROOT}/customers(")
    assert answers[1]["body"]["error"]["code"] == "BadRequest"
    assert service.get("customers").column("displayName") == ["a", "c"]


def test_all_operations_and_what_they_answer(service: Service) -> None:
    id = service.made("customers", {"displayName": "Adatum"})["id"]
    requests: list[dict[str, Any]] = [
        {"id": "1", "method": "get", "url": f"customers({id})?$select=displayName"},
        {
            "id": "2",
            "method": "patch",
            "url": f"customers({id})",
            "headers": {"if-match": "*"},
            "body": {"city": "Ely"},
        },
        {"id": "3", "method": "PATCH", "url": f"customers({id})", "body": {"city": "Bath"}},
        {"id": "4", "method": "GET", "url": "customers/$count"},
        {"method": "DELETE", "url": f"customers({id})"},
        {"id": "6", "method": "GET", "url": "customers"},
    ]
    answers = service.batch(requests)
    assert statuses(answers) == [("1", 200), ("2", 200), ("3", 400), ("4", 200), (None, 204), ("6", 200)]
    assert answers[0]["body"]["displayName"] == "Adatum"
    assert answers[1]["body"]["city"] == "Ely"
    assert answers[3]["body"] == "1"
    assert "body" not in answers[4]
    assert answers[5]["body"]["value"] == []


@pytest.mark.parametrize(
    ("path", "url", "headers"),
    [
        ("$batch", "customers", {}),
        ("$batch", f"{COMPANY}/customers", {}),
        ("$batch", f"/{COMPANY}/customers", {}),
        ("$batch", f"{ROOT}/{COMPANY}/customers", {}),
        ("$batch", f"{HOST}{ROOT}/{COMPANY}/customers", {}),
        ("$batch", "customers", {"CompanyId": COMPANY_ID}),
        ("$batch", "customers", {"company": "CRONUS International Ltd."}),
        (f"$batch?company={COMPANY_ID}", "customers", {}),
        (f"{COMPANY}/$batch", "customers", {}),
        (f"{COMPANY}/$batch", f"{COMPANY}/customers", {}),
    ],
)
def test_addresses_inside_may_have_any_form(service: Service, path: str, url: str, headers: dict[str, str]) -> None:
    answers = service.batch([post("a", url, headers={**JSON, **headers})], path)
    assert statuses(answers) == [("a", 201)]
    assert service.get("customers").column("displayName") == ["a"]


def test_the_company_of_the_batch_is_that_of_its_parts(service: Service) -> None:
    other = service.system.companies.add("Other Ltd.")
    for path in (f"$batch?company={other.id}", f"companies({other.id})/$batch", "$batch?company=Other Ltd."):
        service.batch([post("there")], path)
    first = f"companies({COMPANY_ID})/customers"
    service.batch([post("here", first), post("here", headers={"Company": COMPANY_ID})], f"$batch?company={other.id}")
    assert service.get(f"companies({other.id})/customers").column("displayName") == ["there"] * 3
    assert service.get("customers").column("displayName") == ["here"] * 2


def test_a_snapshot_is_all_or_nothing_and_still_shows_what_went_well(service: Service) -> None:
    requests = [post("a"), {**post("b"), "body": {}}, post("c")]
    answers = service.batch(requests, Isolation="snapshot")
    assert statuses(answers) == [("a", 201), ("b", 400), ("c", 201)]
    assert service.get("customers").rows == []
    assert statuses(service.batch([post("a"), post("c")], Isolation="snapshot")) == [("a", 201), ("c", 201)]
    assert service.get("customers").column("displayName") == ["a", "c"]


def test_a_later_operation_sees_what_an_earlier_one_did(service: Service) -> None:
    id = "11111111-2222-3333-4444-555555555555"
    make = {**post("a"), "body": {"id": id, "displayName": "A"}}
    change = {
        "id": "b",
        "method": "PATCH",
        "url": f"customers({id})",
        "headers": {"If-Match": "*"},
        "body": {"city": "X"},
    }
    assert statuses(service.batch([make, change], Isolation="snapshot")) == [("a", 201), ("b", 200)]


def test_a_batch_has_a_limit(service: Service) -> None:
    assert len(service.batch([post(str(n)) for n in range(100)])) == 100
    answer = service.post("$batch", {"requests": [post(str(n)) for n in range(101)]})
    assert answer.refusal == (400, "BadRequest")
    assert service.get("customers/$count").raw == b"100"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"requests":[{"id":"1"}]}', b'{"requests":5}'])
def test_a_batch_that_cannot_be_read_is_refused(service: Service, body: bytes) -> None:
    assert service.call("POST", "$batch", body).refusal == (400, "BadRequest")


def test_a_batch_inside_a_batch_is_refused(service: Service) -> None:
    answers = service.batch([{"id": "1", "method": "POST", "url": "$batch", "body": {"requests": []}}])
    assert statuses(answers) == [("1", 400)]


def test_a_batch_is_posted_and_needs_a_token(service: Service) -> None:
    assert service.get("$batch").refusal == (405, "BadRequest_MethodNotAllowed")
    assert service.call("POST", "$batch", {"requests": []}, token="x").status == 401


def test_parts_are_told_to_whoever_counts(service: Service) -> None:
    answer = service.post("$batch", {"requests": [post("a"), {"id": "b", "method": "get", "url": "vendors"}]})
    assert answer.parts == [("POST", f"{ROOT}/customers"), ("GET", f"{ROOT}/vendors")]


# Multipart


def part(content: str, kind: str = "application/http") -> str:
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n\r\n{content}"


def parts(boundary: str, *items: str) -> str:
    return "".join(f"--{boundary}\r\n{item}\r\n" for item in items) + f"--{boundary}--\r\n"


CREATE = 'POST customers HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{"displayName":"A"}'


def changes(*items: str) -> str:
    return part(parts("c", *items), "multipart/mixed; boundary=c")


def multipart(service: Service, body: str, boundary: str = "b", **headers: str) -> Any:
    sent = {"Content-Type": f"multipart/mixed; boundary={boundary}", **headers}
    return service.call("POST", "$batch", body.encode(), sent)


def test_multipart_with_a_read_and_a_change_set_of_one(service: Service) -> None:
    read = part("GET customers?$select=displayName HTTP/1.1\r\nAccept: application/json\r\n\r\n")
    create = changes(f"Content-ID: 7\r\n{part(CREATE)}")
    answer = multipart(service, parts("b", create, read))
    text = answer.raw.decode()
    assert answer.status == 200
    assert answer.headers["content-type"] == "multipart/mixed; boundary=batchresponse_0"
    assert "HTTP/1.1 201 Created" in text
    assert "HTTP/1.1 200 OK" in text
    assert "Content-ID: 7" in text
    assert service.get("customers").column("displayName") == ["A"]
    assert answer.parts == [("POST", f"{ROOT}/customers"), ("GET", f"{ROOT}/customers")]


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
@pytest.mark.parametrize("quoted", [False, True])
def test_multipart_lines_and_boundaries_may_have_any_form(service: Service, ending: str, quoted: bool) -> None:
    body = parts("b", part(CREATE)).replace("\r\n", ending)
    assert b"201 Created" in multipart(service, body, '"b"' if quoted else "b").raw
    assert service.get("customers").column("displayName") == ["A"]


def test_a_change_set_of_several_operations_is_refused(service: Service) -> None:
    answer = multipart(service, parts("b", changes(part(CREATE), part(CREATE))))
    assert b"HTTP/1.1 500" in answer.raw
    assert b"Multiple requests within the same change set are not supported" in answer.raw
    assert service.get("customers").rows == []


def test_multipart_snapshots_too(service: Service) -> None:
    body = parts("b", part(CREATE), part("GET strangers HTTP/1.1\r\n\r\n"))
    answer = multipart(service, body, Isolation="snapshot")
    assert b"201 Created" in answer.raw
    assert b"404 Not Found" in answer.raw
    assert service.get("customers").rows == []


def test_multipart_without_a_boundary_or_a_request_line_is_refused(service: Service) -> None:
    for kind, body in (("multipart/mixed", "x"), ("multipart/mixed; boundary=b", parts("b", part("nonsense")))):
        answer = service.call("POST", "$batch", body.encode(), {"Content-Type": kind})
        assert answer.refusal == (400, "BadRequest")
