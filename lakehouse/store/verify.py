"""Verification of published periods without a JVM: recompute every root and every sum, hold every object to its manifest.

Nothing here trusts what Spark wrote, except that gold.periods says what was promised; a copy of its roots kept elsewhere
closes that gap. What is broken becomes a finding that names the object, never an exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.model.content_root import Root, period_root
from lakehouse.place import Place
from lakehouse.store import duck
from lakehouse.store.arithmetic import ARITHMETIC, PARTITION, check_partitions
from lakehouse.store.evidence import Finding, check_closed_periods_untouched, check_manifest_objects, load_manifest
from lakehouse.store.reader import LakeReader, first_line
from lakehouse.tables import Table, gold


@dataclass(frozen=True)
class VerifiedPeriod:
    """What was recomputed: the root and rows of a period, and the sum of statements payable by currency."""

    period: str
    root: str | None
    rows: int
    totals: Mapping[str, str]


@dataclass
class VerifyReport:
    ok: bool
    engine: str
    periods: list[VerifiedPeriod] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The shape of `lakehouse verify --json`."""
        return asdict(self)


def verify(root: str | Place, period: str | None = None) -> VerifyReport:
    """Verifies one published period, or all. Raises Misuse where there is no lake, or the period is not published."""
    reader = LakeReader(root)
    report = VerifyReport(ok=False, engine="duckdb")
    if not reader.exists(gold.periods.name):
        raise Misuse(f"{reader.root} has no table {gold.periods.name}. Is it a lake? `lakehouse init` makes one.")
    try:
        published = reader.sql(f"SELECT * EXCLUDE (closed_at) FROM {reader.relation(gold.periods.name)} ORDER BY period")
    except Exception as error:
        report.findings.append(_unreadable(gold.periods, error))
        return report
    known = [row["period"] for row in published]
    if period is not None and period not in known:
        raise Misuse(f"Period {period} is not published. Published are: {', '.join(known) or 'none'}.")
    report.findings += _check_chain(published)
    manifests = {}
    for row in published:
        manifests[row["period"]], found = load_manifest(reader.objects, row)
        report.findings += found if period in (None, row["period"]) else []
    for row in published:
        if period in (None, row["period"]):
            _verify_period(reader, row, manifests[row["period"]], report)
    report.findings += check_closed_periods_untouched(reader.objects, [m for m in manifests.values() if m], known)
    report.findings = list(dict.fromkeys(report.findings))
    report.ok = not report.findings
    return report


def _verify_period(reader: LakeReader, row: Mapping[str, Any], manifest: Mapping[str, Any] | None, report: VerifyReport) -> None:
    period = row["period"]
    if manifest is not None:
        report.findings += check_manifest_objects(reader.objects, manifest)
    roots: dict[str, Root] = {}
    for table in gold.PUBLISHED:
        try:
            roots[table.name] = _root(reader, period, table, report)
        except Exception as error:
            report.findings.append(_unreadable(table, error))
    report.findings += _check_roots(roots, row, manifest)
    for rule, tables in ARITHMETIC:
        if all(table.name in roots for table in tables):
            try:
                report.findings += rule(reader, period)
            except Exception as error:  # a rule may look at other periods, and their files may be damaged
                report.findings.append(_unreadable(tables[0], error))
    complete = len(roots) == len(gold.PUBLISHED)
    payable = roots[gold.statements.name].totals["payable"] if gold.statements.name in roots else {}
    report.periods.append(
        VerifiedPeriod(period, period_root(roots) if complete else None, sum(r.rows for r in roots.values()), dict(payable))
    )


def _root(reader: LakeReader, period: str, table: Table, report: VerifyReport) -> Root:
    """The root of a table's rows of the period. The leaves of the royalty lines also give the roots of their partitions."""
    relation = reader.relation(table.name, where={"period": period})
    beside = PARTITION if table is gold.royalty_lines else ()
    with duck.leaves(reader.connection, relation, table, beside) as leaf_table:
        if table is gold.royalty_lines:
            try:
                report.findings += check_partitions(reader, period, duck.roots_by(reader.connection, leaf_table, PARTITION))
            except Exception as error:
                report.findings.append(_unreadable(gold.partitions, error))
        return duck.root_of(reader.connection, leaf_table, relation, table)


def _unreadable(table: Table, error: Exception) -> Finding:
    """Whatever a damaged file or log makes delta-rs or DuckDB raise: the table cannot be vouched for."""
    return Finding(
        "unreadable", table.name, f"{table.name} cannot be read: {first_line(error)}. Restore what is missing or damaged."
    )


def _check_roots(roots: Mapping[str, Root], row: Mapping[str, Any], manifest: Mapping[str, Any] | None) -> Iterable[Finding]:
    """Roots, rows and totals: of each table against the manifest, of the period against gold.periods."""
    period = row["period"]
    for name, root in roots.items():
        promised = manifest["tables"].get(name) if manifest else None
        if promised is None:
            continue
        if promised["schema_id"] != root.schema_id:
            yield Finding("schema_changed", name, f"{period}: {name} was published under another declaration of its columns.")
        yield from _compare("root_mismatch", name, f"{period}: content root of {name}", promised["root"], root.root)
        yield from _compare("totals_mismatch", name, f"{period}: rows of {name}", promised["rows"], root.rows)
        yield from _compare_totals(name, f"{period}: {name}", promised["totals"], root.totals)
    if len(roots) == len(gold.PUBLISHED):
        where = f"{gold.periods.name}/{period}"
        yield from _compare("root_mismatch", where, f"content root of period {period}", row["root"], period_root(roots))
        yield from _compare(
            "totals_mismatch", where, f"rows of period {period}", row["rows"], sum(r.rows for r in roots.values())
        )
        payable = {"payable": roots[gold.statements.name].totals["payable"]}
        yield from _compare_totals(where, f"period {period}", {"payable": dict(row["totals"])}, payable)


def _compare(kind: str, name: str, what: str, promised: Any, found: Any) -> Iterable[Finding]:
    if promised != found:
        yield Finding(kind, name, f"{what} is {found}; published was {promised}.")


def _compare_totals(
    name: str, what: str, promised: Mapping[str, Mapping[str, str]], found: Mapping[str, Mapping[str, str]]
) -> Iterable[Finding]:
    for column in sorted({*promised, *found}):
        before, now = promised.get(column, {}), found.get(column, {})
        for currency in sorted({*before, *now}):
            label = f"{what}: sum of {column} in {currency}"
            yield from _compare("totals_mismatch", name, label, before.get(currency, "0"), now.get(currency, "0"))


def _check_chain(published: list[dict[str, Any]]) -> Iterable[Finding]:
    """Each period is published once, and the manifests form one line from the first to the newest."""
    name = gold.periods.name
    periods = [row["period"] for row in published]
    for period in sorted({p for p in periods if periods.count(p) > 1}):
        yield Finding(
            "period_published_twice", f"{name}/{period}", f"{period} has {periods.count(period)} rows in {name}, not one."
        )
    known = {row["manifest_sha256"] for row in published}
    followers: dict[str | None, list[str]] = {}
    for row in published:
        before = row["previous_manifest_sha256"]
        followers.setdefault(before, []).append(row["period"])
        if before is not None and before not in known:
            message = f"{row['period']} names {before} as the manifest before it, and no published period has that one."
            yield Finding("chain_broken", f"{name}/{row['period']}", message)
    for before, after in followers.items():
        if len(after) > 1:
            start = "no manifest" if before is None else f"manifest {before}"
            yield Finding(
                "chain_forked", f"{name}/{after[1]}", f"{' and '.join(after)} both name {start} as the one before them."
            )
