"""The sums of a published period, recomputed: statements, balances, ledger, conservation, logical partitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from typing import Any

from lakehouse.model.content_root import EMPTY_ROOT
from lakehouse.store.evidence import Finding
from lakehouse.store.reader import LakeReader
from lakehouse.tables import Table, gold

# The columns of a logical partition, within a period.
PARTITION = ("currency", "payee")
# What a payee is owed and has not been stated as payable yet.
_ACCRUED = "liabilities:accrued:"


def _of(reader: LakeReader, name: str, period: str) -> str:
    return reader.relation(name, where={"period": period})


def _check_statements(reader: LakeReader, period: str) -> Iterable[Finding]:
    """opening + earned - deducted - recouped - reserved - taxed + converted = payable + carried - rounding."""
    query = f"""
        SELECT statement_id, opening + earned - deducted - recouped - reserved - taxed + converted AS due,
            payable + carried - rounding AS settled
        FROM {_of(reader, gold.statements.name, period)} WHERE due <> settled ORDER BY 1
    """
    for row in reader.sql(query):
        message = f"Statement {row['statement_id']}: {_differs('due', row['due'], 'settled', row['settled'])}"
        yield Finding("statement_arithmetic", f"gold.statements/{row['statement_id']}", message)


def _check_openings(reader: LakeReader, period: str) -> Iterable[Finding]:
    """A statement opens with what the account's latest earlier statement carried; a carried balance is not dropped."""
    query = f"""
        WITH before AS (
            SELECT currency, payee, arg_max(carried, period) AS carried FROM {reader.relation(gold.statements.name)}
            WHERE period < ? GROUP BY ALL)
        SELECT currency, payee, coalesce(now.opening, 0) AS opening, coalesce(before.carried, 0) AS carried
        FROM {_of(reader, gold.statements.name, period)} now FULL JOIN before USING (currency, payee)
        WHERE coalesce(now.opening, 0) <> coalesce(before.carried, 0) ORDER BY ALL
    """
    for row in reader.sql(query, [period]):
        difference = _differs("carried before", row["carried"], "opening", row["opening"])
        message = f"{period}, {row['payee']}, {row['currency']}: {difference}"
        yield Finding("balance_broken", f"gold.statements/{period}-{row['currency']}-{row['payee']}", message)


def _check_earned(reader: LakeReader, period: str) -> Iterable[Finding]:
    """What the books call earned is the sum of the payee's payable royalty lines, and a statement counts those lines."""
    query = f"""
        WITH summed AS (
            SELECT currency, payee, sum(amount) AS amount, count(*) AS lines
            FROM {_of(reader, gold.royalty_lines.name, period)} WHERE category = 'payable' GROUP BY ALL),
        booked AS (
            SELECT currency, substr(account, {len(_ACCRUED) + 1}) AS payee, -sum(amount) AS amount
            FROM {_of(reader, gold.ledger.name, period)} WHERE kind = 'earned' AND starts_with(account, '{_ACCRUED}') GROUP BY ALL)
        SELECT currency, payee, coalesce(booked.amount, 0) AS stated, coalesce(summed.amount, 0) AS found,
            coalesce(s.lines, 0) AS stated_lines, coalesce(summed.lines, 0) AS found_lines
        FROM {_of(reader, gold.statements.name, period)} s FULL JOIN summed USING (currency, payee)
        FULL JOIN booked USING (currency, payee)
        WHERE stated <> found OR stated_lines <> found_lines ORDER BY ALL
    """
    for row in reader.sql(query):
        difference = _differs("sum of royalty lines", row["found"], "booked as earned", row["stated"])
        counts = f"{row['found_lines']} lines are there, {row['stated_lines']} are stated."
        message = f"{period}, {row['payee']}, {row['currency']}: {difference} {counts}"
        yield Finding("totals_mismatch", f"gold.statements/{period}-{row['currency']}-{row['payee']}", message)


def _check_accrued(reader: LakeReader, period: str) -> Iterable[Finding]:
    """What the books move on a payee's account, before it is paid, is what the statement says."""
    query = f"""
        WITH moved AS (
            SELECT currency, substr(account, {len(_ACCRUED) + 1}) AS payee, -sum(amount) AS amount
            FROM {_of(reader, gold.ledger.name, period)}
            WHERE starts_with(account, '{_ACCRUED}') AND kind NOT IN ('payable', 'rounding') GROUP BY ALL)
        SELECT currency, payee, coalesce(moved.amount, 0) AS found,
            coalesce(s.earned - s.deducted - s.recouped - s.reserved - s.taxed + s.converted, 0) AS stated
        FROM {_of(reader, gold.statements.name, period)} s FULL JOIN moved USING (currency, payee)
        WHERE stated <> found ORDER BY ALL
    """
    for row in reader.sql(query):
        difference = _differs("moved in the ledger", row["found"], "stated", row["stated"])
        message = f"{period}, {row['payee']}, {row['currency']}: {difference}"
        yield Finding("totals_mismatch", f"gold.statements/{period}-{row['currency']}-{row['payee']}", message)


def _check_ledger(reader: LakeReader, period: str) -> Iterable[Finding]:
    """The postings of a transaction add up to zero in each currency."""
    query = f"""
        SELECT transaction_id, currency, sum(amount) AS off FROM {_of(reader, gold.ledger.name, period)}
        GROUP BY ALL HAVING sum(amount) <> 0 ORDER BY ALL
    """
    for row in reader.sql(query):
        message = f"Transaction {row['transaction_id']} is off balance by {row['off']:f} {row['currency']}."
        yield Finding("ledger_unbalanced", f"gold.ledger/{row['transaction_id']}", message)


def _check_conservation(reader: LakeReader, period: str) -> Iterable[Finding]:
    """For each file and currency, revenue and what was added to holds are all accounted for."""
    query = f"""
        SELECT file_id, currency, difference, revenue + adjusted - payable - retained - fees - tax - held - quarantined AS missing
        FROM {_of(reader, gold.conservation.name, period)} WHERE difference <> 0 OR missing <> 0 ORDER BY ALL
    """
    for row in reader.sql(query):
        message = (
            f"File {row['file_id']}: {row['missing']:f} {row['currency']} is not accounted for; stated is {row['difference']:f}."
        )
        yield Finding("conservation_broken", f"gold.conservation/{row['file_id']}/{row['currency']}", message)


def _check_holding(reader: LakeReader, period: str) -> Iterable[Finding]:
    """What leaves holding is what was held, with what was added to it, and it leaves once."""
    standing = ", ".join(f"'{entry}'" for entry in gold.STANDING_ENTRIES)
    query = f"""
        WITH entries AS (SELECT * FROM {reader.relation(gold.holding.name)} WHERE period <= ?),
        taken AS (
            SELECT releases, -sum(amount) AS amount, count(*) AS times FROM entries WHERE entry NOT IN ({standing})
            GROUP BY 1 HAVING max(period) = ?),
        held AS (
            SELECT coalesce(releases, entry_id) AS releases, sum(amount) AS amount FROM entries WHERE entry IN ({standing}) GROUP BY 1)
        SELECT releases, taken.amount AS went, coalesce(held.amount, 0) AS was, times FROM taken LEFT JOIN held USING (releases)
        WHERE went <> was OR times > 1 ORDER BY 1
    """
    for row in reader.sql(query, [period, period]):
        message = f"Hold {row['releases']}: {_differs('held', row['was'], 'taken away', row['went'])} It is taken away {row['times']} times."
        yield Finding("holding_broken", f"gold.holding/{row['releases']}", message)


def check_partitions(reader: LakeReader, period: str, roots: Mapping[tuple[str, ...], tuple[int, str]]) -> Iterable[Finding]:
    """Each logical partition of the royalty lines has the rows, total and root that gold.partitions states.

    `roots` are those of the royalty lines: {(currency, payee): (rows, root)}.
    """
    totals = f"SELECT currency, payee, sum(amount) AS total FROM {_of(reader, gold.royalty_lines.name, period)} GROUP BY ALL"
    sums = {(row["currency"], row["payee"]): row["total"] for row in reader.sql(totals)}
    found: dict[tuple[str, ...], tuple[Any, ...]] = {
        key: (rows, sums[key[0], key[1]], root) for key, (rows, root) in roots.items()
    }
    stated = {
        (row["currency"], row["payee"]): (row["rows"], row["total"], row["root"])
        for row in reader.sql(f"SELECT currency, payee, rows, total, root FROM {_of(reader, gold.partitions.name, period)}")
    }
    nothing = (0, Decimal(0), EMPTY_ROOT)
    for key in sorted({*found, *stated}):
        (rows, total, root), (said_rows, said_total, said_root) = found.get(key, nothing), stated.get(key, nothing)
        if (rows, total, root) != (said_rows, said_total, said_root):
            yield Finding(
                "root_mismatch",
                f"gold.partitions/{period}/{key[0]}/{key[1]}",
                f"{period}, {key[0]}, {key[1]}: {rows} royalty lines of {total:f} with root {root}; "
                f"stated are {said_rows} of {said_total:f} with {said_root}.",
            )


def _differs(expected_name: str, expected: Decimal, found_name: str, found: Decimal) -> str:
    return f"{expected_name} {expected:f}, {found_name} {found:f}, difference {_minus(found, expected):f}."


def _minus(one: Decimal, other: Decimal) -> Decimal:
    """Exact, where the default context would round to 28 digits."""
    return Context(prec=80).subtract(one, other)


# Each rule with the tables it reads, the one it judges first.
ARITHMETIC: tuple[tuple[Callable[[LakeReader, str], Iterable[Finding]], tuple[Table, ...]], ...] = (
    (_check_statements, (gold.statements,)),
    (_check_openings, (gold.statements,)),
    (_check_earned, (gold.statements, gold.royalty_lines, gold.ledger)),
    (_check_accrued, (gold.statements, gold.ledger)),
    (_check_ledger, (gold.ledger,)),
    (_check_conservation, (gold.conservation,)),
    (_check_holding, (gold.holding,)),
)
