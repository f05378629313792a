"""A Business Central with an empty company, and one with the codes that customers need."""

import pytest

from .service import Service


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def stocked(service: Service) -> Service:
    """Currencies, terms, methods and a salesperson are there."""
    for code, name in (("EUR", "Euro"), ("USD", "US dollar")):
        service.made("currencies", {"code": code, "displayName": name})
    service.made("paymentTerms", {"code": "NET 30", "displayName": "Net 30 days", "dueDateCalculation": "30D"})
    service.made("shipmentMethods", {"code": "FOB", "displayName": "Free on board"})
    service.made("paymentMethods", {"code": "BANK", "displayName": "Bank transfer"})
    service.made("salespeoplePurchasers", {"code": "JOR", "displayName": "Jordan Reed"})
    return service
