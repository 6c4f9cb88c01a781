"""The audit pack: a folder with which a stranger verifies a published period and follows any line of it back to the reports.

What goes into every pack as it is stands beside this file: `verify.py` and its `content_root.py`, which need nothing but duckdb, `checks.sql` and `README.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import Findings, Misuse
from lakehouse.store.manifest import manifest_key
from lakehouse.store.reader import LakeReader
from lakehouse.tables import Table, bronze, gold, ops, silver

FORMAT = "royalty lakehouse audit pack v1"
_HERE = Path(__file__).parent
# What leads from a royalty line to the reports, by report.
_EVIDENCE = (bronze.files, bronze.lines, silver.usage, silver.duplicates, ops.quarantine, ops.ignored)


@dataclass(frozen=True)
class Rules:
    """The rules of the environment that writes the pack. `digest` is what a publication names as `rules_sha256`; `documents` are
    files by their path in the pack; `dialects` is {id: SHA-256}; `withheld` are the dialects with columns of personal data."""

    digest: str
    documents: Mapping[str, bytes]
    dialects: Mapping[str, str]
    of_dialect: Mapping[str, tuple[str, ...]]
    withheld: tuple[str, ...]


def write_audit_pack(
    reader: LakeReader, period: str, out: Path, rules: Rules, content_root_page: bytes, reports: bool = True
) -> dict[str, Any]:
    """Writes the pack of a published period to the folder `out`, which must be new or empty: {period, root, dir, files, reports, rows}.

    `content_root_page` is the page that describes the roots. Without `reports`, the reports are named by their SHA-256 alone. Raises Misuse
    for a period that is not published or a folder that is in use, Findings where the lake lacks what its publication names.
    """
    published = {
        row["period"]: row for row in reader.sql(f"SELECT * EXCLUDE (closed_at) FROM {reader.relation(gold.periods.name)}")
    }
    if period not in published:
        raise Misuse(f"Period {period} is not published. Published are: {', '.join(sorted(published)) or 'none'}.")
    if out.exists() and any(out.iterdir()):
        raise Misuse(f"{out} is not empty: give a new folder, so that nothing else is taken for a part of the pack.")
    pack = _Pack(reader, period, out, published[period])
    pack.write_gold()
    pack.write_manifests(sorted(p for p in published if p <= period))
    pack.write_evidence()
    pack.write_book()
    kept = pack.write_reports() if reports else 0
    in_force = rules if rules.digest == published[period]["rules_sha256"] else None
    for path, content in rules.documents.items() if in_force else ():
        pack.put(path, content)
    for name in ("verify.py", "content_root.py", "checks.sql"):
        pack.put(name, (_HERE / name).read_bytes())
    pack.put("content-root.md", content_root_page)
    pack.put("pack.json", _json(pack.facts(rules, in_force)))
    pack.put("README.md", _readme(period, published[period], in_force is not None, reports))
    pack.sign()
    return {
        "period": period, "root": published[period]["root"], "dir": str(out), "files": len(pack.listed), "reports": kept,
        "rows": pack.rows,
    }  # fmt: skip


class _Pack:
    """The folder while it is written."""

    def __init__(self, reader: LakeReader, period: str, out: Path, publication: Mapping[str, Any]) -> None:
        self._reader, self._period, self._out = reader, period, out
        self._publication = publication
        self._objects = reader.objects
        self._pins = {name: int(version) for name, version in dict(publication["pins"]).items()}
        self._versions = {name: int(version) for name, version in dict(publication["delta_versions"]).items()}
        self._tables: dict[str, dict[str, Any]] = {}
        self.listed: dict[str, str] = {}
        self.rows = 0

    def put(self, path: str, content: bytes) -> None:
        target = self._out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.listed[path] = hashlib.sha256(content).hexdigest()

    def _table(self, name: str, path: str, table: Table, query: str) -> None:
        """The rows of a query as a Parquet file in a stable order."""
        target = self._out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        to = str(target).replace("'", "''")
        order = ", ".join(f'"{column}"' for column in table.grain)
        done = self._reader.sql(f"COPY (SELECT * FROM ({query}) ORDER BY {order}) TO '{to}' (FORMAT parquet, COMPRESSION zstd)")
        self.rows += int(done[0]["Count"])
        self.listed[path] = _digest(target)
        columns = [[field.name, field.type] for field in table.rooted_fields]
        self._tables[name] = {"file": path, "version": table.version, "columns": columns}

    def write_gold(self) -> None:
        """What was published, as it was published, and the statements and publications before it."""
        for table in gold.PUBLISHED:
            rows = self._reader.relation(table.name, self._versions.get(table.name), where={"period": self._period})
            self._table(table.name, f"{table.path}.parquet", table, f"SELECT * FROM {rows}")
        periods = f"SELECT * FROM {self._reader.relation(gold.periods.name)} WHERE period <= '{self._period}'"
        self._table(gold.periods.name, f"{gold.periods.path}.parquet", gold.periods, periods)
        before = f"""SELECT * FROM {self._reader.relation(gold.statements.name, self._versions.get(gold.statements.name))}
            WHERE period IN (SELECT period FROM ({periods})) AND period < '{self._period}'"""
        self._table("earlier.statements", "earlier/statements.parquet", gold.statements, before)

    def write_manifests(self, periods: list[str]) -> None:
        for period in periods:
            content = self._objects.get(manifest_key(period))
            if content is None:
                raise Findings(f"{manifest_key(period)} is not there: run `lakehouse verify`, and restore it.")
            self.put(manifest_key(period), content)

    def write_evidence(self) -> None:
        """The reports behind the period, line by line: each table as it was read when the period was computed."""
        reader, period = self._reader, self._period
        behind = " UNION ".join(
            f"SELECT file_id FROM {reader.relation(table.name, self._versions.get(table.name), where={'period': period})}"
            for table in (gold.royalty_lines, gold.holding, gold.conservation)
        )
        known = reader.relation(bronze.files.name, self._pins.get(bronze.files.name))
        files = f"(SELECT file_id FROM {known} WHERE period = '{period}' OR file_id IN ({behind}))"
        entered = [row["period"] for row in reader.sql(f"SELECT DISTINCT period FROM {known} WHERE file_id IN {files}")]
        first = min([*entered, period])
        for table in _EVIDENCE:
            rows = self._between(table, first)
            self._table(table.name, f"{table.path}.parquet", table, f"SELECT * FROM ({rows}) WHERE file_id IN {files}")
        refused = f"SELECT record_id FROM ({self._between(ops.quarantine, first)})"
        released = f"SELECT * FROM ({self._between(ops.releases, first)}) WHERE record_id IN ({refused})"
        self._table(ops.releases.name, f"{ops.releases.path}.parquet", ops.releases, released)
        decided = f"SELECT * FROM {reader.relation(ops.holding_adjustments.name)} WHERE period = '{period}'"
        self._table(ops.holding_adjustments.name, f"{ops.holding_adjustments.path}.parquet", ops.holding_adjustments, decided)

    def _between(self, table: Table, first: str) -> str:
        """The rows of a table from one period to that of the pack; folders of other periods are not opened."""
        reader, version = self._reader, self._pins.get(table.name)
        known = {row["period"] for row in reader.sql(f"SELECT DISTINCT period FROM {reader.relation(gold.periods.name)}")}
        periods = sorted(p for p in {*known, first, self._period} if first <= p <= self._period)
        return " UNION ALL ".join(f"SELECT * FROM {reader.relation(table.name, version, where={'period': p})}" for p in periods)

    def write_book(self) -> None:
        reader, version = self._reader, self._pins.get(silver.contracts.name)
        for row in reader.sql(f"SELECT file, text FROM {reader.relation(silver.contracts.name, version)} ORDER BY file"):
            self.put(f"contracts/{row['file']}", row["text"].encode())
        rulesets = reader.sql(f"SELECT version, text FROM {reader.relation(ops.rulesets.name)} ORDER BY version")
        for row in rulesets:
            self.put(f"rules/routing/{row['version']}.yaml", row["text"].encode())

    def write_reports(self) -> int:
        kept = 0
        for file_id in self._reports():
            content = self._objects.get(f"landing/files/{file_id}")
            if content is None:
                raise Findings(f"landing/files/{file_id} is not there: restore the report, or leave the reports out.")
            self.put(f"reports/{file_id}", content)
            kept += 1
        return kept

    def _reports(self) -> Iterator[str]:
        files = str(self._out / f"{bronze.files.path}.parquet").replace("'", "''")
        yield from (row["file_id"] for row in self._reader.sql(f"SELECT file_id FROM read_parquet('{files}') ORDER BY 1"))

    def facts(self, rules: Rules, in_force: Rules | None) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "period": self._period,
            "tables": self._tables,
            "withheld": list(rules.withheld),
            "rules": {"dialects": dict(in_force.dialects), "documents": dict(in_force.of_dialect)} if in_force else None,
        }

    def sign(self) -> None:
        """SHA256SUMS, which `sha256sum --check` reads too."""
        lines = [f"{digest}  {path}\n" for path, digest in sorted(self.listed.items())]
        (self._out / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def _readme(period: str, publication: Mapping[str, Any], with_rules: bool, with_reports: bool) -> bytes:
    totals = ", ".join(f"{amount} {currency}" for currency, amount in sorted(dict(publication["totals"]).items()))
    facts = {
        "period": period,
        "root": publication["root"],
        "totals": totals or "nothing",
        "code_version": publication["code_version"],
        "rules": "" if with_rules else " (not in this pack: those of today are others than the publication names)",
        "reports": "" if with_reports else " (left out: `bronze/files.parquet` names them by their SHA-256)",
    }
    text = (_HERE / "README.md").read_text(encoding="utf-8")
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", value)
    return text.encode()


def _json(facts: Mapping[str, Any]) -> bytes:
    return (json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
