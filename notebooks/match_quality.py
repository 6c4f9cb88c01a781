# %% [markdown]
# # How well matching does
# By lines and by money, for each source; how sure the matcher was; and what is held for want of an owner. No JVM.

# %%
import os

import matplotlib.pyplot as plt
import pandas as pd

from lakehouse import Lake

lake = Lake(os.environ.get("LAKEHOUSE_ROOT", "demo-lake"))
quality = lake.matching()
rates = pd.DataFrame(quality["rates"])
rates

# %% [markdown]
# The share of the money that found its owner, by source. A plot may round; the numbers above do not.

# %%
by_source = rates[rates["source"].notna()].assign(rate=lambda rows: pd.to_numeric(rows["money_rate"]))
figure, axes = plt.subplots(figsize=(8, 0.4 * len(by_source) + 1.5))
labels = by_source["source"] + " " + by_source["period"] + " " + by_source["currency"]
axes.barh(labels, by_source["rate"])
axes.set_xlim(0, 1)
axes.set_xlabel("share of the money that is matched")
figure.tight_layout()

# %% [markdown]
# Which tier decided, and with what confidence. Exact identifiers are 1.0; the fuzzy tier is where people look.

# %%
matches = lake.table("silver.matches").pandas()
tiers = matches.groupby(["tier", "reconciliation_status"]).size().unstack(fill_value=0)
tiers

# %%
figure, axes = plt.subplots(figsize=(8, 3))
for status, group in matches.groupby("reconciliation_status"):
    axes.hist(group["match_confidence"], bins=20, range=(0, 1), alpha=0.6, label=status)
axes.set_xlabel("confidence")
axes.set_ylabel("usage keys")
axes.legend()
figure.tight_layout()

# %% [markdown]
# What became of each closed period's usage, as it was when the period was closed, and what has changed since the source last reported:
# `line_trend` 0.02 is two points more of its lines.

# %%
outcomes = lake.table("gold.fallback_outcomes").pandas().sort_values(["source", "currency", "period", "tier", "status"])
outcomes[["period", "source", "currency", "tier", "status", "gap", "keys", "lines", "amount", "line_share", "line_trend", "money_trend"]]

# %% [markdown]
# What waits for an owner, with its reason and age. `lakehouse review list` shows the doubtful ones.

# %%
held = pd.DataFrame(quality["held"])
held

# %%
assert set(matches["reconciliation_status"]) <= {"MATCHED", "DRIFT_FLAGGED", "AMBIGUOUS", "UNCLAIMED"}
assert by_source["rate"].between(0, 1).all()
assert outcomes["lines"].ge(0).all()
