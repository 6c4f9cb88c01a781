"""From royalty lines to statements: every account settled by its contracts, every payable amount rounded once.

The reference engine (`lakehouse.model.settle`) does it in two Arrow passes over sums: contract by contract what is recouped, reserved and
guaranteed; then currency by currency what payees are paid of all that is left to them, rounded together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import reduce
from typing import Any, Final
from zlib import crc32

import pyarrow as pa
from pyspark import Broadcast
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.model.accounts import Balance, Event, Line, Movement, Statement, rounded
from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import DIMENSIONS, Counter, MinimumGuarantee, Step, Usage, Withholding
from lakehouse.model.contracts import asked_by
from lakehouse.model.counting import KIND, counting_groups
from lakehouse.model.groups import account_groups, currency_groups
from lakehouse.model.settle import OF_PAYEES, Due, settle_contracts, settle_payees
from lakehouse.model.shared_costs import SHARED_OUT
from lakehouse.tables import gold, silver
from lakehouse.tables.arrow import arrow_type
from lakehouse.tables.declare import MONEY
from lakehouse.transforms.local import local_rows

_ACCOUNT: Final = ("contract_id", "contract_version", "payee", "role", "category", "currency")
_ASKED: Final = (*(d for d in DIMENSIONS if d not in ("recording", "cost_type")), "recording_id", "usage_period", "sale_date")
# What accounts ask of the way of a line: by which term it was reserved or is a producer's, whether it is a share of the income, or mechanical.
_BY_TERM: Final = ("reserve", "producer_points")
_BY_STAGE: Final = (*sorted(SHARED_OUT), "mechanical")
_STEPS: Final = (*(f"term_of_{stage}" for stage in _BY_TERM), *_BY_STAGE)
_LINE: Final = {
    **dict.fromkeys((*_ACCOUNT, *_ASKED), "string"), **dict.fromkeys(_STEPS, "string"), "amount": MONEY, "lines": "bigint",
}  # fmt: skip
_EVENT: Final = {field.name: field.type for field in silver.account_events.fields}
_BALANCE: Final = {field.name: field.type for field in gold.balances.fields if field.name != "period"}
_SUMS: Final = tuple(f.name for f in fields(Statement) if f.name not in ("period", "currency", "payee"))
_STATEMENT: Final = {"currency": "string", "payee": "string", **dict.fromkeys(_SUMS, MONEY), "lines": "bigint"}
_PARTS: Final = f"array<struct<name:string,amount:{MONEY}>>"
_DUE: Final = {"payee": "string", "currency": "string", "left": MONEY, "sums": _PARTS, "income": _PARTS, "lines": "bigint"}
_MOVEMENT: Final = {"transaction": "string", "account": "string", "kind": "string", "currency": "string", "amount": MONEY, "memo": "string"}  # fmt: skip


def _struct(columns: Mapping[str, str]) -> str:
    return "struct<" + ",".join(f"{name}:{type_}" for name, type_ in columns.items()) + ">"


def _made(**kinds: Mapping[str, str]) -> tuple[str, pa.Schema]:
    """The columns of a pass of which exactly one is there in each row, for Spark and for Arrow."""
    columns = {name: _struct(columns) for name, columns in kinds.items()}
    schema = pa.schema([(name, arrow_type(type_)) for name, type_ in columns.items()])
    return ", ".join(f"{name} {type_}" for name, type_ in columns.items()), schema


_SETTLED: Final = _made(due=_DUE, movement=_MOVEMENT, balance=_BALANCE)
_PAID: Final = _made(statement=_STATEMENT, movement=_MOVEMENT, balance=_BALANCE)

# Groups of accounts are many and small, and a pass of its own for each would cost more than settling it: so many passes take all of them.
_PASSES: Final = 16

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
    closed = _of_contracts(lines, opening, events, book)
    settled = keep(closed.groupBy("of").applyInArrow(_settler(book, period), _SETTLED[0]))
    due = settled.where("due IS NOT NULL").select("due")
    paid = keep(_of_payees(due, opening, events, book).groupBy("of").applyInArrow(_payer(book, period), _PAID[0]))
    names = {party: entry.name for party, entry in book.parties.items()}
    made = settled.select("movement", "balance").unionAll(paid.select("movement", "balance"))
    movements = made.where("movement IS NOT NULL").select("movement.*")
    balances = made.select("balance").where("balance IS NOT NULL").select("balance.*")
    if counting_groups(book):
        balances = balances.unionByName(_counted(lines))
    return Settled(
        _statements(paid.where("statement IS NOT NULL").select("statement.*"), names, period),
        movements,
        _closing(balances, period),
    )


def _of_contracts(lines: DataFrame, opening: DataFrame, events: DataFrame, book: ContractBook) -> DataFrame:
    """All that the settlement of contracts reads, by account groups: sums of lines, balances, costs and advances.

    Every group has a row of its own, so that what a contract grants or guarantees comes about without usage too. A contract that has left
    the book is a group alone: its balances stay.
    """
    spark = lines.sparkSession
    groups = account_groups(book)
    parts = {
        "line": (_sums(lines, book).withColumn("contract", F.col("contract_id")), _LINE),
        "event": (
            events.where(~F.col("event").isin(*OF_PAYEES)).withColumn("contract", F.coalesce("contract", F.lit(""))),
            _EVENT,
        ),
        "opening": (opening.where("contract_id != ''").withColumn("contract", F.col("contract_id")), _BALANCE),
    }
    known = F.broadcast(local_rows(spark, {"contract": "string", "known": "string"}, sorted(groups.items())))
    every = local_rows(spark, {"contract": "string"}, [(name,) for name in sorted(set(groups.values()))])
    united = _united(parts, "contract", every).join(known, "contract", "left")
    return united.withColumn("of", F.crc32(F.coalesce("known", "contract")) % _PASSES).select("of", *parts)


def _of_payees(due: DataFrame, opening: DataFrame, events: DataFrame, book: ContractBook) -> DataFrame:
    """All that paying out reads: what contracts leave, and balances and payments of payees, by groups of currencies converted into each other."""
    parts = {
        "due": (due.select("due.*"), _DUE),
        "event": (events.where(F.col("event").isin(*OF_PAYEES)), _EVENT),
        "opening": (opening.where("contract_id = ''"), _BALANCE),
    }
    group = F.coalesce(
        *(F.when(F.col("currency") == one, F.lit(top)) for one, top in currency_groups(book).items()), F.col("currency")
    )
    return _united(parts, "currency").withColumn("of", group).select("of", *parts)


def _united(parts: Mapping[str, tuple[DataFrame, Mapping[str, str]]], key: str, *more: DataFrame) -> DataFrame:
    """The rows of all parts, each as a struct in a column of its own, beside the key; and rows that are a key alone."""
    columns = {name: _struct(of) for name, (_, of) in parts.items()}
    empty = {name: F.lit(None).cast(type_).alias(name) for name, type_ in columns.items()}
    rows = [
        frame.select(key, *(_as(name, of) if name == part else empty[name] for name in columns))
        for part, (frame, of) in parts.items()
    ]
    return reduce(DataFrame.unionAll, [*rows, *(frame.select(key, *empty.values()) for frame in more)])


def _sums(lines: DataFrame, book: ContractBook) -> DataFrame:
    """Lines added up over all that no account asks for. Fees are of no account; the usage behind a line matters to taxes and guarantees."""
    terms = [term for contract in book.contracts for term in contract.terms]
    taxes = [term for term in terms if isinstance(term, Withholding)]
    asked: dict[str, Column] = {}
    for dimension, values in asked_by([*taxes, *(term for term in terms if isinstance(term, MinimumGuarantee))]).items():
        name = "recording_id" if dimension == "recording" else dimension
        whole = dimension == "territory" and book.rules.territory_basis == "tis"
        asked[name] = F.col(name) if whole else F.when(F.col(name).isin(*sorted(values)), F.col(name))
    if any(term.when.dated for term in taxes):
        asked |= {name: F.col(name) for name in ("usage_period", "sale_date")}
    stage, term = F.col("stages.stage"), F.col("stages.term")
    steps = {
        f"term_of_{name}": F.get(F.reverse(term), F.array_position(F.reverse(stage), name).cast("int") - 1) for name in _BY_TERM
    }
    steps |= {name: F.when(F.array_contains(stage, name), F.lit("")) for name in _BY_STAGE}
    keys = [F.col(name) for name in _ACCOUNT] + [key.alias(name) for name, key in {**asked, **steps}.items()]
    added = (
        lines.where(F.col("category").isin("payable", "reserved", "retained"))
        .groupBy(*keys)
        .agg(F.sum("amount").cast(MONEY).alias("amount"), F.count(F.lit(1)).alias("lines"))
    )
    return added.withColumns({name: F.lit(None).cast("string") for name in _ASKED if name not in asked})


def _as(name: str, columns: Mapping[str, str]) -> Column:
    return F.struct(*(F.col(column).cast(type_).alias(column) for column, type_ in columns.items())).alias(name)


def _settler(book: ContractBook, period: str) -> Callable[[pa.Table], pa.Table]:
    members: dict[int, set[str]] = {}
    for contract, group in account_groups(book).items():
        members.setdefault(crc32(group.encode()) % _PASSES, set()).add(contract)
    shared = _shared(book)

    def settle_groups(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        told = [row["line"] for row in rows if row["line"]]
        earned = settle_contracts(
            shared.value, members.get(rows[0]["of"], set()), period,
            [_balance(row["opening"]) for row in rows if row["opening"]],
            [_line(line, period) for line in told],
            [Event(**row["event"]) for row in rows if row["event"]],
        )  # fmt: skip
        counts: dict[tuple[str, str], int] = {}
        for line in told:
            if line["category"] == "payable":
                key = (line["payee"], line["currency"])
                counts[key] = counts.get(key, 0) + line["lines"]
        return _rows(_SETTLED[1], earned.movements, earned.closing, due=[_due(due, counts) for due in earned.dues])

    return settle_groups


def _payer(book: ContractBook, period: str) -> Callable[[pa.Table], pa.Table]:
    shared = _shared(book)

    def pay_currencies(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        dues = [row["due"] for row in rows if row["due"]]
        paid = settle_payees(
            shared.value, period,
            [_balance(row["opening"]) for row in rows if row["opening"]],
            [Event(**row["event"]) for row in rows if row["event"]],
            [Due(d["payee"], d["currency"], d["left"], _amounts(d["sums"]), _amounts(d["income"])) for d in dues],
        )  # fmt: skip
        settlement = rounded([paid])
        counts: dict[tuple[str, str], int] = {}
        for due in dues:
            counts[due["payee"], due["currency"]] = counts.get((due["payee"], due["currency"]), 0) + due["lines"]
        statements = [
            {**{name: getattr(s, name) for name in ("currency", "payee", *_SUMS)}, "lines": counts.get((s.payee, s.currency), 0)}
            for s in settlement.statements
        ]
        return _rows(_PAID[1], settlement.movements, settlement.closing, statement=statements)

    return pay_currencies


def _shared(book: ContractBook) -> Broadcast[ContractBook]:
    """The book, read by each worker once rather than for each group."""
    return SparkSession.active().sparkContext.broadcast(book)


def _line(row: Mapping[str, Any], period: str) -> Line:
    some: dict[str, Any] = {name: row[name] or "" for name in ("territory", "channel", "configuration", "source", "usage_period")}
    asked: dict[str, Any] = {
        name: row[name] for name in ("price_category", "sale_date", "release", "release_type", "catalog_group")
    }
    usage = Usage(recording=row["recording_id"] or "", currency=row["currency"], **some, **asked)
    told = {stage: row[f"term_of_{stage}"] for stage in _BY_TERM} | {stage: row[stage] for stage in _BY_STAGE}
    steps = tuple(Step(stage, term, Decimal(0), Decimal(0)) for stage, term in told.items() if term is not None)
    return Line(
        "", period, row["contract_id"], row["contract_version"], row["payee"], row["role"], row["category"],
        row["amount"], row["currency"], steps, usage,
    )  # fmt: skip


def _balance(row: Mapping[str, Any]) -> Balance:
    return Balance(row["kind"], row["contract_id"], row["payee"], row["currency"], row["ref"], row["amount"])


def _due(due: Due, counts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    parts = {
        name: [{"name": part, "amount": amount} for part, amount in sorted(of.items())]
        for name, of in (("sums", due.sums), ("income", due.income))
    }
    return {
        "payee": due.payee,
        "currency": due.currency,
        "left": due.left,
        **parts,
        "lines": counts.get((due.payee, due.currency), 0),
    }


def _amounts(parts: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    return {part["name"]: part["amount"] for part in parts}


def _rows(
    schema: pa.Schema, movements: Iterable[Movement], closing: Iterable[Balance], **others: list[dict[str, Any]]
) -> pa.Table:
    """Rows with exactly one column each."""
    nothing = dict.fromkeys(schema.names)
    rows: list[dict[str, Any]] = [{**nothing, name: row} for name, rows in others.items() for row in rows]
    rows += [{**nothing, "movement": _movement(movement)} for movement in movements]
    rows += [
        {**nothing, "balance": {"kind": b.kind, "contract_id": b.contract, "payee": b.payee, "currency": b.currency, "ref": b.ref, "amount": b.amount}}
        for b in closing
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


def _movement(movement: Movement) -> dict[str, Any]:
    memo = " ".join(part for part in (movement.kind.replace("_", " ").capitalize(), movement.payee, movement.source) if part)
    return {
        "transaction": movement.transaction, "account": movement.account, "kind": movement.kind, "currency": movement.currency,
        "amount": movement.amount, "memo": memo,
    }  # fmt: skip


def _statements(rows: DataFrame, names: Mapping[str, str], period: str) -> DataFrame:
    known = F.broadcast(local_rows(rows.sparkSession, {"payee": "string", "payee_name": "string"}, sorted(names.items())))
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
