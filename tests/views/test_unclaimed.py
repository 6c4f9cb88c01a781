"""What may leave holding by market share: what nobody owns, in its time, where somebody earned, in amounts that are worth it (G4.md F-34, F-35)."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import Findings, Misuse
from lakehouse.model.holding import HoldingPolicy
from lakehouse.runs.unclaimed import release_unclaimed
from lakehouse.store.reader import LakeReader
from lakehouse.views.unclaimed import due_by_market
from tests.support.lakes import JUNE, MAY, environment

pytestmark = pytest.mark.spark


def _policy(**more: object) -> HoldingPolicy:
    plain = {"policy": "own", "title": "Own", "authority": "the house", "hold_months": 1, "release": "market_share"}
    return HoldingPolicy.model_validate({**plain, **more})


@pytest.mark.parametrize(
    ("policy", "period", "waits"),
    [
        (_policy(), JUNE, [""]),
        (_policy(), MAY, []),  # its month is not over
        (_policy(territories=["FR"]), JUNE, None),
        (_policy(minimum={"USD": "1.25"}), JUNE, [""]),
        (_policy(minimum={"USD": "1.26"}), JUNE, ["less than 1.26 USD is due in its market"]),
        (_policy(release="collective"), JUNE, []),
    ],
)
def test_a_hold_goes_when_its_policy_says(closed_lake: Path, policy: HoldingPolicy, period: str, waits: list[str] | None) -> None:
    """1.25 USD of a song nobody knows, used in Germany, held since May."""
    everything = _policy(policy="rest", hold_months=None, release="match")
    policies = [policy] if waits is not None else [policy, everything]
    assert [one.waits for one in due_by_market(LakeReader(str(closed_lake)), policies, period)] == (waits or [])


def test_a_closed_period_and_policies_that_never_share_are_refused(closed_lake: Path) -> None:
    env = environment(closed_lake)
    with pytest.raises(Findings):
        release_unclaimed(env, MAY, [_policy()], "why", "Ada", dry_run=True)
    with pytest.raises(Misuse, match="No holding policy releases by market share"):
        release_unclaimed(env, JUNE, [_policy(release="match")], "why", "Ada", dry_run=True)
