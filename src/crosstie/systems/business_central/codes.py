"""What the error codes of Business Central mean for the record that was written (wire-businesscentral section 7)."""

from crosstie.model.records import WriteStatus

CODES = {
    "request_entitychanged": WriteStatus.STALE,
    "internal_recordnotfound": WriteStatus.MISSING,
    "badrequest_notfound": WriteStatus.MISSING,
    "internal_entitywithsamekeyexists": WriteStatus.EXISTS,
    "badrequest_resourcenotfound": WriteStatus.REFUSED,
    "internal_companynotfound": WriteStatus.REFUSED,
    "internal_tenantunavailable": WriteStatus.THROTTLED,
    "internal_invalidtablerelation": WriteStatus.REFUSED,
    "badrequest_methodnotallowed": WriteStatus.REFUSED,
    "badrequest_methodnotimplemented": WriteStatus.REFUSED,
    "application_toomanyrequests": WriteStatus.THROTTLED,
}
"""By code in small letters; what is not listed goes by its status (409 alone says nothing)."""
