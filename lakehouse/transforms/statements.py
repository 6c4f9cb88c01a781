"""From royalty lines to statements: the balance of each payee, rounded once."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from lakehouse.model.contracts import ContractBook
from lakehouse.model.money import ZERO, add, minor_digits, round_together
from lakehouse.tables import gold
from lakehouse.tables.arrow import arrow_schema

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def opening_balances(statements: DataFrame, period: str) -> DataFrame:
    """[currency, payee, opening]: what each account carried at the end of its latest published statement."""
    return (
        statements.where(F.col("period") < period)
        .groupBy("currency", "payee")
        .agg(F.max_by("carried", "period").alias("opening"))
        .where("opening != 0")
    )


def state(lines: DataFrame, opening: DataFrame, book: ContractBook, period: str) -> DataFrame:
    """gold.statements: one for each payee and currency with royalty lines or an opening balance.

    A positive balance is payable, rounded to the currency's minor unit together with all others of that currency; a
    negative one is carried.
    """
    earned = (
        lines.where("category = 'payable'")
        .groupBy("currency", "payee")
        .agg(F.sum("amount").alias("earned"), F.count(F.lit(1)).alias("lines"))
    )
    accounts = earned.join(opening, ["currency", "payee"], "full").select(
        "currency", "payee",
        F.coalesce("opening", F.lit(ZERO)).alias("opening"),
        F.coalesce("earned", F.lit(ZERO)).alias("earned"),
        F.coalesce("lines", F.lit(0)).alias("lines"),
    )  # fmt: skip
    schema = arrow_schema(gold.statements)
    names = {party: entry.name for party, entry in book.parties.items()}

    def statements_of_currency(table: pa.Table) -> pa.Table:
        return pa.Table.from_pylist(_statements(table.to_pylist(), names, period), schema=schema)

    return accounts.groupBy("currency").applyInArrow(statements_of_currency, gold.statements.ddl.replace(" NOT NULL", ""))


def _statements(accounts: list[dict[str, Any]], names: dict[str, str], period: str) -> list[dict[str, Any]]:
    accounts = sorted(accounts, key=lambda account: account["payee"])
    balances = {a["payee"]: add(a["opening"], a["earned"]) for a in accounts}
    positive = {payee: balance for payee, balance in balances.items() if balance > 0}
    payable = round_together(positive, minor_digits(accounts[0]["currency"]))
    return [_statement(a, balances[a["payee"]], payable.get(a["payee"]), names, period) for a in accounts]


def _statement(
    account: dict[str, Any], balance: Decimal, payable: Decimal | None, names: dict[str, str], period: str
) -> dict[str, Any]:
    payee, currency = account["payee"], account["currency"]
    none = dict.fromkeys(("deducted", "recouped", "reserved", "taxed"), ZERO)
    return {
        **account, **none,
        "period": period,
        "statement_id": f"{period}-{currency}-{payee}",
        "payee_name": names.get(payee, payee),
        "payable": ZERO if payable is None else add(payable),
        "carried": balance if payable is None else ZERO,
        "rounding": ZERO if payable is None else add(payable, balance.copy_negate()),
    }  # fmt: skip
