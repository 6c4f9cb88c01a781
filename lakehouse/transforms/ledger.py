"""The books: every movement of the period, double entry. The postings of one transaction add up to zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from lakehouse.tables import gold

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_ACCOUNT_OF_CATEGORY = {
    "payable": "liabilities:accrued",
    "retained": "income:retained",
    "fee": "liabilities:fees",
    "tax": "liabilities:tax",
}


def book_ledger(lines: DataFrame, holding: DataFrame, statements: DataFrame, period: str) -> DataFrame:
    """gold.ledger: each report's money to those who own it, then each statement's balance to what is payable."""
    accounts = F.create_map(*(F.lit(x) for pair in _ACCOUNT_OF_CATEGORY.items() for x in pair))
    owned = lines.select(
        "file_id", "source", "currency", F.concat_ws(":", accounts[F.col("category")], "payee").alias("account"), -F.col("amount")
    )
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
            _id(period, "currency", F.concat(F.lit("report-"), F.substring("file_id", 1, 12))),
            "account", "currency", "amount", F.concat(F.lit("Report of "), "source").alias("memo"),
        )
    )  # fmt: skip
    booked = reports.unionByName(_statements(statements, period)).where("amount != 0")
    return booked.withColumn("period", F.lit(period)).select(*gold.ledger.columns)


def _statements(statements: DataFrame, period: str) -> DataFrame:
    """What is payable leaves the accrued balance; the cent of rounding is income or cost of the house."""
    paid = statements.where("payable != 0 OR rounding != 0")
    postings = F.array(
        _posting(F.concat(F.lit("liabilities:accrued:"), "payee"), F.col("payable") - F.col("rounding")),
        _posting(F.lit("income:rounding"), F.col("rounding")),
        _posting(F.concat(F.lit("liabilities:payable:"), "payee"), -F.col("payable")),
    )
    return paid.select("currency", "payee", "payee_name", F.explode(postings).alias("posting")).select(
        _id(period, "currency", F.concat(F.lit("statement-"), "payee")),
        "posting.account", "currency", "posting.amount", F.concat(F.lit("Statement of "), "payee_name").alias("memo"),
    )  # fmt: skip


def _posting(account: Column, amount: Column) -> Column:
    return F.struct(account.alias("account"), amount.cast("decimal(38,18)").alias("amount"))


def _id(period: str, currency: str, subject: Column) -> Column:
    return F.concat_ws("-", F.lit(period), currency, subject).alias("transaction_id")
