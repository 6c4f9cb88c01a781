# %% [markdown]
# # A statement and its why
# Opens the demo's lake without a JVM: run `make demo` first, or set `LAKEHOUSE_ROOT`. This file is a notebook in
# jupytext's percent format; Jupyter with jupytext opens it as one.

# %%
import os

from lakehouse.store.reader import LakeReader
from lakehouse.views.statements import list_statements, show_statement, why

reader = LakeReader(os.environ.get("LAKEHOUSE_ROOT", "demo-lake"))

# %% [markdown]
# Every statement, the largest first.

# %%
statements = sorted(list_statements(reader), key=lambda row: -float(row["payable"]))  # floats order, they do not count
for row in statements[:5]:
    print(row["statement_id"], row["payee_name"], row["payable"], row["currency"], row["status"])

# %% [markdown]
# The line of the largest statement that earned most, through every stage.

# %%
statement = show_statement(reader, statements[0]["statement_id"])
line = max(statement["lines"], key=lambda row: float(row["amount"]))
explained = why(reader, line["line_id"])
for stage in explained["stages"]:
    print(f"{stage['stage']:<20} {stage['in']:>24} {stage['out']:>24}  {stage['term']}")

# %% [markdown]
# Any table is a relation in DuckDB.

# %%
lines = reader.relation("gold.royalty_lines")
rows = reader.sql(f"SELECT category, currency, sum(amount) AS amount FROM {lines} GROUP BY ALL ORDER BY ALL")
for row in rows:
    print(row["category"], row["currency"], row["amount"])
