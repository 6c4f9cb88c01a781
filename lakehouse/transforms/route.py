"""Routing of the matcher's decisions: one event for each, by the rules of `lakehouse.model.routing`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import Window
from pyspark.sql import functions as F

from lakehouse.model.money import minor_digits
from lakehouse.model.routing import Payload, Ruleset, event_id, read_ruleset, ruleset_sha256
from lakehouse.model.vocabulary import PAID
from lakehouse.tables import silver
from lakehouse.tables.declare import MONEY
from lakehouse.transforms.resolved import arrow_of, ddl_of

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# What an event says, but for the run and the event before it; and the text of its payload.
_EVENT = (
    *(field for field in silver.routing_audit.fields if field.name not in ("run_id", "decided_at", "supersedes")),
    silver.routing_payloads.field("payload"),
)


# Of a source: its match rate and its fidelity, as text; None where there is none yet.
Record = Mapping[str, tuple[str | None, str | None]]


def reported(usage: DataFrame, identity: Sequence[str]) -> DataFrame:
    """[usage_key, identity, sources, money]: what reports say of each key, by the least of each, and bring by currency.

    `usage`: usage_key, identity, source, currency, amount of usage lines.
    """
    values = [F.min(name).alias(name) for name in identity]
    of_currency = usage.groupBy("usage_key", "currency").agg(
        *values, F.sum("amount").cast(MONEY).alias("amount"), F.collect_set("source").alias("sources")
    )
    money = F.map_from_entries(F.collect_list(F.struct("currency", "amount"))).alias("money")
    sources = F.array_sort(F.array_distinct(F.flatten(F.collect_list("sources")))).alias("sources")
    return of_currency.groupBy("usage_key").agg(*values, sources, money)


def route(decisions: DataFrame, text: str, period: str, record: Record = MappingProxyType({})) -> DataFrame:
    """An event, with its payload, for each decision, under the routing document `text`.

    In: the columns of silver.matches as the matcher proposes them, and those of `reported`; `record` is that of each source. Out:
    silver.routing_audit without run_id, decided_at and supersedes, and the payload.
    """
    columns = [name for name in (*Payload.model_fields, "money") if name not in ("at_stake", "match_rate", "fidelity")]
    return decisions.select(*columns).mapInArrow(_router(text, period, dict(record)), ddl_of(*_EVENT))


def _router(text: str, period: str, record: Record) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    schema = arrow_of(*_EVENT)

    def batches(decisions: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        ruleset, digest = read_ruleset(text), ruleset_sha256(text)
        for batch in decisions:
            rows = [_event(row, ruleset, digest, period, record) for row in batch.to_pylist(maps_as_pydicts="strict")]
            yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return batches


def _event(row: dict[str, Any], ruleset: Ruleset, digest: str, period: str, record: Record) -> dict[str, Any]:
    money, sources = row.pop("money"), tuple(row.pop("sources"))
    row.update({name: tuple(row[name] or ()) for name in ("works", "deficiencies")})
    payload = Payload(
        **{**row, "match_confidence": repr(row["match_confidence"])},
        sources=sources,
        at_stake=max((int(amount.scaleb(minor_digits(currency))) for currency, amount in money.items()), default=0),
        match_rate=_worst(sources, record, 0),
        fidelity=_worst(sources, record, 1),
    )
    decision, sha256 = ruleset.decide(payload), payload.sha256
    return {
        "period": period, "event_id": event_id(sha256, digest), "usage_key": payload.usage_key, "payload_sha256": sha256,
        "rule_id": decision.rule_id, "path": list(decision.path), "gap": decision.gap, "score": decision.score,
        "destination": f"{decision.to}/period={period}", "routing_version": ruleset.version, "routing_sha256": digest,
        "works": list(payload.works) or None, "payload": payload.canonical(),
    }  # fmt: skip


def _worst(sources: Iterable[str], record: Record, part: int) -> str | None:
    known = [told for source in sources if (told := record.get(source, (None, None))[part]) is not None]
    return min(known, key=Decimal, default=None)


def as_routed(proposed: DataFrame, events: DataFrame) -> DataFrame:
    """The matcher's decisions with the status that routing leaves them: a match that waits for a person is AMBIGUOUS, and offers its recording,
    with what the recording's message gets wrong among the evidence.

    `events`: those of `route`, with their payloads.
    """
    wrong = F.from_json(F.get_json_object("payload", "$.deficiencies"), "array<string>")
    ends = events.select("usage_key", F.element_at("path", -1).alias("end"), wrong.alias("wrong"))
    waits = F.col("reconciliation_status").isin(*PAID) & (F.col("end") != "ROUTED")
    # In a step of its own: where one select also empties `recording_id`, a lambda in it sees the empty one.
    shown = {
        "_offered": F.array(F.struct("recording_id", F.col("match_confidence").alias("score"))),
        "_explained": F.concat(
            F.transform("evidence", lambda item: _explained(*(item[part] for part in ("field", "level", "usage", "catalog")))),
            F.transform(
                F.coalesce("wrong", F.array()), lambda rule: _explained(F.lit("message"), rule, F.lit(None), F.lit(None))
            ),
        ),
    }
    instead = {
        "reconciliation_status": F.lit("AMBIGUOUS"), "recording_id": F.lit(None),
        "offered": F.col("_offered"), "offered_evidence": F.col("_explained"),
    }  # fmt: skip
    columns = [F.when(waits, instead[c]).otherwise(F.col(c)).alias(c) if c in instead else F.col(c) for c in proposed.columns]
    return proposed.join(ends, "usage_key").withColumns(shown).select(*columns)


def _explained(field: Column, level: Column, usage: Column, catalog: Column) -> Column:
    """An item of `offered_evidence` of the row's own recording."""
    return F.struct(
        F.col("recording_id"), field.alias("field"), level.alias("level"),
        usage.cast("string").alias("usage"), catalog.cast("string").alias("catalog"),
    )  # fmt: skip


def latest_events(events: DataFrame) -> DataFrame:
    """[usage_key, supersedes]: the newest event of each key, which the next one takes the place of."""
    newest = Window.partitionBy("usage_key").orderBy(F.desc("decided_at"), F.desc("event_id"))
    numbered = events.withColumn("age", F.row_number().over(newest)).where("age = 1")
    return numbered.select("usage_key", F.col("event_id").alias("supersedes"))
