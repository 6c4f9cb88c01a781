"""Files that a careless or hostile sender may send, each with what must become of it. Built by script; none is stored."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

HEADER = (
    "Sales Period,Posted Date,Store Name,Country Of Sale,Artist,Release Type,Release Title,Song Title,Label,UPC,Optional UPC,TC Song ID,"
    "Optional ISRC,Sales Type,# Units Sold,Per Unit Price,Net Sales,Net Sales Currency,Exchange Rate,Total Earned,Currency"
)
AMOUNTS = ("1.5", "2.25", "0.000000000000000001")
TOTAL = "3.750000000000000001"


@dataclass(frozen=True)
class Case:
    """One file and its outcome: refused with words of the reason, or read with so many rows accepted and quarantined."""

    name: str
    build: Callable[[], bytes]
    refused: str = ""
    accepted: int = 0
    quarantined: int = 0
    total: str = "0"


def row(amount: str = "1", title: str = "Night Ferry", artist: str = "Mara Okafor", units: str = "3", **cells: str) -> str:
    known = {
        "period": "2026-05-01", "posted": "2026-06-05", "store": "Northstream", "country": "DE", "kind": "Album", "album": "Crossings", "label": "Kitetail",
        "upc": "4006381333931", "upc2": "", "id": "n1", "isrc": "QZMO12600001", "type": "Stream", "price": "0.004", "net": "0.04", "net_currency": "EUR",
        "rate": "1", "currency": "EUR", **cells,
    }  # fmt: skip
    k = known
    return ",".join([
        k["period"], k["posted"], k["store"], k["country"], artist, k["kind"], k["album"], title, k["label"], k["upc"], k["upc2"], k["id"], k["isrc"],
        k["type"], units, k["price"], k["net"], k["net_currency"], k["rate"], amount, k["currency"],
    ])  # fmt: skip


def report(*rows: str, header: str = HEADER, eol: str = "\r\n") -> bytes:
    """The rows under the header, after the good rows that every file has."""
    return (eol.join([header, *(row(amount) for amount in AMOUNTS), *rows]) + eol).encode("utf-8", "surrogatepass")


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def zeros_gzipped(size: int) -> bytes:
    """A gzip of zeros, made without holding them."""
    packer, out = zlib.compressobj(9, wbits=31), io.BytesIO()
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        out.write(packer.compress(block))
    return out.getvalue() + packer.flush()


def overlapping_zip() -> bytes:
    """Many entries of a ZIP that all are the same compressed megabytes."""
    data = bytearray(zipped(("a.csv", bytes(8 << 20))))
    start = data.index(b"PK\x01\x02")
    entry = bytes(data[start : data.index(b"PK\x05\x06")])
    end = bytearray(data[data.index(b"PK\x05\x06") :])
    count = 500
    end[8:12] = count.to_bytes(2, "little") * 2
    end[12:16] = (len(entry) * count).to_bytes(4, "little")
    return bytes(data[:start]) + entry * count + bytes(end)


def lying_zip() -> bytes:
    """A ZIP whose directory says that its entry is small."""
    data = bytearray(zipped(("a.csv", bytes(64 << 20))))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(mark) + at
        data[place : place + 4] = (100).to_bytes(4, "little")
    return bytes(data)


def encrypted_zip() -> bytes:
    """A ZIP whose entry claims to be encrypted."""
    data = bytearray(zipped(("a.csv", report())))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    return bytes(data)


def workbook(sheet: str, *extra: tuple[str, str]) -> bytes:
    """The smallest XLSX with one sheet of the given XML."""
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        f'relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kinds}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{relation}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    }  # fmt: skip
    return zipped(*((name, content.encode()) for name, content in [*parts.items(), *extra]))


def entity_bomb() -> str:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "boom">{entities}]><worksheet><sheetData><row><c t="str"><v>&e9;</v></c></row></sheetData></worksheet>'


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def good(name: str, build: Callable[[], bytes], more: str = "0", rows: int = 0) -> Case:
    """A file whose good rows are accepted, and `rows` more that make `more`."""
    total = {"0": TOTAL}.get(more, more)
    return Case(name, build, accepted=len(AMOUNTS) + rows, total=total)


def bad_row(name: str, line: str, count: int = 1) -> Case:
    """A file in which only that row is quarantined."""
    return Case(name, lambda: report(line), accepted=len(AMOUNTS), quarantined=count, total=TOTAL)


def refused(name: str, build: Callable[[], bytes], reason: str) -> Case:
    return Case(name, build, refused=reason)


NO_REPORT = "no known report looks like it"
BOMB = "decompression bomb"

CASES: tuple[Case, ...] = (
    # What is fine, however odd it looks.
    good("plain", report),
    good("gzip under the name csv", lambda: gzip.compress(report())),
    good("zip in a gzip", lambda: gzip.compress(zipped(("a.csv", report())))),
    good("zip slip", lambda: zipped(("../../../etc/cron.d/x.csv", report()))),
    good("zip with an absolute path", lambda: zipped(("/etc/passwd", report()))),
    good("zip with a backslash path", lambda: zipped(("..\\..\\x.csv", report()))),
    good("zip with a picture beside", lambda: zipped(("logo.png", noise(2 << 20)), ("a.csv", report()))),
    good("byte order mark", lambda: b"\xef\xbb\xbf" + report()),
    good("line ends of old Macs", lambda: report(eol="\r")),
    good("line ends mixed", lambda: report().replace(b"\r\n", b"\n", 2)),
    good("no line end at the end", lambda: report().rstrip()),
    good("blank lines at the end", lambda: report() + b"\r\n" * 1000),
    good("gzip padded with zeros", lambda: gzip.compress(report()) + bytes(4096)),
    good("the same row a thousand times", lambda: report(*[row("0.001")] * 1000), "4.750000000000000001", 1000),
    good("formula in a title", lambda: report(row("1", title="=cmd|'/c calc'!A1")), "4.750000000000000001", 1),
    good("formula in an artist", lambda: report(row("1", artist='"@SUM(1+1)*cmd"')), "4.750000000000000001", 1),
    good("right-to-left override in a title", lambda: report(row("1", title="Ferry‮gpj.exe")), "4.750000000000000001", 1),
    good("quoted newline in a title", lambda: report(row("1", title='"Night\r\nFerry"')), "4.750000000000000001", 1),
    good("markup in a title", lambda: report(row("1", title="<script>alert(1)</script>")), "4.750000000000000001", 1),
    good("SQL in a title", lambda: report(row("1", title="'; DROP TABLE gold.statements; --")), "4.750000000000000001", 1),
    good("negative zero", lambda: report(row("-0.00")), TOTAL, 1),
    good("zero with an exponent", lambda: report(row("0E-18")), TOTAL, 1),
    good("an exponent", lambda: report(row("1E-18")), "3.750000000000000002", 1),
    # Rows that are refused, each alone.
    bad_row("NaN", row("NaN")),
    bad_row("Infinity", row("Infinity")),
    bad_row("negative infinity", row("-inf")),
    bad_row("ten to the fortieth", row("1" + "0" * 40)),
    bad_row("an exponent of nine digits", row("1E999999999")),
    bad_row("an exponent of sixty", row("1E60")),
    bad_row("hexadecimal amount", row("0x1F")),
    bad_row("amount in words", row("four")),
    bad_row("amount in full-width digits", row("１２")),
    bad_row("amount in Arabic digits", row("١٢")),
    bad_row("amount with an underscore", row("1_000")),
    bad_row("decimal comma", row('"1,50"')),
    bad_row("two decimal points", row("1.2.3")),
    bad_row("two signs", row("--5")),
    bad_row("no amount", row("")),
    bad_row("a hundred thousand digits", row("9" * 100_000)),
    bad_row("unknown currency", row("1", currency="EURO")),
    bad_row("month thirteen", row("1", period="2026-13-01")),
    bad_row("the thirtieth of February", row("1", period="2026-02-30x")),
    bad_row("units that are no number", row("1", units="many")),
    bad_row("NUL in a title", row("1", title="Night\0Ferry")),
    bad_row("one cell too many", row("1") + ",x"),
    bad_row("one cell too few", row("1").rsplit(",", 1)[0]),
    bad_row("another delimiter in one row", row("1").replace(",", ";")),
    bad_row("header twice", HEADER),
    bad_row("half a quote", row("1", title='"Night Ferry')),
    bad_row("text after a quote", row("1", title='"Night" Ferry')),
    bad_row("a title of two hundred thousand letters", row("1", title="x" * 200_000)),
    bad_row("a title of three thousand letters", row("1", title="x" * 3000)),
    bad_row("a million commas", "," * 1_000_000),
    # Half a quote early in the file takes the rows after it along: all are quarantined, none is guessed.
    Case("half a quote before good rows", lambda: report(row("1", title='"Night Ferry'), *[row("1")] * 5), accepted=8, quarantined=1, total="8.750000000000000001"),
    # Files that are no report, or pretend to be one.
    refused("empty", lambda: b"", "it is empty"),
    refused("blank", lambda: b" \r\n" * 1000, "it is empty"),
    refused("byte order mark alone", lambda: b"\xef\xbb\xbf", NO_REPORT),
    refused("binary named csv", lambda: noise(100_000), NO_REPORT),
    refused("zeros", lambda: bytes(1 << 20), NO_REPORT),
    refused("PNG", lambda: b"\x89PNG\r\n\x1a\n" + noise(5000), NO_REPORT),
    refused("PDF", lambda: b"%PDF-1.7\n" + noise(5000), NO_REPORT),
    refused("old Excel", lambda: bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096), "old binary form"),
    refused("header alone, renamed", lambda: HEADER.replace("Total Earned", "Total").encode(), "column 'Total Earned' is missing"),
    refused("header quoted by half", lambda: b'"' + report(), "is missing"),
    refused("another delimiter throughout", lambda: report().replace(b",", b";"), NO_REPORT),
    refused("a column twice", lambda: report().replace(b"Optional UPC", b"UPC", 1), "stands twice"),
    refused("ten thousand columns", lambda: ",".join(f"c{n}" for n in range(10_000)).encode() + b"\r\n", NO_REPORT),
    refused("a hundred thousand columns", lambda: (HEADER + "," + ",".join(f"c{n}" for n in range(100_000))).encode() + b"\r\n1\r\n", NO_REPORT),
    refused("a thousand columns more", lambda: (HEADER + "," + ",".join(f"c{n}" for n in range(1000))).encode() + b"\r\n1\r\n", NO_REPORT),
    refused("a line of 64 MB", lambda: report() + b"x" * (64 << 20), "is longer than"),
    refused("one line of 64 MB and nothing else", lambda: b"x" * (64 << 20), NO_REPORT),
    refused("lone surrogate", lambda: report(row("1", title="Night \ud800 Ferry")), "is not utf-8"),
    refused("overlong NUL", lambda: report() + b"\xc0\x80\r\n", "is not utf-8"),
    refused("Latin-1 among UTF-8", lambda: report() + row("1", title="Café").encode("latin-1"), "is not utf-8"),
    refused("UTF-16", lambda: report().decode().encode("utf-16"), NO_REPORT),
    refused("UTF-32", lambda: report().decode().encode("utf-32"), NO_REPORT),
    refused("gzip cut off", lambda: gzip.compress(report())[:-9], "cut off"),
    refused("gzip damaged", lambda: gzip.compress(report() * 50)[:60] + noise(200), "damaged"),
    refused("gzip with rubbish after", lambda: gzip.compress(report()) + b"rubbish", "damaged"),
    refused("gzip bomb", lambda: zeros_gzipped(512 << 20), BOMB),
    refused("gzip bomb in a gzip", lambda: gzip.compress(zeros_gzipped(512 << 20)), BOMB),
    refused("gzip in a gzip in a gzip", lambda: gzip.compress(gzip.compress(gzip.compress(report()))), "nested more than twice"),
    refused("zip bomb", lambda: zipped(("a.csv", bytes(64 << 20))), BOMB),
    refused("zip bomb of overlapping entries", overlapping_zip, "unpacks to more than"),
    refused("zip that lies of its size", lying_zip, "ZIP data cannot be read"),
    refused("zip with a password", encrypted_zip, "cannot be read"),
    refused("zip of two thousand files", lambda: zipped(*((f"{n}.csv", b"a,b\n") for n in range(2000))), "more than 1000 files"),
    refused("zip of nothing", lambda: zipped(), NO_REPORT),
    refused("zip cut off", lambda: zipped(("a.csv", report()))[:-40], "ZIP data cannot be read"),
    refused("zip with two reports", lambda: zipped(("a.csv", report()), ("b.csv", report(row("1")))), "exactly one must be a report"),
    refused("workbook with an entity bomb", lambda: workbook(entity_bomb()), "a.csv"),
    refused("workbook that is cut off", lambda: workbook("<worksheet><sheetData><row>"), "workbook"),
    refused("workbook of a bomb", lambda: workbook("<worksheet>" + " " * (64 << 20) + "</worksheet>"), BOMB),
    refused("HTML with an entity bomb", lambda: b'<html><!DOCTYPE x [<!ENTITY a "aaa">]><table><tr><td>&a;</td></tr></table></html>', "a.csv"),
    refused("HTML of deep tables", lambda: b"<html>" + b"<table><tr><td>" * 20_000, "a.csv"),
    refused("XML entity bomb", lambda: entity_bomb().encode(), NO_REPORT),
    refused("JSON", lambda: b'{"amount": 1e400}\n' * 100, NO_REPORT),
    refused("Parquet", lambda: b"PAR1" + noise(1000) + b"PAR1", NO_REPORT),
    refused("DSR with an unknown record", lambda: dsr().replace(b"SU02\t", b"SU02.02\t"), "no layout for record SU02.02"),
    refused("DSR of an unknown profile", lambda: dsr().replace(b"BasicAudioProfile", b"EvilProfile"), "EvilProfile"),
    Case("DSR of a summary that shares out too much", lambda: dsr("9" * 40), quarantined=2),
    Case("DSR whose usages are endless", lambda: dsr("5", "9" * 400), quarantined=2),
    Case("DSR without a footer", lambda: dsr().rsplit(b"FOOT", 1)[0], accepted=1, total="5"),
    Case("DSR with one summary thirty thousand times", lambda: dsr("0") + dsr_summaries(30_000, "S") + dsr_usages(30_000), quarantined=60_002),
    Case("DSR with ten thousand empty summaries", lambda: dsr("0") + dsr_summaries(10_000), accepted=1),
)  # fmt: skip


def dsr(revenue: str = "5", usages: str = "1") -> bytes:
    head = "HEAD\tdsrf/30\tBasicAudioProfile\t1.2\tM\t2026-06-10T08:00:00Z\t1\t1\t2026-05-01\t2026-05-31\tPADPIDA1\tNorthstream"
    lines = [
        head, f"SY01.01\tS\t\t\tSubscriptionModel\tStream\tDE\tP\t{usages}\t\tEUR\t{revenue}",
        "AS01.01\tB\tA\td\tQZMO12600001\tNight Ferry\t\tMara Okafor\t\tPT3M\tSoundRecording", f"SU02\tB\tS\tT\t\tA\ttrue\t{usages}", "FOOT\t5\t\t1\t1",
    ]  # fmt: skip
    return "\n".join(lines).encode() + b"\n"


def dsr_usages(count: int) -> bytes:
    return b"SU02\tB\tS\tT\t\tA\ttrue\t1\n" * count


def dsr_summaries(count: int, identity: str = "S{}") -> bytes:
    line = f"SY01.01\t{identity}\t\t\tSubscriptionModel\tStream\tDE\tP\t0\t\tEUR\t0\n"
    return "".join(line.format(n) for n in range(count)).encode()
