# %% [markdown]
# # A statement and its why
# Opens a lake without a JVM. Run `make demo` first, or set `LAKEHOUSE_ROOT`. This file is a notebook in jupytext's percent format;
# Jupyter with jupytext opens it as one.

# %%
import os
from decimal import Decimal

import pandas as pd

from lakehouse import Lake

lake = Lake(os.environ.get("LAKEHOUSE_ROOT", "demo-lake"))
pd.DataFrame(lake.status())

# %% [markdown]
# Every statement, the largest first. Amounts are text, so that no digit is lost on the way; `Decimal` counts with them.

# %%
statements = sorted(lake.statements(), key=lambda row: -Decimal(row["payable"]))
pd.DataFrame(statements)[["statement_id", "payee_name", "earned", "payable", "currency", "status"]].head(10)

# %% [markdown]
# The lines of the largest one.

# %%
statement = lake.statement(statements[0]["statement_id"])
lines = sorted(statement["lines"], key=lambda row: -Decimal(row["amount"]))
pd.DataFrame(lines)[["title", "channel", "territory", "usage_period", "role", "units", "base", "amount"]].head(10)

# %% [markdown]
# The line that earned most, through every stage, and the rows of the report it came from.

# %%
explained = lake.why(lines[0]["line_id"])
pd.DataFrame(explained["stages"])

# %%
pd.DataFrame(explained["sources"])[["name", "line_no", "amount", "text"]]

# %% [markdown]
# The stages lead from the base to the amount: each begins with what the one before left.

# %%
assert explained["stages"][0]["in"] == explained["base"]
assert explained["stages"][-1]["out"] == explained["amount"]
assert sum((Decimal(source["amount"]) for source in explained["sources"]), Decimal(0)) == Decimal(explained["base"])

# %% [markdown]
# Any table is a relation in DuckDB, under its own name.

# %%
lake.sql("SELECT category, currency, sum(amount) AS amount FROM gold.royalty_lines GROUP BY ALL ORDER BY ALL").to_arrow_table().to_pandas()
