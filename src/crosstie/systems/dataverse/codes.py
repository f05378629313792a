"""What the error codes of Dataverse mean for the record that was written (wire-dataverse section 13)."""

from crosstie.model.records import WriteStatus

CODES = {
    "0x80060882": WriteStatus.STALE,
    "0x80040217": WriteStatus.MISSING,
    "0x80060891": WriteStatus.MISSING,
    "0x80040237": WriteStatus.EXISTS,
    "0x80060892": WriteStatus.EXISTS,
    "0x80040333": WriteStatus.REFUSED,
    "0x80060883": WriteStatus.REFUSED,
    "0x8006088d": WriteStatus.REFUSED,
    "0x80040220": WriteStatus.DENIED,
    "0x80048306": WriteStatus.DENIED,
    "0x80042f09": WriteStatus.DENIED,
    "0x80041d1f": WriteStatus.DENIED,
    "0x80072321": WriteStatus.THROTTLED,
    "0x80072322": WriteStatus.THROTTLED,
    "0x80072326": WriteStatus.THROTTLED,
    "0x80072329": WriteStatus.THROTTLED,
}
"""By code in small letters; what is not listed goes by its status."""

EXPIRED_TOKENS = ("0x80044352", "0x80044353")
"""A delta token that is too old or not of this environment: everything must be read again."""

SCHEMA_CHANGED = ("0x8006088a",)
"""A column or navigation property that is no longer there."""
