"""Words of plans for many records: the groups, what they mean, and the directions."""

from crosstie.web.wording import BUSINESS_CENTRAL, DATAVERSE, Badge

GROUPS: dict[str, Badge] = {
    "update": Badge("Will be updated", "info", "sync"),
    "create": Badge("Will be created", "info", "plus"),
    "delete": Badge("Will be deleted or uncoupled", "bad", "trash"),
    "conflict": Badge("Conflict", "bad", "conflict"),
    "skipped": Badge("Skipped", "fair", "pause"),
    "out_of_filter": Badge("Outside the filter", "none", "filter"),
    "gone": Badge("Partner deleted", "bad", "trash"),
    "failing": Badge("Cannot be synchronised", "bad", "warning"),
    "unchanged": Badge("Unchanged", "good", "check"),
    "not_coupled": Badge("Not coupled", "none", "circle"),
}
MEANINGS = {
    "update": "Fields that differ are written.",
    "create": "The missing record is created and coupled.",
    "delete": "The partner is gone; so the mapping says.",
    "conflict": "Both sides changed the same field. Include them to write what does not clash; or choose a direction.",
    "skipped": "Paused after the same error came twice in a row. Include them to try again.",
    "out_of_filter": "Coupled, but jobs leave them out. Include them to synchronise them all the same.",
    "gone": "One of the two records was deleted. Restore it, delete the other one, or delete the coupling.",
    "failing": "They are left as they are until the cause is gone.",
    "unchanged": "Both sides agree; nothing is written.",
    "not_coupled": "They have no partner; set up a coupling, or create one.",
}
DIRECTIONS = {
    "merge": "Merge: what changed on either side goes to the other",
    "to_remote": f"Send data update to {DATAVERSE}",
    "from_remote": f"Get data update from {DATAVERSE}",
}
CREATES = {"local": f"in {DATAVERSE}", "remote": f"in {BUSINESS_CENTRAL}"}
