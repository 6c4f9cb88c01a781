"""The closed lists of words that a usage line may use."""

MEANINGS = ("generation", "correction")
NOT_INCOME = ("transfer", "summary")
CONFIGURATIONS = ("stream", "download", "physical", "ugc", "ringtone", "merchandise", "sync", "performance", "other")
