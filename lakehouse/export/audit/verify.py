"""Verifies an audit pack, and follows a royalty line back to the reports. Needs Python 3.10 or newer and duckdb, nothing else.

    python verify.py                     every check; ends with 0 where all is as published, with 1 where something is not
    python verify.py --root HEX          and the root is the one that you keep yourself
    python verify.py --statement ID      the royalty lines of a statement
    python verify.py --line LINE_ID      one of them through every stage, back to file and line number

This file and content_root.py beside it share no code with the lakehouse that wrote the pack. The rules they follow are in content-root.md.
"""

from __future__ import annotations

import argparse
import decimal
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

# Found beside this file however Python was started, and nothing is added to the pack by that.
sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True
from content_root import head, item_of, root_of, sha256  # noqa: E402

# Sums of amounts with 18 decimals must not be rounded.
decimal.getcontext().prec = 80
CODECS = {"utf-8-bom": "utf-8-sig", "utf-16-le-bom": "utf-16"}
# What a workbook or a container begins with: its lines are rows of a sheet, not lines of text.
BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
ZERO = decimal.Decimal(0)


class Finding(NamedTuple):
    kind: str
    object: str
    message: str


# --- the pack --------------------------------------------------------------------------------------------------------


class Pack:
    """The folder of a pack. `tables` are its Parquet files, each a view of that name in DuckDB with `.` written as `_`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
        self.period = self.facts["period"]
        self.tables = self.facts["tables"]
        self.duckdb = duckdb.connect()
        self.unreadable: list[Finding] = []
        for name, entry in self.tables.items():
            file = str(folder / entry["file"]).replace("'", "''")
            try:
                self.duckdb.execute(f"CREATE VIEW {name.replace('.', '_')} AS SELECT * FROM read_parquet('{file}')")
            except duckdb.Error as error:
                self.unreadable.append(Finding("unreadable", entry["file"], str(error).splitlines()[0]))

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        found = self.duckdb.execute(query, parameters)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def leaves(self, name: str, period: str) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Each row of a table of the period with its leaf."""
        columns = [(column, declared, item_of(declared)) for column, declared in self.tables[name]["columns"]]
        names = ", ".join(f'"{column}"' for column, _, _ in columns)
        found = self.duckdb.execute(f"SELECT {names} FROM {name.replace('.', '_')} WHERE period = ?", [period])
        while rows := found.fetchmany(10_000):
            for values in rows:
                row = dict(zip((column for column, _, _ in columns), values, strict=True))
                text = "".join(f"{column}/{declared}:{item(row[column])}\n" for column, declared, item in columns)
                yield row, sha256(b"\x00" + text.encode())

    def publications(self) -> dict[str, dict[str, Any]]:
        return {row["period"]: row for row in self.rows("SELECT * EXCLUDE (closed_at) FROM gold_periods ORDER BY period")}


# --- the checks ------------------------------------------------------------------------------------------------------


def check_files(pack: Pack) -> Iterator[Finding]:
    """Every file is the one that SHA256SUMS names, and there is no other."""
    sums = (pack.folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in sums)}
    there = {file.relative_to(pack.folder).as_posix() for file in pack.folder.rglob("*") if file.is_file()}
    for name in sorted(there - listed.keys() - {"SHA256SUMS"}):
        yield Finding("file_added", name, "is not named in SHA256SUMS")
    for name, promised in listed.items():
        if name not in there:
            yield Finding("file_missing", name, "is named in SHA256SUMS and is not here")
        elif (found := digest_of(pack.folder / name)) != promised:
            yield Finding("file_changed", name, f"has SHA-256 {found}, not {promised}")


def check_publications(pack: Pack) -> Iterator[Finding]:
    """The manifests are those that gold.periods names, each names the one before it, and says the same as its publication."""
    published, before = pack.publications(), None
    known = {row["manifest_sha256"] for row in published.values()}
    for period, row in published.items():
        name = f"manifests/{period}.json"
        file = pack.folder / name
        found = digest_of(file) if file.is_file() else "nothing"
        if found != row["manifest_sha256"]:
            yield Finding("manifest_changed", name, f"has SHA-256 {found}; published was {row['manifest_sha256']}")
            continue
        manifest = json.loads(file.read_bytes())
        if (before := row["previous_manifest_sha256"]) is not None and before not in known:
            yield Finding(
                "chain_broken", f"gold.periods/{period}", f"names {before} as the manifest before it, which is not here"
            )
        said = (row["root"], row["rows"], row["book_sha256"], row["rules_sha256"])
        if said != (manifest["root"], manifest["rows"], manifest["book_sha256"], manifest["rules_sha256"]):
            yield Finding("publication_changed", f"gold.periods/{period}", "does not say what its manifest says")


def check_roots(pack: Pack) -> Iterator[Finding]:
    """The content root of each gold table, of each payee's lines, of earlier statements, and of the period over them."""
    published = pack.publications()[pack.period]
    manifest = read_manifest(pack, pack.period)
    lines = []
    for name in sorted(manifest["tables"]):
        promised, entry = manifest["tables"][name], pack.tables[name]
        schema = hashlib.sha256(
            ";".join([name, str(entry["version"]), *(f"{c}:{t}" for c, t in entry["columns"])]).encode()
        ).hexdigest()
        if schema != promised["schema_id"]:
            yield Finding("schema_changed", "pack.json", f"declares other columns of {name} than were published")
        found = list(pack.leaves(name, pack.period))
        root = root_of(leaf for _, leaf in found)
        lines.append(f"{name}/{schema}:{len(found)}:{root}")
        if root != promised["root"]:
            yield Finding(
                "root_mismatch", entry["file"], f"{len(found)} rows have root {root}; published were {promised['root']}"
            )
        yield from check_totals(pack, name, promised["totals"])
        if name == "gold.royalty_lines":
            yield from check_partitions(pack, found)
    root = head([sha256(b"\x00" + line.encode()) for line in sorted(lines)]).hex()
    if root != published["root"]:
        yield Finding("root_mismatch", f"period {pack.period}", f"has root {root}; published was {published['root']}")


def check_totals(pack: Pack, name: str, promised: dict[str, dict[str, str]]) -> Iterator[Finding]:
    """The sums by currency that the manifest states beside a root."""
    for column, sums in promised.items():
        found = pack.rows(f'SELECT currency, sum("{column}") AS total FROM {name.replace(".", "_")} GROUP BY 1')
        now = {row["currency"]: row["total"] for row in found if row["total"] is not None}
        for currency in sorted({*now, *sums}):
            if (total := now.get(currency, ZERO)) != (was := decimal.Decimal(sums.get(currency, "0"))):
                message = f"the sum of {column} in {currency} is {total:f}; published was {was:f}"
                yield Finding("totals_mismatch", pack.tables[name]["file"], message)


def check_partitions(pack: Pack, found: list[tuple[dict[str, Any], bytes]]) -> Iterator[Finding]:
    """The lines of each payee in each currency have the rows, sum and root that gold.partitions states."""
    groups: dict[tuple[str, str], list[bytes]] = {}
    sums: dict[tuple[str, str], decimal.Decimal] = {}
    for row, leaf in found:
        key = (row["currency"], row["payee"])
        groups.setdefault(key, []).append(leaf)
        sums[key] = sums.get(key, ZERO) + row["amount"]
    stated = {(r["currency"], r["payee"]): (r["rows"], r["total"], r["root"]) for r in pack.rows("SELECT * FROM gold_partitions")}
    for key in sorted({*groups, *stated}):
        now = (len(groups.get(key, [])), sums.get(key, ZERO), root_of(groups.get(key, [])))
        if now != stated.get(key):
            yield Finding("root_mismatch", f"royalty lines of {key[1]} in {key[0]}", f"{now}; stated are {stated.get(key)}")


def check_earlier_statements(pack: Pack) -> Iterator[Finding]:
    """The statements of earlier periods, with which this one's openings are compared, are those that were published."""
    for period in sorted(set(pack.publications()) - {pack.period}):
        root = root_of(leaf for _, leaf in pack.leaves("earlier.statements", period))
        promised = read_manifest(pack, period)["tables"]["gold.statements"]["root"]
        if root != promised:
            yield Finding("root_mismatch", f"statements of {period}", f"have root {root}; published was {promised}")


GROUP = (
    "file_id", "source", "report_period", "usage_period", "meaning", "channel", "configuration", "territory", "price_category",
    "currency", "usage_key",
)  # fmt: skip


def check_rules(pack: Pack) -> Iterator[Finding]:
    """Every sum, from the statements back to the lines of the reports."""
    text = Path(__file__).with_name("checks.sql").read_text(encoding="utf-8")
    same = " AND ".join(f"l.{column} IS NOT DISTINCT FROM g.{column}" for column in GROUP)
    for kind, rule in re.findall(r"^-- (\w+): .*\n((?:.+\n)+?.*);$", text, re.MULTILINE):
        query = rule.replace("$period", f"'{pack.period}'").replace("$group", ", ".join(GROUP)).replace("$same", same)
        for row in pack.rows(f"SELECT * FROM ({query}) ORDER BY ALL"):
            yield Finding(kind, row["name"], row["message"])


def check_reports(pack: Pack) -> Iterator[Finding]:
    """Each report has the SHA-256 that is its id, and each line is in it, at its number and in its words."""
    for row in pack.rows("SELECT file_id, source, name, encoding FROM bronze_files ORDER BY name"):
        file = pack.folder / "reports" / row["file_id"]
        if not file.is_file():
            continue  # a pack may leave the reports out; SHA256SUMS tells whether this one did
        payload = file.read_bytes()
        if (found := hashlib.sha256(payload).hexdigest()) != row["file_id"]:
            yield Finding("report_changed", f"reports/{row['file_id']}", f"{row['name']} has SHA-256 {found}")
        elif row["source"] not in pack.facts["withheld"] and not payload.startswith(BINARY):
            text = payload.decode(CODECS.get(row["encoding"], row["encoding"]))
            yield from check_lines(pack, row, text)


def check_lines(pack: Pack, file: dict[str, Any], text: str) -> Iterator[Finding]:
    starts = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", text))]
    for row in pack.rows("SELECT line_no, text FROM bronze_lines WHERE file_id = ? ORDER BY 1", file["file_id"]):
        if row["line_no"] > len(starts) or not text.startswith(row["text"], starts[row["line_no"] - 1]):
            yield Finding("line_changed", f"{file['name']} line {row['line_no']}", "is not in the report in these words")


def check_book(pack: Pack) -> Iterator[Finding]:
    """The contracts and the rules are those that the publication names."""
    published = pack.publications()[pack.period]
    digest = hashlib.sha256()
    folder = pack.folder / "contracts"
    for name in sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()):
        content = (folder / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    if digest.hexdigest() != published["book_sha256"]:
        yield Finding(
            "book_changed", "contracts/", f"have SHA-256 {digest.hexdigest()}; published was {published['book_sha256']}"
        )
    rules = pack.facts["rules"]
    if rules is None:
        return
    dialects = "\n".join(sorted(f"{name} {digest}" for name, digest in rules["dialects"].items()))
    parts = (
        digest_of(pack.folder / "rules/matching.txt")[:16],
        sha256(dialects.encode()).hex(),
        digest_of(pack.folder / "rules/channels.json"),
    )
    if hashlib.sha256(" ".join(parts).encode()).hexdigest() != published["rules_sha256"]:
        yield Finding("rules_changed", "rules/", "are not those that the publication names")
    for row in pack.rows("SELECT DISTINCT source FROM bronze_files ORDER BY 1"):
        names = rules["documents"][row["source"]]
        content = b"".join((pack.folder / name).read_bytes() for name in names)
        if hashlib.sha256(content).hexdigest() != rules["dialects"][row["source"]]:
            yield Finding("rules_changed", names[0], "is not the document that was in force")


CHECKS = (
    check_files, check_publications, check_roots, check_earlier_statements, check_rules, check_reports, check_book,
)  # fmt: skip


def read_manifest(pack: Pack, period: str) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((pack.folder / "manifests" / f"{period}.json").read_bytes())
    return manifest


def digest_of(file: Path) -> str:
    with file.open("rb") as stream:
        digest = hashlib.sha256()
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


# --- what a person sees ----------------------------------------------------------------------------------------------


def find(pack: Pack, told: Callable[[str], None]) -> list[Finding]:
    """Everything that is wrong; `told` hears how each check ended."""
    findings = list(pack.unreadable)
    for check in CHECKS:
        try:
            found = list(check(pack))
        except Exception as error:  # what is damaged is named by the checks before, and the others still have their say
            message = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            found = [Finding("unreadable", check.__name__.removeprefix("check_"), message)]
        told(f"{'ok   ' if not found else 'WRONG'} {(check.__doc__ or '').strip()}")
        findings += found
    return findings


def verify(pack: Pack, kept: str | None) -> int:
    findings = find(pack, say)
    try:
        root = pack.publications()[pack.period]["root"]
    except (duckdb.Error, KeyError):
        root = "unknown"
    if kept is not None and kept != root:
        findings.append(Finding("root_mismatch", f"period {pack.period}", f"is published with root {root}, and you keep {kept}"))
    for finding in findings:
        say(f"  {finding.kind}: {finding.object}: {finding.message}")
    say(f"Period {pack.period}, root {root}: {f'{len(findings)} findings' if findings else 'all is as published'}.")
    return 1 if findings else 0


def show_statement(pack: Pack, statement_id: str) -> int:
    rows = pack.rows(
        """SELECT l.line_id, l.channel, l.territory, l.usage_period, l.role, l.amount, l.currency FROM gold_royalty_lines l
        JOIN gold_statements s USING (payee, currency) WHERE s.statement_id = ? AND l.category = 'payable' ORDER BY abs(l.amount) DESC""",
        statement_id,
    )
    for row in rows:
        say(
            f"{row['line_id']}  {row['amount']:>30f} {row['currency']}  {row['channel']}, {row['territory']}, {row['usage_period']}, {row['role']}"
        )
    say(f"{len(rows)} lines.")
    return 0 if rows else 1


def trace(pack: Pack, line_id: str) -> int:
    found = pack.rows("SELECT * FROM gold_royalty_lines WHERE line_id = ?", line_id)
    if not found:
        say(f"There is no royalty line {line_id} in this pack.")
        return 1
    line = found[0]
    say(
        f"{line['amount']:f} {line['currency']} to {line['payee']} as {line['role']}, contract {line['contract_id']} version {line['contract_version']}"
    )
    for stage in line["stages"]:
        say(f"  {stage['stage']:<22} {stage['amount_in']:>30f} -> {stage['amount_out']:>30f}  {stage['term'] or ''}")
    same = " AND ".join(f"u.{column} IS NOT DISTINCT FROM ?" for column in GROUP)
    lines = pack.rows(
        f"""SELECT f.name, u.line_no, u.amount, l.text FROM silver_usage u JOIN bronze_lines l USING (file_id, line_no)
        JOIN bronze_files f ON f.file_id = u.file_id WHERE {same} ORDER BY u.line_no""",
        *(line[column] for column in GROUP),
    )
    say(f"base {line['base']:f} {line['currency']}, from reports/{line['file_id']}:")
    for row in lines:
        say(f"  {row['name']} line {row['line_no']}: {row['amount']:f}  {row['text']}")
    return 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pack", type=Path, default=Path(__file__).parent, help="the folder; by default that of this file")
    parser.add_argument("--root", metavar="HEX", help="the root of the period that you keep yourself")
    parser.add_argument("--statement", metavar="ID", help="list the royalty lines of a statement")
    parser.add_argument("--line", metavar="LINE_ID", help="follow a royalty line back to the reports")
    given = parser.parse_args()
    pack = Pack(given.pack)
    if given.statement:
        return show_statement(pack, given.statement)
    return trace(pack, given.line) if given.line else verify(pack, given.root)


if __name__ == "__main__":
    sys.exit(main())
