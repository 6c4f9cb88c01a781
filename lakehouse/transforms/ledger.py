"""The books: every movement of the period, double entry. The postings of one transaction add up to zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.tables import gold

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Where the money of an adjustment comes from: whoever pays it in the end is for the house's own books to say.
ADJUSTMENTS = "expenses:holding_adjustment"
# What a payee earns is the contract's income and, when its account is settled, its cost; the rest is owed or kept as it comes.
_ACCOUNT_OF_CATEGORY = {
    "payable": ("income:royalties", "contract_id"),
    "reserved": ("income:royalties", "contract_id"),
    "retained": ("income:retained", "payee"),
    "fee": ("liabilities:fees", "payee"),
    "tax": ("liabilities:tax", "payee"),
}


def book_ledger(
    lines: DataFrame, holding: DataFrame, movements: DataFrame, differences: DataFrame, undone: DataFrame, period: str
) -> DataFrame:
    """gold.ledger: each report's money to those who own it, then every movement of the accounts.

    `differences` is what `views.held.accepted_differences` gives: the sender owes it, and no line says to whom it goes. `undone`: [file_id,
    source, currency, amount] of what had been added to holds of reports that were replaced.
    """
    adjusts = F.col("entry").eqNullSafe("adjust")
    account = F.coalesce(
        *(F.when(F.col("category") == category, F.concat_ws(":", F.lit(root), owner)) for category, (root, owner) in _ACCOUNT_OF_CATEGORY.items())
    )  # fmt: skip
    owned = lines.select("file_id", "source", "currency", account.alias("account"), -F.col("amount"))
    held = holding.where(~adjusts).select(
        "file_id", "source", "currency", F.lit("liabilities:holding").alias("account"), -F.col("amount")
    )
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
    adjusted = _adjustments(holding.where(adjusts), undone, period)
    booked = (
        reports.unionByName(settled).unionByName(_differences(differences, period)).unionByName(adjusted).where("amount != 0")
    )
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


def _adjustments(entries: DataFrame, undone: DataFrame, period: str) -> DataFrame:
    """What a person adds to a hold is an expense until it is known better; where the report of the hold is replaced, it is none after all."""
    held, receivable = F.lit("liabilities:holding"), F.concat(F.lit("assets:receivable:"), "source")
    named = ("subject", "currency", "account", "amount", "memo")
    made = entries.select(
        F.concat(F.lit("adjustment-"), F.substring("releases", 1, 12)), "currency", held, F.col("amount"),
        F.concat(F.lit("Adjustment of the hold "), "releases"),
    ).toDF(*named)  # fmt: skip
    back = undone.select(
        F.concat(F.lit("adjustment-back-"), F.substring("file_id", 1, 12)), "currency", receivable, -F.col("amount"),
        F.concat(F.lit("Adjustments of holds of a report of "), "source", F.lit(" that was replaced")),
    ).toDF(*named)  # fmt: skip
    postings = F.array(_posting(F.col("account"), -F.col("amount")), _posting(F.lit(ADJUSTMENTS), F.col("amount")))
    posted = made.unionByName(back).select("subject", "currency", "memo", F.explode(postings).alias("posting"))
    sums = posted.groupBy("subject", "currency", "posting.account").agg(
        F.sum("posting.amount").alias("amount"), F.min("memo").alias("memo")
    )
    return sums.select(
        F.concat_ws("-", F.lit(period), "currency", "subject").alias("transaction_id"), F.lit("holding_adjustment").alias("kind"),
        "account", "currency", "amount", "memo",
    )  # fmt: skip


def _posting(account: Column, amount: Column) -> Column:
    return F.struct(account.alias("account"), amount.cast("decimal(38,18)").alias("amount"))
