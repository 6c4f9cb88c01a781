"""The books: every movement of the period, double entry. The postings of one transaction add up to zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.tables import gold

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# What a payee earns is the contract's income and, when its account is settled, its cost; the rest is owed or kept as it comes.
_ACCOUNT_OF_CATEGORY = {
    "payable": ("income:royalties", "contract_id"),
    "reserved": ("income:royalties", "contract_id"),
    "retained": ("income:retained", "payee"),
    "fee": ("liabilities:fees", "payee"),
    "tax": ("liabilities:tax", "payee"),
}


def book_ledger(lines: DataFrame, holding: DataFrame, movements: DataFrame, differences: DataFrame, period: str) -> DataFrame:
    """gold.ledger: each report's money to those who own it, then every movement of the accounts.

    `differences` is what `views.held.accepted_differences` gives: the sender owes it, and no line says to whom it goes.
    """
    account = F.coalesce(
        *(F.when(F.col("category") == category, F.concat_ws(":", F.lit(root), owner)) for category, (root, owner) in _ACCOUNT_OF_CATEGORY.items())
    )  # fmt: skip
    owned = lines.select("file_id", "source", "currency", account.alias("account"), -F.col("amount"))
    held = holding.select("file_id", "source", "currency", F.lit("liabilities:holding").alias("account"), -F.col("amount"))
    credits = owned.toDF("file_id", "source", "currency", "account", "amount").union(held)
    debits = credits.select(
        "file_id", "source", "currency", F.concat(F.lit("assets:receivable:"), "source").alias("account"), -F.col("amount")
    )
    reports = (
        credits.union(debits.toDF(*credits.columns))
        .groupBy("file_id", "source", "currency", "account")
        .agg(F.sum("amount").alias("amount"))
        .select(
            F.concat_ws("-", F.lit(period), "currency", F.concat(F.lit("report-"), F.substring("file_id", 1, 12))).alias("transaction_id"),
            F.lit("report").alias("kind"), "account", "currency", "amount", F.concat(F.lit("Report of "), "source").alias("memo"),
        )
    )  # fmt: skip
    moved = movements.withColumnRenamed("transaction", "transaction_id").groupBy("transaction_id", "kind", "account", "currency")
    settled = moved.agg(F.sum("amount").alias("amount"), F.min("memo").alias("memo"))
    booked = reports.unionByName(settled).unionByName(_differences(differences, period)).where("amount != 0")
    return booked.withColumn("period", F.lit(period)).select(*gold.ledger.columns)


def _differences(differences: DataFrame, period: str) -> DataFrame:
    postings = F.array(
        _posting(F.concat(F.lit("assets:receivable:"), "source"), F.col("amount")),
        _posting(F.concat(F.lit("liabilities:unexplained:"), "source"), -F.col("amount")),
    )
    return differences.select("file_id", "currency", "memo", F.explode(postings).alias("posting")).select(
        F.concat_ws("-", F.lit(period), "currency", F.concat(F.lit("difference-"), F.substring("file_id", 1, 12))).alias("transaction_id"),
        F.lit("difference").alias("kind"), "posting.account", "currency", "posting.amount", "memo",
    )  # fmt: skip


def _posting(account: Column, amount: Column) -> Column:
    return F.struct(account.alias("account"), amount.cast("decimal(38,18)").alias("amount"))
