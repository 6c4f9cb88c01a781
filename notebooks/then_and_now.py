# %% [markdown]
# # An older version beside today's
# Every table can be read as it was. Versions are cited, never times: a publication names the version of each table.

# %%
import os

import pandas as pd

from lakehouse import Lake

lake = Lake(os.environ.get("LAKEHOUSE_ROOT", "demo-lake"))
drafts = lake.table("draft.statements")
pd.DataFrame(drafts.history())

# %% [markdown]
# The drafts as the first run wrote them, and as they are now: what a later run changed, statement by statement.

# %%
first = min(entry["version"] for entry in drafts.history() if entry["job"])
columns = ["statement_id", "earned", "payable"]
then, now = (version.pandas()[columns] for version in (drafts.at(first), drafts))
both = then.merge(now, on="statement_id", how="outer", suffixes=("_then", "_now"))
both.assign(changed=both["payable_then"] != both["payable_now"])

# %% [markdown]
# What a closed period was published with, and the catalog that was read for it, whatever has been loaded since.

# %%
period = next(row["period"] for row in lake.status() if row["state"] == "closed")
published = lake.table("gold.statements").as_published(period)
catalog = lake.table("silver.catalog").as_published(period)
print(f"{period}: gold.statements at version {published.version}, silver.catalog at version {catalog.version}")
published.where(period=period).pandas()[["statement_id", "payee_name", "payable", "currency"]]

# %% [markdown]
# Closed gold is never edited: its rows of the period are the same today.

# %%
assert published.where(period=period).arrow().equals(lake.table("gold.statements").where(period=period).arrow())
