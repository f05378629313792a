"""The switches of the system, changed under ``/_sandbox/settings``."""

from typing import Final

from crosstie.sandbox.settings import Setting

SETTINGS: Final = (
    Setting("change_tracking_days", 7, "after how many days a delta token has expired"),
    Setting("untracked_tables", [], "logical names of tables for which change tracking is switched off"),
    Setting("refuse_tables", [], "logical names of tables to which every write is refused: 403 0x80040220"),
    Setting("refuse_write_ids", [], "ids of records to which every write is refused: 403 0x80040220"),
    Setting(
        "refuse_create_only_by_key",
        True,
        "whether a PATCH by alternate key with If-None-Match: * is answered with 404 0x80060891 where there is no such "
        "record, as a live environment was seen to do; false: the record is created",
    ),
    Setting("ne_includes_null", False, "whether 'ne' with a value also matches records that have none"),
    Setting("json_batch", False, "whether $batch also takes a JSON body, which Dataverse does not document"),
    Setting("burst_remaining_requests", 5999, "value of x-ms-ratelimit-burst-remaining-xrm-requests"),
    Setting("time_remaining_seconds", 1199, "value of x-ms-ratelimit-time-remaining-xrm-requests"),
    Setting("aggregate_limit", 50000, "over how many records an aggregate is refused with 0x8004e023"),
    Setting(
        "bulk_delete_seconds", 10, "how long after it was asked for a BulkDelete job runs (0: with the next request)"
    ),
    Setting("first_option_value", 100_000_000, "from which number the server numbers new choice options"),
)
