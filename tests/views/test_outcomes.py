"""Match rates by lines and money; every line and cent of the reports that count is in exactly one outcome. No JVM."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from deltalake import DeltaTable

from lakehouse.runs.outcomes import keep_outcomes
from lakehouse.tables import bronze, gold, silver
from lakehouse.views.outcomes import fallback_outcomes, matching, recorded_outcomes
from tests.support.doubt import FILE, INTRO, JUNE, MAY, decision, lake_in_doubt
from tests.support.golden import rows_of
from tests.support.lake import append
from tests.support.routed import events_of, keep_events


def test_rates_are_of_lines_and_of_money_and_outcomes_add_up_to_the_usage(tmp_path: Path) -> None:
    """F-27. Three lines of 1 EUR, none matched; then Intro is accepted, and four more lines of 0.50 EUR come with it: 3 of 5 EUR, 5 of 7 lines."""
    env = lake_in_doubt(root := tmp_path / "lake")
    ruleset = env.rules.ruleset
    keep_events(env, events_of(env))
    (nothing, by_source) = matching(env.reader, ruleset, MAY)["rates"]
    assert (nothing["source"], nothing["lines"], nothing["line_rate"], nothing["money_rate"]) == (None, 3, "0", "0")
    assert by_source["source"] == "distrokid_13"
    (intro,) = [row for row in rows_of(env.reader, "silver.usage") if row["usage_key"] == INTRO]
    append(root, silver.usage, [{**intro, "line_no": n, "amount": Decimal("0.5")} for n in range(10, 14)])
    append(root, silver.matches, [decision(ruleset, "Intro", "MATCHED", review_no=1, recording_id="R-3", tier="alias")])
    report = matching(env.reader, ruleset, MAY)
    rates = report["rates"][0]
    assert (rates["lines"], rates["matched_lines"], rates["line_rate"]) == (7, 5, "0.7143")
    assert (rates["amount"], rates["matched_amount"], rates["money_rate"]) == ("5.00", "3.00", "0.6")
    usage = rows_of(env.reader, "silver.usage", MAY)
    assert sum(row["lines"] for row in report["outcomes"]) == len(usage)
    assert sum(Decimal(row["amount"]) for row in report["outcomes"]) == sum(row["amount"] for row in usage)
    assert {(row["tier"], row["status"], row["gap"]) for row in report["outcomes"]} >= {("none", "UNCLAIMED", "DELAYED")}
    assert report["held"]


def test_a_report_that_a_later_version_replaced_does_not_count(tmp_path: Path) -> None:
    env = lake_in_doubt(root := tmp_path / "lake")
    versions = [(FILE, 1), ("e" * 64, 2)]
    append(root, bronze.files, [_file(file_id, version) for file_id, version in versions])
    assert matching(env.reader, env.rules.ruleset, MAY)["rates"] == []


def _file(file_id: str, version: int) -> dict[str, object]:
    from datetime import datetime, timezone

    empty = {"string": "x", "bigint": 1, "int": 1, "timestamp": datetime(2026, 6, 1, tzinfo=timezone.utc)}
    required = {field.name: empty.get(field.type, []) for field in bronze.files.fields if field.required}
    return {**required, "period": MAY, "report_period": MAY, "file_id": file_id, "source": "distrokid_13", "report_key": "main",
            "report_version": version}  # fmt: skip


def test_what_a_run_has_read_is_told_as_it_read_it(tmp_path: Path) -> None:
    """F-27: Intro is accepted after May was computed, and a run of June has decided Harbour. Outcomes of May as computed know of neither."""
    env = lake_in_doubt(root := tmp_path / "lake")
    ruleset = env.rules.ruleset
    keep_events(env, events_of(env))
    append(root, silver.matches, [decision(ruleset, "Harbour", "UNCLAIMED", period=JUNE, catalog_version=2)])
    as_read = {table.name: env.reader.version(table.name) for table in (silver.usage, silver.matches, silver.routing_audit)}
    append(root, silver.matches, [decision(ruleset, "Intro", "MATCHED", review_no=1, recording_id="R-3", tier="alias")])
    told = [(row["tier"], row["status"], row["keys"]) for row in fallback_outcomes(env.reader, ruleset, MAY, as_read)]
    assert told == [("fuzzy", "AMBIGUOUS", 2), ("none", "UNCLAIMED", 1)]
    told = [(row["tier"], row["status"], row["keys"]) for row in fallback_outcomes(env.reader, ruleset, MAY)]
    assert told == [("alias", "MATCHED", 1), ("none", "UNCLAIMED", 1), ("none", "UNCLAIMED", 1)]


def test_a_period_without_usage_is_recorded_once_too(tmp_path: Path) -> None:
    env = lake_in_doubt(root := tmp_path / "lake")
    for _ in range(2):
        keep_outcomes(env, JUNE, [])
    table = DeltaTable(root / gold.fallback_outcomes.path)
    assert (table.version(), table.file_uris()) == (1, [])
    assert recorded_outcomes(env.reader) == []
