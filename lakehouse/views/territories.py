"""What is known of territories: facts of countries, the law of held money there, and the services that have reported from them. No JVM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from lakehouse.errors import Misuse
from lakehouse.model.holding import HoldingPolicy
from lakehouse.model.places import countries_of, country
from lakehouse.model.territories import NOWHERE
from lakehouse.store.reader import LakeReader
from lakehouse.tables import silver


def territories(reader: LakeReader, policies: Iterable[HoldingPolicy], within: str = "WORLD") -> list[dict[str, Any]]:
    """Every country of a code or group: {code, name, currency, languages, groups, regulation, platforms}.

    `regulation`: the holding policies that name the country, with their authority; `platforms`: each channel that reports say it was used by there, with the
    first and the last month. Raises Misuse for an unknown territory.
    """
    codes = sorted(countries_of(within) - {NOWHERE})
    if not codes:
        raise Misuse(f"{within!r} is neither an ISO 3166-1 alpha-2 code nor a territory group, such as DE or EU.")
    law = [(policy, frozenset().union(*map(countries_of, policy.territories))) for policy in policies if policy.territories]
    platforms: dict[str, list[dict[str, str]]] = defaultdict(list)
    rows = reader.sql(
        f"""SELECT territory, channel, min(usage_period) AS since, max(usage_period) AS until
            FROM {reader.relation(silver.usage.name)} WHERE list_contains(?, territory) GROUP BY ALL ORDER BY ALL""",
        [codes],
    )
    for row in rows:
        platforms[row.pop("territory")].append(row)
    return [
        {
            **asdict(country(code)),
            "regulation": [
                {"policy": policy.policy, "rights": list(policy.rights), "authority": policy.authority}
                for policy, there in law
                if code in there
            ],
            "platforms": platforms[code],
        }
        for code in codes
    ]
