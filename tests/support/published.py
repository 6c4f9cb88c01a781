"""A small published lake, whose sums can be done in the head, written without a JVM.

2026-05: report R1 of distrokid_13 brings 10 EUR: 6 to A-LUNA, 1.5 retained by P-LABEL, 1 fee to P-DIST, 1 held, 0.5 quarantined.
A-LUNA is paid 6. 2026-06: report R2 brings 4 EUR: 4.001 to A-LUNA, -0.001 to B-SOL (carried).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakehouse.model.content_root import Root, content_root, leaf, plain
from lakehouse.store.manifest import build_manifest, publication, write_manifest
from lakehouse.store.reader import LakeReader
from lakehouse.tables import Table, gold
from lakehouse.tables.declare import MONEY
from tests.support.lake import append, arrow_table

WHEN = datetime(2026, 7, 1, tzinfo=timezone.utc)
FILES = {"2026-05": hashlib.sha256(b"R1").hexdigest(), "2026-06": hashlib.sha256(b"R2").hexdigest()}
KEYS = {"2026-05": "a" * 64, "2026-06": "b" * 64}


def line(period: str, payee: str, category: str, amount: str, base: str, **more: Any) -> dict[str, Any]:
    """A royalty line of the period's one report."""
    identity = hashlib.sha256(f"{period}{payee}{category}".encode()).hexdigest()[:32]
    stages = [
        {"stage": "fee", "term": "10 %", "amount_in": Decimal(base), "amount_out": Decimal(base)},
        {"stage": "share", "term": None, "amount_in": Decimal(base), "amount_out": Decimal(amount)},
    ]
    return {
        "period": period,
        "line_id": identity,
        "kind": "royalty",
        "file_id": FILES[period],
        "source": "distrokid_13",
        "report_period": period,
        "usage_period": "2026-04",
        "meaning": "generation",
        "channel": "Spotify",
        "configuration": "stream",
        "territory": "DE",
        "currency": "EUR",
        "usage_key": KEYS[period],
        "recording_id": "QZABC2600001",
        "contract_id": "C-1",
        "contract_version": "1",
        "payee": payee,
        "role": "artist",
        "category": category,
        "usage_lines": 2,
        "units": "3",
        "base": base,
        "amount": amount,
        "stages": stages,
        **more,
    }


def statement(
    period: str, payee: str, earned: str, payable: str, opening: str = "0", carried: str = "0", rounding: str = "0"
) -> dict[str, Any]:
    nothing = dict.fromkeys(("deducted", "recouped", "reserved", "taxed", "converted", "unrecouped", "held"), "0")
    return nothing | {
        "period": period,
        "statement_id": f"{period}-EUR-{payee}",
        "currency": "EUR",
        "payee": payee,
        "payee_name": f"={payee} & Co",
        "opening": opening,
        "earned": earned,
        "payable": payable,
        "carried": carried,
        "rounding": rounding,
        "lines": 1,
    }


def balance(period: str, kind: str, payee: str, amount: str) -> dict[str, Any]:
    return {"period": period, "kind": kind, "contract_id": "", "payee": payee, "currency": "EUR", "ref": "", "amount": amount}


def postings(period: str, subject: str, memo: str, amounts: Mapping[str, str], kind: str = "report") -> list[dict[str, Any]]:
    return [
        {
            "period": period,
            "transaction_id": f"{period}-EUR-{subject}",
            "kind": kind,
            "account": account,
            "currency": "EUR",
            "amount": amount,
            "memo": memo,
        }
        for account, amount in amounts.items()
    ]


def may() -> dict[str, list[dict[str, Any]]]:
    period = "2026-05"
    group = {key: value for key, value in line(period, "", "", "0", "0").items() if key in gold.GROUP}
    return {
        "gold.royalty_lines": [
            line(period, "A-LUNA", "payable", "6", "10"),
            line(period, "P-LABEL", "retained", "1.5", "10"),
            line(period, "P-DIST", "fee", "1.000000000000000001", "10"),
        ],
        "gold.holding": [
            {
                **group,
                "period": period,
                "entry_id": "e" * 32,
                "entry": "hold",
                "reason": "UNCLAIMED",
                "held_since": period,
                "usage_lines": 1,
                "units": "1",
                "amount": "0.999999999999999999",
            },
        ],
        "gold.statements": [statement(period, "A-LUNA", "6", "6")],
        "gold.ledger": [
            *postings(
                period,
                "report-R1",
                'Report of "distrokid_13"; May',
                {
                    "income:royalties:C-1": "-6",
                    "income:retained:P-LABEL": "-1.5",
                    "liabilities:fees:P-DIST": "-1.000000000000000001",
                    "liabilities:holding": "-0.999999999999999999",
                    "assets:receivable:distrokid_13": "9.5",
                },
            ),
            *postings(
                period, "earned-A-LUNA", "Earned", {"expenses:royalties:C-1": "6", "liabilities:accrued:A-LUNA": "-6"}, "earned"
            ),
            *postings(
                period,
                "statement-A-LUNA",
                "Statement of A-LUNA",
                {"liabilities:accrued:A-LUNA": "6", "liabilities:payable:A-LUNA": "-6"},
                "payable",
            ),
        ],
        "gold.balances": [balance(period, "payable", "A-LUNA", "6")],
        "gold.conservation": [
            {
                "period": period,
                "file_id": FILES[period],
                "source": "distrokid_13",
                "currency": "EUR",
                "revenue": "10",
                "payable": "6",
                "retained": "1.5",
                "fees": "1.000000000000000001",
                "tax": "0",
                "held": "0.999999999999999999",
                "quarantined": "0.5",
                "adjusted": "0",
                "difference": "0",
            },
        ],
    }


def june() -> dict[str, list[dict[str, Any]]]:
    period = "2026-06"
    return {
        "gold.royalty_lines": [line(period, "A-LUNA", "payable", "4.001", "4"), line(period, "B-SOL", "payable", "-0.001", "4")],
        "gold.holding": [],
        "gold.statements": [
            statement(period, "A-LUNA", "4.001", "4", rounding="-0.001"),
            statement(period, "B-SOL", "-0.001", "0", carried="-0.001"),
        ],
        "gold.ledger": [
            *postings(
                period,
                "report-R2",
                "Report of distrokid_13",
                {
                    "income:royalties:C-1": "-4",
                    "assets:receivable:distrokid_13": "4",
                },
            ),
            *postings(
                period,
                "earned-A-LUNA",
                "Earned",
                {"expenses:royalties:C-1": "4.001", "liabilities:accrued:A-LUNA": "-4.001"},
                "earned",
            ),
            *postings(
                period,
                "earned-B-SOL",
                "Earned",
                {"expenses:royalties:C-1": "-0.001", "liabilities:accrued:B-SOL": "0.001"},
                "earned",
            ),
            *postings(
                period,
                "statement-A-LUNA",
                "Statement of A-LUNA",
                {"liabilities:accrued:A-LUNA": "4.001", "income:rounding": "-0.001", "liabilities:payable:A-LUNA": "-4"},
                "payable",
            ),
        ],
        "gold.balances": [balance(period, "payable", "A-LUNA", "10"), balance(period, "carried", "B-SOL", "-0.001")],
        "gold.conservation": [
            {
                "period": period,
                "file_id": FILES[period],
                "source": "distrokid_13",
                "currency": "EUR",
                "revenue": "4",
                "payable": "4",
                "retained": "0",
                "fees": "0",
                "tax": "0",
                "held": "0",
                "quarantined": "0",
                "adjusted": "0",
                "difference": "0",
            },
        ],
    }


def reference_root(table: Table, rows: Sequence[Mapping[str, Any]]) -> Root:
    """The root by the plain-Python reference, independent of the engine under test."""
    typed = arrow_table(table, rows).to_pylist()
    sums: dict[str, dict[str, str]] = {}
    for field in table.fields:
        if field.type.startswith("decimal"):
            scale = 18 if field.type == MONEY else 6
            for currency in sorted({row["currency"] for row in typed}):
                amounts = [row[field.name] for row in typed if row["currency"] == currency and row[field.name] is not None]
                if amounts:
                    sums.setdefault(field.name, {})[currency] = plain(sum(amounts, Decimal(0)), scale)
            sums.setdefault(field.name, {})
    return Root(table.schema_id, len(typed), content_root([leaf(table, row) for row in typed]), sums)


def partitions(period: str, lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for payee in sorted({each["payee"] for each in lines}):
        members = [each for each in lines if each["payee"] == payee]
        root = reference_root(gold.royalty_lines, members)
        found.append(
            {
                "period": period,
                "currency": "EUR",
                "payee": payee,
                "rows": root.rows,
                "total": root.totals["amount"]["EUR"],
                "root": root.root,
            }
        )
    return found


def publish(root: Path, period: str, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Appends the rows of a period, writes its manifest and publishes it, as a close does."""
    tables.setdefault("gold.partitions", partitions(period, tables["gold.royalty_lines"]))
    versions = {each.name: append(root, each, tables[each.name], f"close-{period}", "close") for each in gold.PUBLISHED}
    reader = LakeReader(str(root))
    roots = {each.name: reference_root(each, tables[each.name]) for each in gold.PUBLISHED}
    manifest = build_manifest(reader, period, roots, versions, {"silver.catalog": 0}, "c" * 64, "d" * 64, "0.1.0")
    append(
        root,
        gold.periods,
        [publication(manifest, write_manifest(reader, manifest)) | {"closed_at": WHEN}],
        f"close-{period}",
        "close",
    )


def published_lake(root: Path) -> Path:
    """Both periods, published in order."""
    append(root, gold.periods, [])
    publish(root, "2026-05", may())
    publish(root, "2026-06", june())
    return root
