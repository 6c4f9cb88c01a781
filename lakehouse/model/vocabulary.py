"""The closed lists of words that a usage line may use."""

MEANINGS = ("generation", "correction")
NOT_INCOME = ("transfer", "summary")
# A kind of row that the dialect does not know: refused, for only a person can say whether it is income.
UNKNOWN = "unknown"
CONFIGURATIONS = ("stream", "download", "physical", "ugc", "ringtone", "merchandise", "sync", "performance", "other")
