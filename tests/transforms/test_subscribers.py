"""A user-centric pool of a lake gives each group what the reference gives it, subscriber by subscriber, and no subscriber leaves the division."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.errors import Findings
from lakehouse.model.clauses import Condition, Step, Usage
from lakehouse.model.money import ZERO, add, from_units
from lakehouse.model.pools import pool_term, pooled
from lakehouse.model.rules import Pool
from lakehouse.model.trial_rows import UsageRow
from lakehouse.tables import gold, silver
from lakehouse.tables.gold import line_key
from tests.support.frames import DIMENSIONS, dicts, digest, frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

POOLS = (
    Pool(name="premium", method="user_centric", dsp_cut="30%", when=Condition(price_category="PREMIUM")),  # type: ignore[arg-type]
    Pool(name="us", method="pro_rata", dsp_cut="1/3", minimum="9000", when=Condition(territory="US")),  # type: ignore[arg-type]
    Pool(name="family", method="user_centric", dsp_cut="1/7", when=Condition(channel="Deezer", to_period="2026-03")),  # type: ignore[arg-type]
)
_TOLD = ("territory", "channel", "configuration", "price_category", "source", "usage_period", "currency")
_OF = ("base", "amount", "steps", "usage_lines", "units", "gross")

# Few values each, so that a group has lines of several subscribers and a subscriber lines in several groups.
LINES = st.fixed_dictionaries({
    **{name: st.just(value) for name, value in DIMENSIONS.items()},
    "usage_key": st.sampled_from([digest(f"K{number}") for number in range(2)]), "subscriber": st.sampled_from([None, "s-ann", "s-bo", "s-cy"]),
    "price_category": st.sampled_from([None, "PREMIUM", "PREMIUM"]), "territory": st.sampled_from(["US", "DE"]),
    "channel": st.sampled_from(["Deezer", "Qobuz"]), "usage_period": st.sampled_from(["2026-03", "2026-03", "2026-04"]),
    "currency": st.sampled_from(["EUR", "USD"]), "source": st.sampled_from([*["believe"] * 7, "adjustment"]),
    # Mostly more than nothing: a subscriber, or a pool, whose units add up to nothing cannot be divided.
    "units": st.one_of(st.integers(1, 10**8), st.integers(-(10**7), 10**7)).map(lambda size: from_units(size * 10**12)),
    "amount": st.one_of(st.just(0), st.integers(-(10**21), 10**22)).map(from_units),
    "gross": st.one_of(st.none(), st.integers(0, 10**22).map(from_units)),
})  # fmt: skip


def _of_subscribers(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups of the lines, in a user-centric pool those of each subscriber apart."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in lines:
        usage = Usage("", **{name: line[name] for name in _TOLD})
        pool = next((pool for pool in POOLS if pool.when.fits(usage)), None)
        asked = pool is not None and pool.method == "user_centric" and line["source"] != "adjustment"
        whose = (line["subscriber"] or "") if asked else ""
        key = line_key({**line, "hold_id": None})
        row = found.setdefault((key, whose), {**line, "key": key, "whose": whose, "units": ZERO, "amount": ZERO, "lines": []})
        row["lines"].append(line)
        row["units"], row["amount"] = (add(row[name], line[name]) for name in ("units", "amount"))
    return list(found.values())


def _by_the_reference(lines: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """For each group `_OF`. Raises ValueError where a pool or a subscriber has no units."""
    groups = _of_subscribers(lines)
    rows = {
        (g["key"], g["whose"]): UsageRow(
            line_key({**g, "hold_id": g["whose"]}), "2026-05", g["amount"], g["currency"], "", None, g["whose"],
            Usage("", units=g["units"], **{name: g[name] for name in _TOLD}),
        )
        for g in groups
    }  # fmt: skip
    # An adjustment is in no pool of a lake.
    bases = pooled(POOLS, [row for row in rows.values() if row.usage.source != "adjustment"])
    parts: dict[str, list[Any]] = defaultdict(list)
    for place, row in rows.items():
        parts[place[0]].append(bases.get(row.line_id, (row.amount, ())))
    return {key: (*_together(own), *_measured([g for g in groups if g["key"] == key])) for key, own in parts.items()}


def _together(parts: list[tuple[Decimal, Any]]) -> tuple[Any, ...]:
    """The base and the amount of a group, and its steps without who listened: each leads from a sum over its subscribers to the next."""
    amount = add(*(amount for amount, _ in parts))
    steps = [_step(same) for same in zip(*(steps for _, steps in parts), strict=True)]
    return (steps[0][2] if steps else amount, amount, steps or None)


def _step(same: Sequence[Step]) -> tuple[Any, ...]:
    term = ":".join(same[0].term.split(":")[:2])
    return same[0].stage, term, add(*(step.amount_in for step in same)), add(*(step.amount_out for step in same))


def _measured(groups: list[dict[str, Any]]) -> tuple[Any, ...]:
    lines = [line for group in groups for line in group["lines"]]
    said = any(line["gross"] is not None for line in lines)
    gross = add(*(line["amount"] if line["gross"] is None else line["gross"] for line in lines)) if said else None
    return len(lines), add(*(line["units"] for line in lines)), gross


def _by_spark(spark: SparkSession, lines: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    from lakehouse.transforms.groups import MEASURES, group_usage
    from lakehouse.transforms.pools import divide_pools, subscriber_asked

    usage = frame(spark, silver.usage, [{**line, "line_no": no} for no, line in enumerate(lines)])
    groups = group_usage(usage, frame(spark, "file_id string", []), subscriber=subscriber_asked(POOLS, by_day=False))
    divided = divide_pools(groups, POOLS, by_day=False, keep=lambda rows: rows.cache())
    assert sorted(divided.columns) == sorted((*gold.GROUP, *MEASURES, "base", "pooled"))
    told = [
        {**row, "steps": row["pooled"] and [tuple(step.values()) for step in row["pooled"]], "hold_id": None}
        for row in dicts(divided)
    ]
    assert len({line_key(row) for row in told}) == len(told)
    return {line_key(row): tuple(row[name] for name in _OF) for row in told}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(LINES, min_size=25, max_size=90))
def test_each_group_has_what_the_reference_gives_its_subscribers(spark: SparkSession, lines: list[dict[str, Any]]) -> None:
    try:
        expected = _by_the_reference(lines)
    except ValueError:
        with pytest.raises(Findings, match="no units to divide"):
            _by_spark(spark, lines)
    else:
        assert _by_spark(spark, lines) == expected


def _line(key: str, subscriber: str | None, units: str, amount: str, **more: Any) -> dict[str, Any]:
    told = {"usage_key": digest(key), "subscriber": subscriber, "units": Decimal(units), "amount": Decimal(amount), "gross": None}
    return {**DIMENSIONS, "price_category": "PREMIUM", **told, **more}


def test_a_subscriber_pays_whom_he_listens_to_and_who_is_not_named_is_one_subscriber(spark: SparkSession) -> None:
    lines = [
        _line("X", "s-ann", "90", "10"), _line("Y", "s-bo", "10", "10"),
        # of nobody: 7 of 10 by 1 and 2
        _line("X", None, "1", "10"), _line("Y", None, "2", "0"),
    ]  # fmt: skip
    expected, third = _by_the_reference(lines), Decimal("2.333333333333333333")
    assert _by_spark(spark, lines) == expected
    assert sorted(amount for _, amount, *_ in expected.values()) == [7 + third, 7 + 2 * third + Decimal("1e-18")]
    assert {steps[0][:2] for _, _, steps, *_ in expected.values()} == {("user_centric", pool_term(POOLS[0]))}


def test_subscribers_without_units_stop_the_run_and_their_report_is_named(spark: SparkSession) -> None:
    lines = [
        _line("X", "s-ann", "90", "10"), _line("Y", "s-bo", "0", "4"),
        _line("X", "s-cy", "5", "2", file_id=digest("F2")), _line("Y", "s-cy", "-5", "1", file_id=digest("F2")),
    ]  # fmt: skip
    with pytest.raises(Findings) as stopped:
        _by_spark(spark, lines)
    told, files = str(stopped.value), ", ".join(sorted(digest(name)[:12] for name in ("F1", "F2")))
    assert told.startswith("The pool premium of 2026-05 in EUR has no units to divide 7.0")
    assert f"there are 2, in the reports {files} (`subscriber` in silver.usage)" in told
    assert "s-" not in told


def test_without_a_user_centric_pool_subscribers_are_not_told_apart(spark: SparkSession) -> None:
    from lakehouse.transforms.groups import MEASURES, group_usage
    from lakehouse.transforms.pools import subscriber_asked

    assert subscriber_asked(POOLS[1:2], by_day=False) is None
    usage = frame(spark, silver.usage, [_line("X", "s-ann", "1", "2"), _line("X", "s-bo", "3", "4")])
    (group,) = dicts(
        group_usage(usage, frame(spark, "file_id string", []), subscriber=subscriber_asked(POOLS[1:2], by_day=False))
    )
    assert set(group) == {*gold.GROUP, *MEASURES}
    assert (group["usage_lines"], group["units"], group["amount"]) == (2, Decimal(4), Decimal(6))
