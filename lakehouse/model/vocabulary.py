"""The closed lists of words that a usage line, and the matcher of it, may use."""

MEANINGS = ("generation", "correction")
NOT_INCOME = ("transfer", "summary")
# A kind of row that the dialect does not know: refused, for only a person can say whether it is income.
UNKNOWN = "unknown"
# What the matcher says of a usage key whose recording is paid, and of one that waits.
PAID = ("MATCHED", "DRIFT_FLAGGED")
UNPAID = ("AMBIGUOUS", "UNCLAIMED")
# The tier of what a person has accepted, before all others.
ALIAS = "alias"
# Before an ISWC, in the place of a recording that nobody knows: its publishing is paid on the work.
OF_WORK = "work:"
CONFIGURATIONS = ("stream", "download", "physical", "ugc", "ringtone", "merchandise", "sync", "performance", "other")
