"""The quality gates: Great Expectations over the tables of a period, with its history and its pages of HTML."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.checks.expectations import FAIL, Expected, expectations_of
from lakehouse.errors import Misuse
from lakehouse.runs.books import check_period
from lakehouse.runs.environment import Environment
from lakehouse.tables import Table, gold, ops, silver
from lakehouse.transforms.local import local_rows
from lakehouse.views.report import layer_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SILVER = (silver.usage, silver.catalog, silver.contracts, silver.matches, silver.duplicates)
_SITE = "lake"
_SHOWN = 5


def check_quality(env: Environment, period: str, pages: Path) -> dict[str, Any]:
    """Holds silver and the period's drafts or gold against what their declarations say; keeps the results; writes HTML to `pages`.

    {period, check_id, ok, fail, warn, pages, results: the columns of ops.quality_results}. Raises Misuse where the package's extra
    `quality` is not installed.
    """
    check_period(period)
    env.store.versions([ops.quality_results])
    gx = _great_expectations()
    drafts = dict(zip(gold.PUBLISHED, gold.DRAFTS, strict=True))
    tables = [*_SILVER, *(gold.PUBLISHED if layer_of(env.reader, period) == "gold" else drafts.values())]
    versions = env.store.versions(tables)
    check = {"period": period, "check_id": uuid.uuid4().hex, "checked_at": datetime.now(timezone.utc)}
    with _docs(gx, pages) as context:
        results = [
            {**check, "table_name": table.name, "delta_version": versions[table.name], **result}
            for table in tables
            for result in _validated(gx, context, table, _rows(env, table, versions[table.name], period))
        ]
        context.build_data_docs(site_names=[_SITE])
    rows = local_rows(env.spark, ops.quality_results.types, [tuple(r[c] for c in ops.quality_results.columns) for r in results])
    env.store.append(ops.quality_results, rows.coalesce(1), {"job": "quality", "check_id": check["check_id"], "period": period})
    broken = [result["severity"] for result in results if not result["ok"]]
    counts = {severity: broken.count(severity) for severity in ("fail", "warn")}
    written = [{name: value for name, value in result.items() if name not in check} for result in results]
    where = str(pages / "index.html")
    return {"period": period, "check_id": check["check_id"], "ok": not counts[FAIL], **counts, "pages": where, "results": written}


def _rows(env: Environment, table: Table, version: int, period: str) -> DataFrame:
    return env.store.read(table, version, period=period if "period" in table.partition_by else None)


def _great_expectations() -> Any:
    # It reports on its users by default. Nothing of a lake leaves the house.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    try:
        import great_expectations
    except ImportError:
        raise Misuse("The quality gates need Great Expectations: install royalty-lakehouse[quality].") from None
    return great_expectations


@contextmanager
def _docs(gx: Any, pages: Path) -> Iterator[Any]:
    """A context that keeps nothing but a site of HTML pages in a folder."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(pages.absolute())}
    site = {"class_name": "SiteBuilder", "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"}, "store_backend": store}
    context.add_data_docs_site(site_name=_SITE, site_config=site)
    yield context


def _validated(gx: Any, context: Any, table: Table, rows: DataFrame) -> list[dict[str, Any]]:
    """The results for one table, in the order of its expectations."""
    expected = expectations_of(table)
    suite = gx.ExpectationSuite(name=table.name)
    for one in expected:
        suite.add_expectation(_as_great_expectation(gx, one))
    asset = context.data_sources.add_spark(table.name).add_dataframe_asset(table.name)
    batch = asset.add_batch_definition_whole_dataframe("rows")
    definition = gx.ValidationDefinition(name=table.name, data=batch, suite=context.suites.add(suite))
    checkpoint = gx.Checkpoint(
        name=table.name,
        validation_definitions=[context.validation_definitions.add(definition)],
        actions=[],
        result_format="BASIC",
    )
    outcome = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": rows})
    (validation,) = outcome.run_results.values()
    by_id = {result.expectation_config.meta["lakehouse"]: result for result in validation.results}
    return [_result(one, by_id[_name(one)]) for one in expected]


def _as_great_expectation(gx: Any, expected: Expected) -> Any:
    kind = getattr(gx.expectations, expected.kind)
    severity = "critical" if expected.severity == FAIL else "warning"
    return kind(**expected.arguments, severity=severity, meta={"lakehouse": _name(expected)})


def _name(expected: Expected) -> str:
    return f"{expected.kind} {','.join(expected.columns)}"


def _result(expected: Expected, result: Any) -> dict[str, Any]:
    error = result.exception_info.get("exception_message") if result.exception_info else None
    found = result.result or {}
    examples: Sequence[Any] = [error] if error else (found.get("partial_unexpected_list") or [])[:_SHOWN]
    return {
        "expectation": expected.kind, "columns": ",".join(expected.columns), "severity": expected.severity, "ok": bool(result.success),
        "rows": found.get("element_count"), "unexpected": found.get("unexpected_count"), "examples": [str(value) for value in examples],
    }  # fmt: skip
