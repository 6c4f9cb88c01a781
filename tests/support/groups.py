"""Random groups of usage lines, a book that divides them, and what the reference engine makes of each."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from random import Random
from typing import Any

from lakehouse.model.book import ContractBook
from lakehouse.model.clauses import Usage
from lakehouse.model.money import from_units
from tests.support.frames import DIMENSIONS, digest

_PARTIES = "parties: {P-LABEL: {name: L}, P-D: {name: D}, P-A: {name: A}, P-B: {name: B}, P-C: {name: C}, P-E: {name: E}}"
BOOK = {
    "artist-1.yaml": f"""\
contract: C-1
version: "1"
effective: {{from: 2026-01, to: 2026-03}}
label: P-LABEL
{_PARTIES}
covers: {{artists: [Mira Okoye]}}
terms:
  - {{clause: distribution_fee, rate: 15%, to: P-D, when: {{source: believe}}}}
  - {{clause: territory_deduction, rate: 1/7, when: {{territory: [DE, US]}}}}
  - {{clause: territory_deduction, rate: 10%, when: {{territory: US}}}}
  - {{clause: publishing_share, rate: 1/9, to: {{P-A: 1/3, P-B: 2/3}}}}
  - {{clause: master_share, rate: 60%, to: P-A}}
  - {{clause: producer_points, points: 3.5%, to: P-A}}
tree:
  P-A: {{P-B: 1/3, P-C: 1/3}}
  P-B: {{P-E: 50%}}
  P-C: {{P-E: 1/7}}
""",
    "artist-2.yaml": f"""\
contract: C-1
version: "2"
effective: {{from: 2026-04}}
label: P-LABEL
{_PARTIES}
covers: {{artists: [Mira Okoye]}}
terms:
  - {{clause: master_share, rate: 2/3, to: P-A}}
  - {{clause: master_share, rate: 0%, to: P-A, when: {{channel: YouTube}}}}
""",
    "label.yaml": f"""\
contract: C-2
version: "1"
effective: {{from: 2026-01}}
label: P-LABEL
{_PARTIES}
covers: {{labels: [Kitetail]}}
terms:
  - {{clause: master_share, rate: 50%, to: P-C}}
""",
}


def random_groups(count: int) -> list[dict[str, Any]]:
    """Groups over every dimension a clause looks at; amounts of every size and sign, with 18 decimals."""
    random = Random(20260501)
    return [
        {
            **DIMENSIONS,
            "usage_key": digest(str(number)),
            "territory": random.choice(["DE", "US", "FR"]),
            "channel": random.choice(["Spotify", "YouTube"]),
            "source": random.choice(["believe", "fuga"]),
            "usage_period": random.choice(["2025-12", "2026-02", "2026-03", "2026-04"]),
            "usage_lines": 1,
            "units": "1",
            "amount": from_units(random.choice([0, 1, -1, 7, random.randrange(-(10**24), 10**24), random.randrange(10**36)])),
            "recording_id": f"R-{random.randrange(5)}",
            "catalog_artist": random.choice(["Mira Okoye", "Jonas Vale"]),
            "catalog_label": random.choice(["Kitetail", None]),
            "release": None,
            "hold_id": random.choice([None, None, "h" + str(number)]),
        }
        for number in range(count)
    ]


def by_the_reference(group: dict[str, Any], book: ContractBook) -> list[tuple[Any, ...]]:
    contract = book.in_force(group["recording_id"], group["catalog_artist"], group["catalog_label"], group["usage_period"])
    if contract is None:
        return [(group["usage_key"], None, None, None, None, None, group["amount"], None)]
    told = {field.name for field in fields(Usage)} & set(group)
    dimensions = {name: Decimal(group[name]) if name == "units" else group[name] for name in told}
    parts = contract.split(Usage(recording=group["recording_id"], **dimensions), group["amount"])
    steps = [tuple((s.stage, s.term, s.amount_in, s.amount_out) for s in part.stream.steps) for part in parts]
    named = (group["usage_key"], contract.contract, contract.version)
    return [(*named, p.party, p.role, p.category, p.stream.amount, trail) for p, trail in zip(parts, steps, strict=True)]
