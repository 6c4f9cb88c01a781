"""From royalty lines to statements: every account settled by its contracts, every payable amount rounded once.

The accounts of contracts that share a payee are settled together, by the reference engine (`lakehouse.model.settle`), one Arrow
pass for each such group; a second pass rounds what is payable, each currency as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import reduce
from typing import Any, Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.model.accounts import Balance, Event, Line, Movement, Settlement, Statement, rounded
from lakehouse.model.clauses import Counter, Step, Usage
from lakehouse.model.contracts import ContractBook
from lakehouse.model.counting import KIND, counting_groups
from lakehouse.model.groups import account_groups
from lakehouse.model.settle import settle
from lakehouse.tables import gold, silver
from lakehouse.tables.arrow import arrow_type
from lakehouse.tables.declare import MONEY
from lakehouse.transforms.groups import RELEASE

# What a clause of an account can ask of the usage behind a line.
_ASKED: Final = (
    "recording_id", *RELEASE, "territory", "channel", "configuration", "price_category", "source", "usage_period", "sale_date",
)  # fmt: skip
_ACCOUNT: Final = ("contract_id", "contract_version", "payee", "role", "category", "currency")
_LINE: Final = {
    "line_id": "string", **dict.fromkeys((*_ACCOUNT, *_ASKED), "string"), "amount": MONEY, "lines": "bigint",
    "steps": "array<struct<stage:string,term:string>>",
}  # fmt: skip
_EVENT: Final = {field.name: field.type for field in silver.account_events.fields}
_BALANCE: Final = {field.name: field.type for field in gold.balances.fields if field.name != "period"}
_SUMS: Final = tuple(f.name for f in fields(Statement) if f.name not in ("period", "currency", "payee"))
_STATEMENT: Final = {"currency": "string", "payee": "string", **dict.fromkeys(_SUMS, MONEY), "lines": "bigint"}
_MOVEMENT: Final = {"transaction": "string", "account": "string", "kind": "string", "currency": "string", "amount": MONEY, "memo": "string"}  # fmt: skip


def _struct(columns: Mapping[str, str]) -> str:
    return "struct<" + ",".join(f"{name}:{type_}" for name, type_ in columns.items()) + ">"


# One row of what a settlement makes: exactly one of the three is there.
_MADE: Final = {"statement": _struct(_STATEMENT), "movement": _struct(_MOVEMENT), "balance": _struct(_BALANCE)}
_MADE_DDL: Final = ", ".join(f"{name} {type_}" for name, type_ in _MADE.items())
_MADE_SCHEMA: Final = pa.schema([(name, arrow_type(type_)) for name, type_ in _MADE.items()])

Keep = Callable[["DataFrame"], "DataFrame"]


@dataclass(frozen=True)
class Settled:
    """Of one period: gold.statements, movements (transaction, account, kind, currency, amount, memo), and gold.balances."""

    statements: DataFrame
    movements: DataFrame
    balances: DataFrame


def settle_accounts(
    lines: DataFrame, opening: DataFrame, events: DataFrame, book: ContractBook, period: str, keep: Keep = lambda rows: rows
) -> Settled:
    """Settles every account of the book for a period.

    `lines`: gold.royalty_lines of the period; `opening`: gold.balances of the period before; `events`: silver.account_events of the
    period. Raises (from the engine) ValueError where the book has no rate of exchange that a payee's currency needs.
    """
    entries = _entries(lines, opening, events, book)
    settled = keep(entries.groupBy("account_group").applyInArrow(_settler(book, period), _MADE_DDL))
    due = settled.where("statement IS NOT NULL").select("statement.*")
    paid = keep(due.groupBy("currency").applyInArrow(_rounder(period), _MADE_DDL))
    names = {party: entry.name for party, entry in book.parties.items()}
    movements = settled.unionAll(paid).where("movement IS NOT NULL").select("movement.*")
    balances = settled.unionAll(paid).where("balance IS NOT NULL").select("balance.*")
    if counting_groups(book):
        balances = balances.unionByName(_counted(lines))
    return Settled(
        _statements(paid.where("statement IS NOT NULL").select("statement.*"), names, period),
        movements,
        _closing(balances, period),
    )


def _entries(lines: DataFrame, opening: DataFrame, events: DataFrame, book: ContractBook) -> DataFrame:
    """All that settlement reads, by account group: lines as sums over what no account clause can ask for, balances, events.

    Every group has a row of its own, so that what a contract grants or guarantees comes about without usage too.
    """
    spark = lines.sparkSession
    groups = account_groups(book)
    known = F.broadcast(spark.createDataFrame(sorted(groups.items()), "member string, account_group string"))
    steps = F.transform("stages", lambda s: F.struct(s["stage"].alias("stage"), s["term"].alias("term")))
    sums = (
        lines.withColumn("steps", steps)
        .groupBy(*_ACCOUNT, *_ASKED, "steps")
        .agg(F.min("line_id").alias("line_id"), F.sum("amount").cast(MONEY).alias("amount"), F.count(F.lit(1)).alias("lines"))
    )
    parts = {
        "line": (sums.withColumn("contract", F.col("contract_id")), _LINE),
        "event": (events, _EVENT),
        "opening": (opening.withColumn("contract", F.col("contract_id")), _BALANCE),
    }
    columns = {name: _struct(of) for name, (_, of) in parts.items()}
    rows = [
        frame.select("contract", "payee", *(_as(name, of) if name == part else F.lit(None).cast(type_).alias(name) for name, type_ in columns.items()))
        for part, (frame, of) in parts.items()
    ]  # fmt: skip
    every = spark.createDataFrame([(name, "") for name in sorted(set(groups.values()))], "contract string, payee string")
    rows.append(every.select("contract", "payee", *(F.lit(None).cast(type_).alias(name) for name, type_ in columns.items())))
    by_contract, by_payee = known.toDF("contract", "of_contract"), known.toDF("payee", "of_payee")
    united = reduce(DataFrame.unionAll, rows).join(by_contract, "contract", "left").join(by_payee, "payee", "left")
    # Who is paid by no contract of the book any more is a group alone: the balance stays.
    return united.withColumn("account_group", F.coalesce("of_contract", "of_payee", "payee")).select("account_group", *columns)


def _as(name: str, columns: Mapping[str, str]) -> Column:
    return F.struct(*(F.col(column).cast(type_).alias(column) for column, type_ in columns.items())).alias(name)


def _settler(book: ContractBook, period: str) -> Callable[[pa.Table], pa.Table]:
    members: dict[str, set[str]] = {}
    contracts = {contract.contract for contract in book.contracts}
    for member, group in account_groups(book).items():
        if member in contracts:
            members.setdefault(group, set()).add(member)

    def settle_group(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        group = rows[0]["account_group"]
        told = [row["line"] for row in rows if row["line"]]
        settlement = settle(
            book, members.get(group, {group}), period,
            [_balance(row["opening"]) for row in rows if row["opening"]],
            [_line(line, period) for line in told],
            [Event(**row["event"]) for row in rows if row["event"]],
        )  # fmt: skip
        counts: dict[tuple[str, str], int] = {}
        for line in told:
            if line["category"] == "payable":
                key = (line["payee"], line["currency"])
                counts[key] = counts.get(key, 0) + line["lines"]
        return _made(settlement, counts)

    return settle_group


def _rounder(period: str) -> Callable[[pa.Table], pa.Table]:
    def round_currency(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        counts = {(row["payee"], row["currency"]): row["lines"] for row in rows}
        due = [Statement(period, row["currency"], row["payee"], **{name: row[name] for name in _SUMS}) for row in rows]
        # A payee of two groups, in one currency, has one statement.
        return _made(rounded([Settlement((), tuple(due), ())]), counts)

    return round_currency


def _line(row: Mapping[str, Any], period: str) -> Line:
    usage = Usage(
        recording=row["recording_id"], currency=row["currency"], **{name: row[name] for name in _ASKED if name != "recording_id"}
    )  # fmt: skip
    steps = tuple(Step(step["stage"], step["term"], Decimal(0), Decimal(0)) for step in row["steps"])
    return Line(
        row["line_id"], period, row["contract_id"], row["contract_version"], row["payee"], row["role"], row["category"],
        row["amount"], row["currency"], steps, usage,
    )  # fmt: skip


def _balance(row: Mapping[str, Any]) -> Balance:
    return Balance(row["kind"], row["contract_id"], row["payee"], row["currency"], row["ref"], row["amount"])


def _made(settlement: Settlement, counts: Mapping[tuple[str, str], int]) -> pa.Table:
    nothing = dict.fromkeys(_MADE)
    rows: list[dict[str, Any]] = []
    for one in settlement.statements:
        told = {name: getattr(one, name) for name in ("currency", "payee", *_SUMS)}
        rows.append({**nothing, "statement": {**told, "lines": counts.get((one.payee, one.currency), 0)}})
    rows += [{**nothing, "movement": _movement(movement)} for movement in settlement.movements]
    for b in settlement.closing:
        kept = {
            "kind": b.kind,
            "contract_id": b.contract,
            "payee": b.payee,
            "currency": b.currency,
            "ref": b.ref,
            "amount": b.amount,
        }
        rows.append({**nothing, "balance": kept})
    return pa.Table.from_pylist(rows, schema=_MADE_SCHEMA)


def _movement(movement: Movement) -> dict[str, Any]:
    memo = " ".join(part for part in (movement.kind.replace("_", " ").capitalize(), movement.payee, movement.source) if part)
    return {
        "transaction": movement.transaction, "account": movement.account, "kind": movement.kind, "currency": movement.currency,
        "amount": movement.amount, "memo": memo,
    }  # fmt: skip


def _statements(rows: DataFrame, names: Mapping[str, str], period: str) -> DataFrame:
    spark = rows.sparkSession
    known = F.broadcast(spark.createDataFrame(sorted(names.items()), "payee string, payee_name string"))
    identity = F.concat_ws("-", F.lit(period), "currency", "payee")
    told = rows.join(known, "payee", "left").withColumn("payee_name", F.coalesce("payee_name", "payee"))
    return told.withColumn("statement_id", identity).withColumn("period", F.lit(period)).select(*gold.statements.columns)


def _counted(lines: DataFrame) -> DataFrame:
    """What lines have counted, as balances."""
    told = lines.where("counts IS NOT NULL").select(F.explode("counts").alias("one"))
    empty = {name: F.lit("") for name in ("contract_id", "payee")}
    return told.select(
        F.lit(KIND).alias("kind"), F.col("one.currency").alias("currency"), F.col("one.counter").alias("ref"),
        F.col("one.size").alias("amount"), *(value.alias(name) for name, value in empty.items()),
    )  # fmt: skip


def counts_before(opening: DataFrame, taken_back: DataFrame) -> dict[Counter, Decimal]:
    """How far each count of an escalation has come: by the balances before the period, less what its reversals take back."""
    counts = opening.where(F.col("kind") == KIND).select("ref", "currency", "amount")
    every = (
        counts.unionByName(_counted(taken_back).select("ref", "currency", "amount"))
        .groupBy("ref", "currency")
        .agg(F.sum("amount"))
    )
    return {(ref, currency): amount for ref, currency, amount in every.collect()}


def _closing(balances: DataFrame, period: str) -> DataFrame:
    """What each account holds after the period: of one key the parts of both passes together, and nothing where that is nought."""
    keys = [name for name in _BALANCE if name != "amount"]
    return (
        balances.groupBy(*keys)
        .agg(F.sum("amount").cast(MONEY).alias("amount"))
        .where("amount != 0")
        .withColumn("period", F.lit(period))
        .select(*gold.balances.columns)
    )


def opening_balances(balances: DataFrame, closed: Iterable[str], period: str) -> DataFrame:
    """gold.balances of the latest closed period before this one. Every closing set is whole."""
    earlier = [p for p in closed if p < period]
    return balances.where(F.col("period") == max(earlier)) if earlier else balances.where("false")
