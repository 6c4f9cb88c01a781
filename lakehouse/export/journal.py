"""The ledger as a plain-text journal that beancount and hledger accept in their strictest modes.

All postings of a transaction in one currency are written with as many decimals as the longest needs, so that the tools'
tolerance is half of a digit that no amount has: an imbalance of the last digit is an error to them too.
"""

from __future__ import annotations

import calendar
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from lakehouse.errors import Findings
from lakehouse.export import Exported, sums
from lakehouse.store.reader import LakeReader
from lakehouse.tables import gold
from lakehouse.views.common import write_money

# The five roots of double entry; beancount knows no others.
_ROOTS = {"assets": "Assets", "liabilities": "Liabilities", "equity": "Equity", "income": "Income", "expenses": "Expenses"}
_HLEDGER_PART = re.compile(r"[\w.&/-]+( [\w.&/-]+)*")


@dataclass(frozen=True)
class Posting:
    account: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Transaction:
    """One balanced booking; `date` is the last day of its period."""

    id: str
    date: str
    memo: str
    postings: tuple[Posting, ...]

    def decimals(self, currency: str) -> int:
        written = (write_money(p.amount, currency).partition(".")[2] for p in self.postings if p.currency == currency)
        return max(len(digits) for digits in written)


def journal_beancount(reader: LakeReader, period: str) -> list[Exported]:
    """journal-<period>.beancount, complete in itself: accounts are opened on the first day of the period."""
    transactions = _transactions(reader, period)
    names = _renamed(transactions, _beancount_account)
    currencies = sorted({p.currency for t in transactions for p in t.postings})
    head = [f'option "title" "Royalties {period}"', *(f'option "operating_currency" "{c}"' for c in currencies), ""]
    opened = [
        f'{period}-01 open {name}\n  name: "{account}"' for account, name in sorted(names.items(), key=lambda pair: pair[1])
    ]
    booked = [
        "\n".join([f'\n{t.date} * "{_quoted(t.memo)}"', f'  transaction_id: "{_quoted(t.id)}"', *_postings(t, names)])
        for t in transactions
    ]
    return [_exported(f"journal-{period}.beancount", [*head, *opened, *booked], transactions)]


def journal_hledger(reader: LakeReader, period: str) -> list[Exported]:
    """journal-<period>.journal, with every account and commodity declared, as `hledger check --strict` asks."""
    transactions = _transactions(reader, period)
    names = _renamed(transactions, _hledger_account)
    decimals: dict[str, int] = defaultdict(int)
    for t in transactions:
        for p in t.postings:
            decimals[p.currency] = max(decimals[p.currency], t.decimals(p.currency))
    # hledger balances to the decimals of the commodity's directive: as many as the most exact amount has, never fewer.
    commodities = [f"commodity 0.{'0' * digits} {currency}" for currency, digits in sorted(decimals.items())]
    accounts = [f"account {name}" for name in sorted(names.values())]
    booked = [
        "\n".join([f"\n{t.date} * {_one_line(t.memo)}  ; transaction_id: {_one_line(t.id)}", *_postings(t, names)])
        for t in transactions
    ]
    return [
        _exported(
            f"journal-{period}.journal",
            [f"; Royalties {period}", "decimal-mark .", *commodities, *accounts, *booked],
            transactions,
        )
    ]


def _transactions(reader: LakeReader, period: str) -> list[Transaction]:
    """The transactions of a period in order of id, their postings of account. Raises Findings where one is off balance."""
    query = f"""
        SELECT transaction_id, account, currency, amount, memo FROM {reader.relation(gold.ledger.name, where={"period": period})}
        ORDER BY transaction_id, currency, account, amount
    """
    by_id: dict[str, list[tuple[Posting, str]]] = defaultdict(list)
    for row in reader.sql(query):
        by_id[row["transaction_id"]].append((Posting(row["account"], row["amount"], row["currency"]), row["memo"]))
    last_day = f"{period}-{calendar.monthrange(int(period[:4]), int(period[5:]))[1]}"
    found = [Transaction(id_, last_day, rows[0][1], tuple(p for p, _ in rows)) for id_, rows in by_id.items()]
    for t in found:
        off = sums([{"currency": p.currency, "amount": p.amount} for p in t.postings], "amount")
        if wrong := {currency: amount for currency, amount in off.items() if Decimal(amount)}:
            raise Findings(f"Transaction {t.id} is off balance by {wrong}. Nothing was exported; run `lakehouse verify`.")
    return found


def _postings(t: Transaction, names: dict[str, str]) -> Iterable[str]:
    width = max(len(names[p.account]) for p in t.postings)
    for p in t.postings:
        yield f"  {names[p.account]:<{width}}  {p.amount if p.amount else Decimal(0):.{t.decimals(p.currency)}f} {p.currency}"


def _exported(name: str, parts: list[str], transactions: list[Transaction]) -> Exported:
    """`totals` of a journal are its debits by currency."""
    debits = [{"currency": p.currency, "amount": p.amount} for t in transactions for p in t.postings if p.amount > 0]
    return Exported(name, ("\n".join(parts) + "\n").encode(), len(transactions), sums(debits, "amount"))


def _renamed(transactions: list[Transaction], rename: Callable[[str], str]) -> dict[str, str]:
    """{account: its name in the journal}. Two accounts that would share a name are told apart by a digest of their own."""
    names: dict[str, str] = {}
    for account in sorted({p.account for t in transactions for p in t.postings}):
        name = rename(account)
        names[account] = _with_digest(name, account) if name in names.values() else name
    return names


def _with_digest(name: str, account: str) -> str:
    return f"{name}-{hashlib.sha256(account.encode()).hexdigest()[:8]}"


def _beancount_account(account: str) -> str:
    """``liabilities:payable:A-LUNA`` is ``Liabilities:Payable:A-LUNA``; what cannot be spelt becomes a dash and a digest."""
    root, *parts = account.split(":")
    if root not in _ROOTS:
        raise Findings(f"Account {account!r} does not begin with one of {', '.join(_ROOTS)}. Nothing was exported.")
    spelt = [re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-") for part in parts]
    spelt = [part[:1].upper() + part[1:] or "X" for part in spelt]
    name = ":".join([_ROOTS[root], *spelt])
    lossy = any(re.sub(r"[_ .]", "-", part).casefold() != kept.casefold() for part, kept in zip(parts, spelt, strict=True))
    return _with_digest(name, account) if lossy else name


def _hledger_account(account: str) -> str:
    """As it stands, unless it holds what hledger would read as something else: two blanks, a semicolon, a bracket."""
    parts = account.split(":")
    if all(_HLEDGER_PART.fullmatch(part) for part in parts):
        return account
    return _with_digest(":".join(re.sub(r"[^\w.&/-]+", "-", part).strip("-") or "x" for part in parts), account)


def _quoted(text: str) -> str:
    return _one_line(text).replace("\\", "\\\\").replace('"', '\\"')


def _one_line(text: str) -> str:
    """On one line, and without what starts a comment or cuts off a payee in a journal."""
    return re.sub(r"\s+", " ", re.sub(r"[;|]", ",", text)).strip()
