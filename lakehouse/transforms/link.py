"""Link the records of two tables, or of the sources inside one: candidates by rare keys, evidence by level, calibrated odds.

Joins and windows are DuckDB's, in this process: starting a JVM would take longer than linking a hundred thousand records, and tables that
are larger than memory go to disk. Texts are compared once for each pair, a batch at a time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakehouse.model.linkage.keys import block_keys
from lakehouse.model.linkage.layouts import COLUMNS, SAMPLE, Reading, common_texts, find_layout, read
from lakehouse.model.linkage.levels import NULL, ONE_SIDE, PLACE, SAME_LENGTH, Levels, compare, told
from lakehouse.model.linkage.rules import LinkageRules
from lakehouse.model.linkage.weights import Counted, Model, fit, log_odds

Row = Mapping[str, str | None]
Places = npt.NDArray[np.int64]

_SURE: Final = 0.9
_BATCH: Final = 50_000
# More than any field has levels.
_LEVELS: Final = np.int64(16)


@dataclass(frozen=True)
class Records:
    """Distinct records in a fixed order: their place is their number. Rows that say the same are one; ids may stand on several."""

    ids: list[str]
    sides: list[int]
    sources: list[str | None]
    readings: list[Reading]
    common: dict[str, frozenset[str]]


@dataclass(frozen=True)
class Compared:
    """Candidate pairs of places in `Records`, and for each which of the distinct patterns of levels it shows."""

    a: Places
    b: Places
    pattern: Places
    patterns: Levels
    counts: npt.NDArray[np.int64]


def read_records(tables: Sequence[Sequence[Row]], rules: LinkageRules) -> Records:
    """The rows of one or two tables as they are compared. Rows are in the order of side, id and the rest, whatever order they came in."""
    records = Records([], [], [], [], {})
    titles = rules.titles()
    for side, table in enumerate(tables):
        distinct = {tuple(row.get(name) for name in COLUMNS) for row in table}
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in sorted(distinct, key=lambda row: [cell or "" for cell in row])]
        by_source: dict[str | None, list[Row]] = {}
        for row in rows:
            by_source.setdefault(row["source"], []).append(row)
        layouts = {source: find_layout(seen[:SAMPLE]) for source, seen in by_source.items()}
        records.ids.extend(row["id"] or "" for row in rows)
        records.sides.extend([side] * len(rows))
        records.sources.extend(row["source"] for row in rows)
        records.readings.extend(read(row, layouts[row["source"]], titles) for row in rows)
    records.common.update(common_texts(records.readings))
    return records


def find_pairs(
    connection: duckdb.DuckDBPyConnection, records: Records, rules: LinkageRules, two_sided: bool
) -> tuple[Places, Places]:
    """Candidate pairs (a, b): those that share the most rare keys, for each record of either side its best few."""
    connection.execute("CREATE OR REPLACE TEMP TABLE postings (rec BIGINT, side INTEGER, key BIGINT)")
    for start in range(0, len(records.ids), _BATCH):
        of, keys = _postings(records, range(start, min(start + _BATCH, len(records.ids))))
        _insert(
            connection, "postings SELECT rec, side, key", {"rec": of, "side": [records.sides[place] for place in of], "key": keys}
        )
    apart, brings = (
        ("ours.side < theirs.side", "lefts * (df - lefts)") if two_sided else ("ours.rec < theirs.rec", "df * (df - 1) // 2")
    )
    total, blocking = len(records.ids), rules.blocking
    # Weights are whole numbers: no order of summing changes a choice.
    found = connection.execute(f"""
        WITH counted AS (SELECT key, count(*) AS df, count(*) FILTER (side = 0) AS lefts FROM postings GROUP BY key),
        known AS (SELECT key, df FROM counted WHERE {brings} BETWEEN 1 AND {blocking.pairs}),
        rare AS (SELECT rec, side, key, CAST(round(1000 * ln({float(total)} / df)) AS BIGINT) AS weight FROM postings JOIN known USING (key)),
        shared AS (SELECT ours.rec AS a, theirs.rec AS b, sum(ours.weight) AS weight
            FROM rare ours JOIN rare theirs ON ours.key = theirs.key AND {apart} GROUP BY 1, 2),
        seen AS (SELECT a AS one, a, b, weight FROM shared UNION ALL SELECT b, a, b, weight FROM shared),
        ranked AS (SELECT a, b FROM seen QUALIFY row_number() OVER (PARTITION BY one ORDER BY weight DESC, a, b) <= {blocking.candidates})
        SELECT DISTINCT a, b FROM ranked ORDER BY a, b""").fetchnumpy()
    connection.execute("DROP TABLE postings")
    return np.asarray(found["a"], dtype=np.int64), np.asarray(found["b"], dtype=np.int64)


def _postings(records: Records, places: range) -> tuple[list[int], list[int]]:
    """Each of the records' keys, with whose it is."""
    of: list[int] = []
    keys: list[int] = []
    for place in places:
        own = block_keys(records.readings[place])
        of += [place] * len(own)
        keys += own
    return of, keys


def _insert(connection: duckdb.DuckDBPyConnection, into: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Rows given as columns. As parameters they need no Arrow, whose own conversion of lists would first import pandas."""
    given = ", ".join(f"unnest(?) AS {name}" for name in columns)
    connection.execute(f"INSERT INTO {into} FROM (SELECT {given})", list(columns.values()))


def compare_pairs(records: Records, a: Places, b: Places, rules: LinkageRules) -> Compared:
    """The pattern of levels that each pair shows."""
    found = []
    for start in range(0, len(a), _BATCH):
        pairs = [(int(one), int(other)) for one, other in zip(a[start : start + _BATCH], b[start : start + _BATCH], strict=True)]
        left, right = ([records.readings[pair[end]] for pair in pairs] for end in (0, 1))
        levels = compare(left, right, records.common, rules.tags)
        sources = ((records.sources[one], records.sources[other]) for one, other in pairs)
        levels[:, PLACE["source"]] = [NULL if one is None or other is None else int(one != other) for one, other in sources]
        # One source that has both versions has left no word out.
        twice = (levels[:, PLACE["source"]] == 0) & (levels[:, PLACE["version"]] == SAME_LENGTH)
        levels[twice, PLACE["version"]] = ONE_SIDE
        found.append(levels)
    levels = np.concatenate(found) if found else np.empty((0, len(PLACE)), dtype=np.int8)
    # A pattern as one number sorts much faster than as a row.
    code = (levels.astype(np.int64) - NULL) @ (_LEVELS ** np.arange(len(PLACE) - 1, -1, -1, dtype=np.int64))
    _, first, pattern, counts = np.unique(code, return_index=True, return_inverse=True, return_counts=True)
    return Compared(a, b, pattern, levels[first], counts)


def fit_model(compared: Compared, shipped: Model) -> Model:
    """The model re-estimated on the pairs themselves, without labels."""
    return fit(shipped, Counted(compared.patterns, compared.counts.astype(float)))


def decide(
    connection: duckdb.DuckDBPyConnection,
    records: Records,
    compared: Compared,
    model: Model,
    rules: LinkageRules,
    two_sided: bool,
) -> pa.Table:
    """The pairs worth telling, the surest first: left_id, right_id, confidence, band, evidence.

    Where a source holds each recording once, the odds of a pair stand against those of all its rivals.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE pairs (a BIGINT, b BIGINT, pattern BIGINT);
        CREATE OR REPLACE TEMP TABLE known (pattern BIGINT, odds DOUBLE, evidence VARCHAR);
        CREATE OR REPLACE TEMP TABLE who (rec BIGINT, id VARCHAR, source VARCHAR)""")
    patterns = compared.patterns.tolist()
    weighed = {"pattern": list(range(len(patterns))), "odds": np.exp(log_odds(model, compared.patterns)).tolist()}
    _insert(connection, "known", {**weighed, "evidence": [json.dumps(told(row)) for row in patterns]})
    for start in range(0, len(compared.a), _BATCH):
        part = slice(start, start + _BATCH)
        _insert(connection, "pairs", {name: getattr(compared, name)[part].tolist() for name in ("a", "b", "pattern")})
    for start in range(0, len(records.ids), _BATCH):
        part = slice(start, start + _BATCH)
        rec = list(range(len(records.ids)))[part]
        _insert(connection, "who", {"rec": rec, "id": records.ids[part], "source": records.sources[part]})
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE weighed AS SELECT a, b, odds, pattern, l.id AS left_id, r.id AS right_id, l.source AS source_a, r.source AS source_b
        FROM pairs JOIN known USING (pattern) JOIN who l ON l.rec = a JOIN who r ON r.rec = b""")
    rivals = " + ".join(
        f"greatest(sum(odds) OVER (PARTITION BY {end}, source_{other} ORDER BY odds, a, b ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) - odds, 0)"
        for end, other in _rival_ends(connection, rules, two_sided)
    )
    bands = rules.bands
    itself = "" if two_sided else "AND left_id <> right_id"
    told_pairs = connection.sql(f"""
        WITH sure AS (SELECT *, round(odds / (1 + odds + {rivals or "0"}), 6) AS confidence FROM weighed)
        SELECT left_id, right_id, confidence,
            CASE WHEN confidence >= {bands.auto} THEN 'auto' WHEN confidence >= {bands.review} THEN 'review' ELSE 'reject' END AS band, evidence
        FROM sure JOIN known USING (pattern) WHERE confidence >= {bands.told} {itself}
        ORDER BY confidence DESC, left_id, right_id, evidence""")
    return told_pairs.to_arrow_table()


def _rival_ends(connection: duckdb.DuckDBPyConnection, rules: LinkageRules, two_sided: bool) -> list[tuple[str, str]]:
    """From which ends of a pair partners compete: those where two good partners in one source are the exception."""
    told_apart = "" if two_sided else "AND source_a IS NOT NULL AND source_b IS NOT NULL"
    ends = []
    for end, other in (("a", "b"), ("b", "a")):
        linked, twice = connection.execute(f"""
            SELECT count(*), count(*) FILTER (partners > 1) FROM (
                SELECT count(*) AS partners FROM weighed WHERE odds >= {_SURE / (1 - _SURE)} {told_apart} GROUP BY {end}, source_{other})
            """).fetchall()[0]
        if linked and twice < rules.exclusive * linked:
            ends.append((end, other))
    return ends
