"""What a dead process wrote is recognised, whatever the types of its values."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crosstie.engine.recovery import canonical
from crosstie.model.jobs import Intent
from crosstie.model.records import Side, WriteKind
from crosstie.model.schema import FieldType
from crosstie.model.values import Scalar
from tests.unit.engine.pairs import field, table

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
THING = table("thing", field("on", FieldType.DATE), field("rate", FieldType.DECIMAL), field("name", FieldType.TEXT))


@pytest.mark.parametrize(
    ("name", "stored", "held"),
    [
        ("on", "2026-03-04", date(2026, 3, 4)),
        ("rate", "1.50", Decimal("1.5")),
        ("name", "Adatum", "Adatum"),
        ("name", None, None),
        ("gone", "of a field that the table has lost", "of a field that the table has lost"),
    ],
)
def test_the_values_of_an_intent_compare_with_those_of_a_record(name: str, stored: Scalar, held: Scalar) -> None:
    intent = Intent(
        id="i",
        job_id=1,
        mapping="M",
        side=Side.LOCAL,
        table="thing",
        kind=WriteKind.CREATE,
        record_id=None,
        coupling_id=None,
        source_id="s",
        values={name: stored},
        expected_version=None,
        created_at=AT,
    )
    assert canonical(THING, intent).values == {name: held}
