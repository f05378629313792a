"""The *Business Central* button: leads to the coupled record, couples where the mapping allows, else explains."""

import httpx
import pytest
from msgspec.structs import replace

from tests.api.conftest import Desks, Served
from tests.api.test_flows import add_pair, couple

pytestmark = pytest.mark.xdist_group("api")


def follow(served: Served, table: str, id: str) -> httpx.Response:
    return httpx.get(f"{served.address}/open/dataverse/{table}/{id}", follow_redirects=False, timeout=30)


def test_a_coupled_record_is_opened(served: Served, api_desks: Desks) -> None:
    local_id, remote_id = add_pair(api_desks)
    couple(served, "10000", remote_id)
    answer = follow(served, "account", "{" + remote_id.upper() + "}")
    assert answer.status_code == 303
    assert local_id in answer.headers["location"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_record_that_is_not_coupled_is_coupled_where_the_mapping_allows(served: Served, api_desks: Desks) -> None:
    bc, dv = api_desks
    with served.home.store.begin() as unit:
        [mapping] = [each for each in unit.mappings() if each.name == "CUSTOMER"]
        unit.put_mapping(replace(mapping, only_coupled=False))
    account = dv.add_customer("Fabrikam")
    answer = follow(served, "account", account["accountid"])
    assert answer.status_code == 303, answer.text
    [customer] = bc.rows("customers", "displayName eq 'Fabrikam'")
    assert customer["id"] in answer.headers["location"]
    again = follow(served, "account", account["accountid"])
    assert again.headers["location"] == answer.headers["location"]
    assert len(bc.rows("customers")) == 1


def test_a_record_that_may_not_be_coupled_by_itself_gets_a_page_that_says_why(served: Served, api_desks: Desks) -> None:
    bc, dv = api_desks
    account = dv.add_customer("Fabrikam <script>alert(1)</script>")
    answer = follow(served, "account", account["accountid"])
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (409, "text/html")
    assert "synchronises only coupled records" in answer.text
    assert "script>" not in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert bc.rows("customers") == []


@pytest.mark.parametrize(
    ("table", "id", "status"),
    [
        ("account", "00000000-0000-4000-8000-000000000000", 404),
        ("account", "nonsense", 404),
        ("<b>nothing", "1", 404),
    ],
)
def test_what_does_not_exist_gets_a_page_too(served: Served, table: str, id: str, status: int) -> None:
    answer = follow(served, table, id)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "<b>" not in answer.text


def test_where_nothing_is_connected_the_page_says_whom_to_ask(bare: Served) -> None:
    answer = follow(bare, "account", "1")
    assert answer.headers["content-type"].startswith("text/html")
    assert "Ask an administrator" in answer.text
    assert httpx.post(f"{bare.address}/open/dataverse/account/1").status_code == 405
