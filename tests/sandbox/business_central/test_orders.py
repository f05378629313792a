"""Sales orders and lines as plain tables."""

from typing import Any

import pytest

from .service import Service


@pytest.fixture
def shop(stocked: Service) -> Service:
    stocked.made("unitsOfMeasure", {"code": "PCS"})
    body = {"number": "C1", "displayName": "Adatum", "city": "Ely", "currencyCode": "EUR", "salespersonCode": "JOR"}
    stocked.made("customers", body)
    stocked.made("items", {"number": "1000", "displayName": "Desk", "unitPrice": 99.5, "baseUnitOfMeasureCode": "PCS"})
    return stocked


def order(service: Service, **body: object) -> dict[str, Any]:
    return service.made("salesOrders", {"customerNumber": "C1", **body})


def test_an_order_brings_its_customers_details(shop: Service) -> None:
    made = order(shop, sellToCity="Bath")
    assert made["number"] == "S-ORD101001"
    assert (made["customerName"], made["sellToCity"], made["billToCity"]) == ("Adatum", "Bath", "Ely")
    assert (made["currencyCode"], made["salesperson"]) == ("EUR", "JOR")
    assert (made["orderDate"], made["status"]) == ("2026-05-04", "Draft")
    assert made["customerId"] == shop.one("customers")["id"]
    assert made["billToCustomerNumber"] == "C1"


def test_an_order_needs_a_customer_that_may_buy(shop: Service) -> None:
    assert shop.post("salesOrders", {}).refusal == (400, "Application_DialogException")
    assert shop.post("salesOrders", {"customerNumber": "C9"}).refusal == (400, "Internal_InvalidTableRelation")
    shop.changed(f"customers({shop.one('customers')['id']})", {"blocked": "All"})
    assert shop.post("salesOrders", {"customerNumber": "C1"}).refusal == (400, "Application_DialogException")
    assert shop.get("salesOrders").rows == []


def test_lines_under_their_order(shop: Service) -> None:
    made = order(shop)
    path = f"salesOrders({made['id']})/salesOrderLines"
    line = shop.made(path, {"lineType": "Item", "lineObjectNumber": "1000", "quantity": 2})
    assert (line["documentId"], line["sequence"], line["description"]) == (made["id"], 10000, "Desk")
    assert (line["unitPrice"], line["netAmount"], line["unitOfMeasureCode"]) == (99.5, 199, "PCS")
    assert line["itemId"] == shop.one("items")["id"]
    second = shop.made(path, {"itemId": line["itemId"], "quantity": 1, "discountPercent": 10})
    assert (second["sequence"], second["lineType"], second["discountAmount"]) == (20000, "Item", 9.95)
    total = shop.get(f"salesOrders({made['id']})").json
    assert total["totalAmountExcludingTax"] == 288.55
    assert total["@odata.etag"] != made["@odata.etag"]
    assert shop.get(path).column("sequence") == [10000, 20000]
    assert shop.get(f"{path}/$count").raw == b"2"
    shop.changed(f"{path}({line['id']})", {"quantity": 4})
    assert shop.delete(f"salesOrderLines({second['id']})").status == 204
    assert shop.get(f"salesOrders({made['id']})").json["totalAmountExcludingTax"] == 398


def test_a_line_is_found_under_its_own_order_only(shop: Service) -> None:
    first, second = order(shop), order(shop)
    line = shop.made(f"salesOrders({first['id']})/salesOrderLines", {"lineType": "Comment", "description": "x"})
    assert shop.get(f"salesOrders({first['id']})/salesOrderLines({line['id']})").status == 200
    assert shop.get(f"salesOrders({second['id']})/salesOrderLines({line['id']})").status == 404


def test_lines_can_come_with_the_order_and_be_expanded(shop: Service) -> None:
    lines = [{"lineType": "Item", "lineObjectNumber": "1000", "quantity": n} for n in (1, 2)]
    made = order(shop, salesOrderLines=lines)
    shown = shop.get(f"salesOrders({made['id']})?$expand=salesOrderLines($orderby=sequence desc;$select=quantity)")
    assert [line["quantity"] for line in shown.json["salesOrderLines"]] == [2, 1]
    assert shown.json["totalAmountExcludingTax"] == 298.5
    nested = shop.patch(f"salesOrders({made['id']})", {"salesOrderLines": []})
    assert nested.refusal == (400, "BadRequest")


def test_a_wrong_line_takes_the_whole_order_back(shop: Service) -> None:
    lines = [{"lineType": "Item", "lineObjectNumber": "9999"}]
    answer = shop.post("salesOrders", {"customerNumber": "C1", "salesOrderLines": lines})
    assert answer.refusal == (400, "Internal_InvalidTableRelation")
    assert shop.get("salesOrders").rows == []


def test_a_line_alone_needs_its_document(shop: Service) -> None:
    assert shop.post("salesOrderLines", {"lineType": "Comment"}).refusal == (400, "Application_DialogException")
    made = order(shop)
    line = shop.made("salesOrderLines", {"documentId": made["id"], "lineType": "Comment", "description": "x"})
    assert line["documentId"] == made["id"]


def test_open_orders_hold_their_customer_and_items(shop: Service) -> None:
    made = order(shop, salesOrderLines=[{"lineType": "Item", "lineObjectNumber": "1000", "quantity": 1}])
    customer, item = shop.one("customers"), shop.one("items")
    for path in (f"customers({customer['id']})", f"items({item['id']})"):
        answer = shop.delete(path)
        assert answer.refusal == (400, "Application_DialogException")
        assert "outstanding Sales Order" in answer.message
    assert shop.delete(f"salesOrders({made['id']})").status == 204
    assert shop.get("salesOrderLines").rows == []
    assert shop.delete(f"customers({customer['id']})").status == 204
    assert shop.delete(f"items({item['id']})").status == 204


def test_a_blocked_item_cannot_be_sold(shop: Service) -> None:
    shop.changed(f"items({shop.one('items')['id']})", {"blocked": True})
    answer = shop.post(
        f"salesOrders({order(shop)['id']})/salesOrderLines", {"lineType": "Item", "lineObjectNumber": "1000"}
    )
    assert answer.refusal == (400, "Application_DialogException")


def test_actions_are_not_there(shop: Service) -> None:
    answer = shop.post(f"salesOrders({order(shop)['id']})/Microsoft.NAV.shipAndInvoice", {})
    assert answer.refusal == (501, "BadRequest_MethodNotImplemented")
