"""Addresses: what people copy from their browser, and what is refused."""

import pytest

from crosstie.app.addresses import (
    api_address,
    business_central_address,
    cloud_environment,
    token_address,
    token_url,
)
from crosstie.model.connections import SystemKind
from crosstie.model.errors import InvalidConnection

TENANT = "7c0d5a1e-5b2f-4c1b-9a66-2f5f0a3c9d10"
CLOUD = f"https://api.businesscentral.dynamics.com/v2.0/{TENANT}/Production/api/v2.0"
WEB_API = "https://contoso.crm4.dynamics.com/api/data/v9.2"


@pytest.mark.parametrize(
    ("entered", "address"),
    [
        ("", ""),
        ("contoso.crm4.dynamics.com", WEB_API),
        ("  https://contoso.crm4.dynamics.com/ ", WEB_API),
        ("HTTPS://Contoso.CRM4.Dynamics.com", WEB_API),
        ("https://contoso.crm4.dynamics.com/main.aspx?appid=1&pagetype=entitylist", WEB_API),
        ("https://contoso.crm4.dynamics.com/api/data/v9.1/accounts?$top=1", f"{WEB_API[:-1]}1"),
        ("https://test3.com/myOrg", "https://test3.com/api/data/v9.2"),
        ("https://test2.com:555/myOrg", "https://test2.com:555/myOrg/api/data/v9.2"),
        ("http://127.0.0.1:8080/api/data/v9.2", "http://127.0.0.1:8080/api/data/v9.2"),
        ("http://localhost:8080/", "http://localhost:8080/api/data/v9.2"),
    ],
)
def test_an_environment_of_dataverse_is_known_by_what_the_browser_shows(entered: str, address: str) -> None:
    """behaviour: CDSConnectionSetupTest/UrlValidationIsNotCaseSensitive
    behaviour: CDSConnectionSetupTest/UrlValidationWhenMissingHTTPS
    behaviour: CRMSetupTest/UrlValidationIsNotCaseSensitive
    behaviour: CDSConnectionWizardTests/CDSConnectionWizardCheckModifyCDSConnectionURL
    """
    assert api_address(SystemKind.DATAVERSE, entered) == address


@pytest.mark.parametrize(
    ("entered", "address"),
    [
        (CLOUD, CLOUD),
        (f"{CLOUD}/companies(1)/customers?$top=1", CLOUD),
        (CLOUD.removesuffix("/api/v2.0"), CLOUD),
        (f"https://businesscentral.dynamics.com/{TENANT}/Production?company=CRONUS&page=22", CLOUD),
        ("https://businesscentral.dynamics.com/Test", "https://api.businesscentral.dynamics.com/v2.0/Test/api/v2.0"),
        ("https://bc.example:7048/BC", "https://bc.example:7048/BC/api/v2.0"),
        ("bc.example:7048/BC/api/crosstie/sync/v1.0", "https://bc.example:7048/BC/api/v2.0"),
        ("http://[::1]:7048/BC/api/v2.0/", "http://[::1]:7048/BC/api/v2.0"),
    ],
)
def test_an_environment_of_business_central_is_known_by_its_pages_too(entered: str, address: str) -> None:
    assert api_address(SystemKind.BUSINESS_CENTRAL, entered) == address


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        ("http://test1.com", "'http://test1.com' is not secure"),
        ("http://127.0.0.1.evil.example", "is not secure"),
        ("ftp://test1.com", "is none"),
        ("two words", "is none"),
        ("https://", "is none"),
        ("https://host:port/", "is none"),
        ("https://ann:secret@host/", "holds a name or password"),
    ],
)
@pytest.mark.parametrize("kind", [SystemKind.DATAVERSE, SystemKind.BUSINESS_CENTRAL])
def test_an_address_that_cannot_be_or_is_not_secure_is_refused(kind: SystemKind, entered: str, words: str) -> None:
    """behaviour: CDSConnectionWizardTests/CDSConnectionWizardCheckModifyCDSConnectionURL"""
    with pytest.raises(InvalidConnection, match=words) as refused:
        api_address(kind, entered)
    assert refused.value.details["field"] == "address"
    assert refused.value.advice


@pytest.mark.parametrize("entered", ["https://bc.example", "https://businesscentral.dynamics.com/?company=CRONUS"])
def test_an_address_that_leads_to_no_api_is_refused(entered: str) -> None:
    with pytest.raises(InvalidConnection, match=r"environment|is not that of the API"):
        api_address(SystemKind.BUSINESS_CENTRAL, entered)


def test_an_environment_of_the_cloud_is_found_again_in_its_address() -> None:
    for name in ("Production", "My Test/1"):
        assert cloud_environment(TENANT, business_central_address(TENANT, name)) == name
    assert cloud_environment(TENANT, "https://bc.example/BC/api/v2.0") == ""
    assert cloud_environment("other", CLOUD) == ""


def test_tokens_come_from_the_tenant_unless_another_place_is_named() -> None:
    assert token_address(" t ") == "https://login.microsoftonline.com/t/oauth2/v2.0/token"
    assert token_address("") == token_url(" ") == ""
    assert token_url("Login.Example/Tenant/oauth2/token") == "https://login.example/Tenant/oauth2/token"
    with pytest.raises(InvalidConnection, match=r"token address 'http://login.example/' is not secure") as refused:
        token_url("http://login.example/")
    assert refused.value.details["field"] == "token_url"
