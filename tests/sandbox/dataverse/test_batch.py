"""$batch: many requests in one (wire-dataverse section 11)."""

import pytest

from .service import BASE, NOBODY, ROOT, Answer, Service, change_set, multipart, part, statuses

BOUNDARY = "multipart/mixed; boundary=batch_1"


def send(service: Service, parts: list[str], prefer: str = "") -> Answer:
    return service.send("POST", "$batch", multipart(parts), Content_Type=BOUNDARY, Prefer=prefer)


def test_requests_are_carried_out_in_order(service: Service) -> None:
    answer = send(
        service,
        [
            part("POST", "accounts", {"name": "A"}),
            part("GET", f"{ROOT}/accounts?$select=name"),
            part("POST", "/api/data/v9.2/accounts", {"name": "B"}, Prefer="return=representation"),
            part("GET", "accounts/$count"),
        ],
    )
    assert (answer.status, statuses(answer)) == (200, [204, 200, 201, 200])
    kind, _, boundary = answer.headers["Content-Type"].partition("; boundary=")
    assert (kind, boundary.partition("_")[0]) == ("multipart/mixed", "batchresponse")
    sections = answer.body.decode().split(f"--{boundary}")
    assert sections[-1] == "--\r\n"
    assert "OData-EntityId: https://org.example/api/data/v9.2/accounts(" in sections[1]
    assert "Content-Type: application/json; odata.metadata=minimal; odata.streaming=true" in sections[2]
    assert sections[4].endswith("\r\n\r\n2\r\n")
    assert len(service.rows("accounts")) == 2


def test_the_first_failure_ends_a_batch_unless_told_to_go_on(service: Service) -> None:
    parts = [
        part("POST", "accounts", {"name": "A"}),
        part("GET", f"accounts({NOBODY})"),
        part("POST", "accounts", {"name": "B"}),
    ]
    stopped = send(service, parts)
    assert (stopped.status, statuses(stopped)) == (400, [204, 404])
    assert len(service.rows("accounts")) == 1
    full = send(service, parts, "odata.continue-on-error")
    assert (full.status, statuses(full)) == (200, [204, 404, 204])
    assert len(service.rows("accounts")) == 3


def test_a_change_set_is_carried_out_all_or_none(service: Service) -> None:
    good, bad = part("POST", "accounts", {"name": "A"}, Content_ID="1"), {"name": "x" * 161}
    failed = send(
        service, [change_set([good, part("POST", "accounts", bad, Content_ID="2")])], "odata.continue-on-error"
    )
    assert (failed.status, statuses(failed)) == (200, [400])
    assert b"0x80044331" in failed.body
    assert b"changesetresponse" not in failed.body, "one part with the error"
    assert b"Content-ID: 2" in failed.body
    assert service.rows("accounts") == []
    done = send(service, [change_set([good, part("DELETE", "$1", Content_ID="2")])])
    assert (done.status, statuses(done)) == (200, [204, 204])
    assert b"boundary=changesetresponse_" in done.body
    assert b"Content-ID: 1" in done.body


def test_later_requests_refer_to_earlier_ones(service: Service) -> None:
    answer = send(
        service,
        [
            change_set(
                [
                    part("POST", "contacts", {"lastname": "Holm"}, Content_ID="1"),
                    part("POST", "accounts", {"name": "A", "primarycontactid@odata.bind": "$1"}, Content_ID="2"),
                    part("PATCH", "$1", {"firstname": "Pia"}, Content_ID="3"),
                    part("PUT", "$1/jobtitle", {"value": "Boss"}, Content_ID="4"),
                    part("POST", "$2/contact_customer_accounts/$ref", {"@odata.id": "$1"}, Content_ID="5"),
                    part("PATCH", f"accounts({NOBODY})", {"name": "B"}, Content_ID="6"),
                    part("PUT", "$6/primarycontactid/$ref", {"@odata.id": "$1"}, Content_ID="7"),
                ]
            )
        ],
    )
    assert statuses(answer) == [204] * 7, answer.body
    contact = service.rows("contacts?$select=fullname,jobtitle,_parentcustomerid_value")[0]
    accounts = {row["name"]: row for row in service.rows("accounts?$select=name,_primarycontactid_value")}
    assert (contact["fullname"], contact["jobtitle"]) == ("Pia Holm", "Boss")
    assert contact["_parentcustomerid_value"] == accounts["A"]["accountid"]
    assert {row["_primarycontactid_value"] for row in accounts.values()} == {contact["contactid"]}


@pytest.mark.parametrize(
    "text",
    [
        part("PATCH", "$9", {"name": "B"}, Content_ID="1"),
        part("POST", "accounts", {"name": "A", "primarycontactid@odata.bind": "$9"}, Content_ID="1"),
    ],
)
def test_a_reference_to_nothing_is_refused(service: Service, text: str) -> None:
    answer = send(service, [change_set([text])])
    assert statuses(answer) == [400]
    assert b"Content-ID Reference: '$9' does not exist in the batch context." in answer.body


def test_a_change_set_holds_no_get(service: Service) -> None:
    answer = send(service, [change_set([part("POST", "accounts", {"name": "A"}), part("GET", "accounts")])])
    assert statuses(answer) == [400]
    assert service.rows("accounts") == []


def test_conditional_writes_keep_their_conditions(service: Service) -> None:
    account = service.create("accounts", name="A")
    etag = service.row(f"accounts({account})")["@odata.etag"]
    parts = [part("PATCH", f"accounts({account})", {"name": name}, If_Match=etag) for name in ("B", "C")]
    assert statuses(send(service, parts, "odata.continue-on-error")) == [204, 412]
    assert service.row(f"accounts({account})")["name"] == "B"


LOOSE = {
    "bare line feeds": lambda body: body.replace(b"\r\n", b"\n"),
    "blank lines before the first boundary": lambda body: b"\r\n\r\n" + body,
    "extra blank lines between parts": lambda body: body.replace(b"\r\n--batch_1", b"\r\n\r\n\r\n--batch_1"),
    "no epilogue": lambda body: body.removesuffix(b"--batch_1--\r\n"),
    "blanks behind the boundary": lambda body: body.replace(b"--batch_1\r\n", b"--batch_1  \r\n"),
    "text before and after": lambda body: b"preamble\r\n" + body + b"epilogue",
}


@pytest.mark.parametrize("name", LOOSE)
def test_loosely_written_batches_are_read(service: Service, name: str) -> None:
    body = multipart([part("POST", "accounts", {"name": "A"}), part("GET", "accounts?$select=name")])
    answer = service.send("POST", "$batch", LOOSE[name](body), Content_Type=BOUNDARY)
    assert statuses(answer) == [204, 200]


KINDS = ['multipart/mixed; boundary="b 1"', "multipart/mixed;boundary=b", "Multipart/Mixed; charset=x; boundary=b"]


@pytest.mark.parametrize("kind", KINDS)
def test_boundaries_come_quoted_or_bare(service: Service, kind: str) -> None:
    body = multipart([part("GET", "accounts")], boundary="b 1" if "b 1" in kind else "b")
    assert statuses(service.send("POST", "$batch", body, Content_Type=kind)) == [200]


def test_parts_may_carry_headers_of_their_own(service: Service) -> None:
    body = (
        "--b\r\ncontent-type:application/http\r\ncontent-transfer-encoding:binary\r\ncontent-id: 7\r\n\r\n"
        f"POST {BASE}/api/data/v9.0/accounts HTTP/1.1\r\nContent-Type: application/json; type=entry\r\n"
        'Authorization: Bearer other\r\nContent-Length: 12\r\nHost: x\r\n\r\n{"name":"A"}\r\n--b--\r\n'
    )
    answer = service.send("POST", "$batch", body.encode(), Content_Type="multipart/mixed; boundary=b")
    assert statuses(answer) == [204]
    assert b"Content-ID: 7" in answer.body
    assert b"/api/data/v9.0/accounts(" in answer.body


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", BOUNDARY, 400),
        (b"--other--", BOUNDARY, 400),
        (b"--batch_1\r\n\r\nnot a request\r\n--batch_1--", BOUNDARY, 400),
        (multipart([part("GET", "accounts")]), "multipart/mixed", 400),
        (b'{"requests":[]}', "application/json", 415),
        (multipart([part("GET", "accounts")] * 1001), BOUNDARY, 400),
    ],
)
def test_a_broken_batch_is_refused_whole(service: Service, body: bytes, kind: str, status: int) -> None:
    assert service.send("POST", "$batch", body, Content_Type=kind).status == status


def test_batches_do_not_nest(service: Service) -> None:
    assert statuses(send(service, [part("POST", "$batch")])) == [400]


def test_inner_requests_are_told_for_counting(service: Service) -> None:
    from crosstie.sandbox.http import Headers, Request

    body = multipart([part("GET", "accounts"), part("POST", "accounts", {"name": "A"})])
    headers = Headers([("Authorization", "Bearer sandbox"), ("Content-Type", BOUNDARY)])
    response = service.system.handle(Request("POST", "/api/data/v9.2/$batch", "", headers, body, BASE))
    assert list(response.parts) == [("GET", "/api/data/v9.2/accounts"), ("POST", "/api/data/v9.2/accounts")]


def test_a_json_batch_is_taken_where_the_switch_says_so(service: Service) -> None:
    service.settings.change({"json_batch": True})
    account = service.create("accounts", name="A")
    requests = [
        {"id": "1", "method": "GET", "url": f"accounts({account})?$select=name"},
        {"id": "2", "atomicityGroup": "g", "method": "POST", "url": "accounts", "body": {"name": "B"}},
        {"id": "3", "atomicityGroup": "g", "method": "POST", "url": "accounts", "body": {"name": "x" * 161}},
        {"id": "4", "method": "PATCH", "url": f"/accounts({account})", "body": {"name": "C"}},
    ]
    answer = service.send(
        "POST", "$batch", {"requests": requests}, Content_Type="application/json", Prefer="odata.continue-on-error"
    )
    found = {item["id"]: item for item in answer.json["responses"]}
    assert {number: item["status"] for number, item in found.items()} == {"1": 200, "3": 400, "4": 404}
    assert found["1"]["body"]["name"] == "A"
    assert len(service.rows("accounts")) == 1
