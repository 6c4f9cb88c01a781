"""The synthetic label's contracts, and what they give to whom: worked out here on its own, as a second opinion.

Nothing of the engine is used. A deal is split by its definition with exact fractions, over sums of money rather
than lines, and must come out with at most 18 decimals: the truth contains no rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

LABEL = "P-LABEL"
OPEN_END = "9999-12"

# Party, what becomes of it (payable, retained, fees), amount.
Portion = tuple[str, str, Fraction]


@dataclass(frozen=True)
class Deal:
    """One version of one contract. Rates are in percent; `fees` is by source, "" for every source."""

    contract: str
    version: str
    title: str
    artist_party: str
    master: int
    artists: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    first: str = "2025-01"
    last: str = OPEN_END
    fees: Mapping[str, int] = field(default_factory=dict)
    deduction: int = 0
    territories: tuple[str, ...] = ()
    publishing: int = 0
    writers: Mapping[str, int] = field(default_factory=dict)
    points: int = 0
    producer: str = ""
    points_from: str = "artist"
    tree: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def covers(self, artist: str, label: str, month: str) -> bool:
        return self.first <= month <= self.last and (artist in self.artists or label in self.labels)

    def split(self, source: str, territory: str, amount: Fraction) -> Iterator[Portion]:
        """Every portion of an amount; the portions add up to it."""
        fee = Fraction(self.fees.get(source, self.fees.get("", 0)), 100)
        yield "P-DIST", "fees", amount * fee
        rest = amount * (1 - fee)
        deducted = rest * Fraction(self.deduction if territory in self.territories else 0, 100)
        yield LABEL, "retained", deducted
        rest -= deducted
        composition = rest * Fraction(self.publishing, 100)
        for writer, share in self.writers.items():
            yield writer, "payable", composition * Fraction(share, 100)
        master = rest - composition
        points = master * Fraction(self.points, 100)
        artist, label = master * Fraction(self.master, 100), master * Fraction(100 - self.master, 100)
        if self.producer:
            yield self.producer, "payable", points
        artist, label = (artist - points, label) if self.points_from == "artist" else (artist, label - points)
        yield LABEL, "retained", label
        yield from self._shared(self.artist_party, artist)

    def _shared(self, party: str, amount: Fraction) -> Iterator[Portion]:
        members = self.tree.get(party, {})
        for member, share in members.items():
            yield from self._shared(member, amount * Fraction(share, 100))
        yield party, "payable", amount * Fraction(100 - sum(members.values()), 100)

    def yaml(self) -> str:
        """The contract as a document of the book."""
        until = "" if self.last == OPEN_END else f", to: {self.last}"
        lines = [
            f"contract: {self.contract}",
            f'version: "{self.version}"',
            f"title: {self.title}",
            f"effective: {{from: {self.first}{until}}}",
            f"label: {LABEL}",
            "parties:",
            f"  {LABEL}: {{name: North Pier Records}}",
            "  P-DIST: {name: Harbor Distribution}",
            *(f"  {party}: {{name: {name}}}" for party, name in self.names.items()),
            "covers:",
            *([f"  artists: [{', '.join(self.artists)}]"] if self.artists else []),
            *([f"  labels: [{', '.join(self.labels)}]"] if self.labels else []),
            "terms:",
        ]
        for source, rate in self.fees.items():
            when = f", when: {{source: [{source}]}}" if source else ""
            lines.append(f"  - {{clause: distribution_fee, rate: {rate}%, to: P-DIST{when}}}")
        if self.deduction:
            when = f"when: {{territory: [{', '.join(self.territories)}]}}"
            lines.append(f"  - {{clause: territory_deduction, rate: {self.deduction}%, {when}}}")
        if self.publishing:
            lines.append(f"  - {{clause: publishing_share, rate: {self.publishing}%, to: {_shares(self.writers)}}}")
        lines.append(f"  - {{clause: master_share, rate: {self.master}%, to: {self.artist_party}}}")
        if self.producer:
            lines.append(
                f"  - {{clause: producer_points, points: {self.points}%, to: {self.producer}, from: {self.points_from}}}"
            )
        if self.tree:
            lines += ["tree:", *(f"  {party}: {_shares(members)}" for party, members in self.tree.items())]
        return "\n".join(lines) + "\n"


def _shares(shares: Mapping[str, int]) -> str:
    return "{" + ", ".join(f"{party}: {share}%" for party, share in shares.items()) + "}"


DEALS: tuple[Deal, ...] = (
    Deal("C-001", "1", "Luna Vale, recording agreement", "A-LUNA", 50, ("Luna Vale",), last="2026-05",
    names={"A-LUNA": "Luna Vale"}),
    Deal("C-001", "2", "Luna Vale, amended agreement", "A-LUNA", 60, ("Luna Vale",), first="2026-06",
    names={"A-LUNA": "Luna Vale"}),
    Deal(
        "C-002", "1", "Élodie Marchand, licence with distribution fees", "A-ELODIE", 40, ("Élodie Marchand",),
        fees={"distrokid_13": 15, "distrokid_current": 10}, names={"A-ELODIE": "Élodie Marchand"},
    ),
    Deal(
        "C-003", "1", "山田ハルカ, with a deduction in Asia", "A-HARUKA", 50, ("山田ハルカ",),
        deduction=10, territories=("JP", "KR"), names={"A-HARUKA": "山田ハルカ"},
    ),
    Deal(
        "C-004", "1", "Kiri Stone, producer paid by the artist", "A-KIRI", 50, ("Kiri Stone",),
        points=4, producer="P-MIKA", names={"A-KIRI": "Kiri Stone", "P-MIKA": "Mika Dahl"},
    ),
    Deal(
        "C-005", "1", "The Paper Lanterns, a band", "A-LANTERNS", 50, ("The Paper Lanterns",),
        tree={"A-LANTERNS": {"A-DRUMS": 25, "A-BASS": 25, "A-KEYS": 20}, "A-BASS": {"M-BASS": 20}},
        names={
            "A-LANTERNS": "The Paper Lanterns", "A-DRUMS": "Odd Berg", "A-BASS": "Inés Prado", "A-KEYS": "Sol Adeyemi",
            "M-BASS": "Prado Management",
        },
    ),
    Deal(
        "C-006", "1", "Ana Müller, master and publishing", "A-ANA", 45, ("Ana Müller",),
        publishing=10, writers={"W-ANA": 60, "W-BEN": 40}, names={"A-ANA": "Ana Müller", "W-ANA": "Ana Müller (songs)",
        "W-BEN": "Ben Osei"},
    ),
    Deal("C-007", "1", "Firqat al-Nour, fee on every source", "A-NOUR", 50, ("فرقة النور",), fees={"": 12},
    names={"A-NOUR": "فرقة النور"}),
    Deal(
        "C-008", "1", "Вера Лес, producer paid by the label", "A-VERA", 25, ("Вера Лес",),
        points=5, producer="P-IGOR", points_from="label", names={"A-VERA": "Вера Лес", "P-IGOR": "Игорь Тал"},
    ),
    Deal(
        "C-009", "1", "김하늘, everything at once", "A-HANEUL", 50, ("김하늘",),
        fees={"fuga": 10}, deduction=10, territories=("JP",), publishing=8, writers={"W-HANEUL": 50, "W-SORA": 50},
        points=2, producer="P-MIKA", tree={"A-HANEUL": {"A-SORA": 50}},
        names={
            "A-HANEUL": "김하늘", "A-SORA": "이소라", "W-HANEUL": "김하늘 (songs)", "W-SORA": "이소라 (songs)",
            "P-MIKA": "Mika Dahl",
        },
    ),
    Deal(
        "C-010", "1", "Glasshouse, a sub-label", "L-GLASS", 70,
        labels=("Glasshouse",), names={"L-GLASS": "Glasshouse Collective"},
    ),
)  # fmt: skip


def deal_for(artist: str, label: str, month: str) -> Deal | None:
    """The deal in force for a recording in a month of use."""
    return next((deal for deal in DEALS if deal.covers(artist, label, month)), None)
