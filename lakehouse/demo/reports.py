"""Reports as distributors and stores write them: thirteen layouts, from a sale to a row of cells.

The layouts are written down here once more, from the published facts about each format, and not taken from
conf/sources: where the two differ, a run of the demo shows it.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from lakehouse.demo.label import Credit

# Amounts are whole numbers of ten-billionths.
UNIT = 10**10

_ALPHA3 = {
    "US": "USA", "GB": "GBR", "DE": "DEU", "FR": "FRA", "JP": "JPN", "KR": "KOR", "BR": "BRA", "NG": "NGA", "SE": "SWE",
    "MX": "MEX",
}  # fmt: skip
_STOREFRONTS = {
    "US": "United States", "GB": "United Kingdom", "DE": "Germany", "FR": "France", "JP": "Japan", "KR": "South Korea",
    "BR": "Brazil",
    "NG": "Nigeria", "SE": "Sweden", "MX": "Mexico",
}  # fmt: skip
TERRITORIES = tuple(_ALPHA3)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class Sale(NamedTuple):
    """One line of a report. `amount` is in ten-billionths of the report's currency, negative on returns."""

    credit: Credit
    month: str
    territory: str
    channel: str
    units: int
    amount: int


Row = Callable[[Sale, str], list[str]]


@dataclass(frozen=True)
class Layout:
    """One format. `shows` are the parts of a credit that its dialect reads; `lag` months lie between use and statement.
    `dirt` formats carry misspellings and strangers; `returns` ones carry refunds."""

    source: str
    file: str
    currency: str
    columns: str
    row: Row
    shows: tuple[str, ...]
    channels: tuple[str, ...] = ("",)
    share: float = 1.0
    lag: int = 0
    delimiter: str = "\t"
    quoted: bool = False
    encoding: str = "utf-8"
    eol: str = "\r\n"
    dirt: bool = False
    returns: bool = False
    preamble: Callable[[str], list[str]] = lambda period: []
    footer: Callable[[int, int], list[str]] = lambda rows, total: []

    @property
    def header(self) -> list[str]:
        return self.columns.split("|")

    def identity(self, credit: Credit) -> tuple[str, ...]:
        """What the report says of the recording, "" for what it does not show: equal identities are one usage key."""
        said = {part: getattr(credit, part) if part in self.shows else "" for part in IDENTITY}
        # The store's own id takes the place of the label's where the report has that.
        said["ref"] = credit.uri if "uri" in self.shows else said["ref"]
        return tuple(said[part] for part in IDENTITY)


IDENTITY = ("isrc", "upc", "title", "artist", "album", "label", "ref")


def text(amount: int, decimals: int = 10) -> str:
    """Plain notation with at least ten decimals; more are zeros."""
    whole, part = divmod(abs(amount), UNIT)
    return f"{'-' if amount < 0 else ''}{whole}.{part:010d}{'0' * (decimals - 10)}"


def last_day(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{month}-{monthrange(year, number)[1]:02d}"


def _american(day: str) -> str:
    year, month, number = day.split("-")
    return f"{month}/{number}/{year}"


def _distrokid_13(s: Sale, period: str) -> list[str]:
    c = s.credit
    return [
        f"{period}-14",
        s.month,
        s.channel,
        c.artist,
        c.title,
        c.isrc,
        c.upc,
        str(s.units),
        "100.0",
        "Song",
        s.territory,
        "0",
        text(s.amount),
    ]


def _distrokid_current(s: Sale, period: str) -> list[str]:
    c = s.credit
    return [
        f"{period}-16", f"{period}-14", s.month, s.channel, c.artist, c.title, c.isrc, c.upc, str(s.units), "100.0", "Streaming",
        s.territory,
        "0", text(s.amount, 18), "0",
    ]  # fmt: skip


def _tunecore(s: Sale, period: str) -> list[str]:
    c = s.credit
    return [
        f"{s.month}-01", f"{period}-20", s.channel, s.territory, c.artist, "Album", c.album, c.title, c.label, c.upc, "", c.ref,
        c.isrc, "Stream",
        str(s.units), "0.004", text(s.amount), "EUR", "1", text(s.amount), "EUR",
    ]  # fmt: skip


def _cdbaby(s: Sale, period: str) -> list[str]:
    c, (year, month) = s.credit, s.month.split("-")
    reported = period.split("-")
    return [
        f"{int(reported[1])}/15/{reported[0]} 12:00:00 AM", f"{int(month)}/1/{year} 12:00:00 AM", str(s.units), "0.01",
        text(s.amount), c.isrc,
        f'"{c.upc}"' if c.upc else "", c.ref, c.album, c.artist, c.title, s.channel, "Streaming", s.territory,
    ]  # fmt: skip


def _believe(s: Sale, period: str) -> list[str]:
    c, amount = s.credit, text(s.amount).replace(".", ",")
    return [
        f"{period}-01", f"{s.month}-01", s.channel, s.territory, c.label, c.artist, c.album, c.title, c.upc, c.isrc, c.ref,
        "PREMIUM",
        "Music Release", "Streaming", str(s.units), "EUR", "0,004", "0,0", amount, "100.0", amount,
    ]  # fmt: skip


def _bandcamp(s: Sale, period: str) -> list[str]:
    c, (year, month) = s.credit, s.month.split("-")
    refund = s.amount < 0
    # Net is sub total less fee less share; refunds leave it blank.
    share, fee = s.amount // 5, s.amount // 10
    net = s.amount - share - fee
    cells = dict.fromkeys(BANDCAMP.header, "")
    cells.update({
        "date": f"{int(month)}/3/{year[2:]} 9:15pm", "paid to": "label@example.com", "item type": "refund" if refund else "track",
        "item name": c.title, "artist": c.artist, "currency": "GBP", "item price": text(abs(s.amount)),
        "quantity": "" if refund else str(s.units),
        "sub total": text(s.amount), "transaction fee": text(fee), "assessed revenue share": text(share),
        "net amount": "" if refund else text(net),
        "upc": c.upc, "isrc": c.isrc, "buyer name": "Sam Example", "buyer email": "sam@example.com",
        "country": _STOREFRONTS[s.territory],
        "country code": s.territory,
    })  # fmt: skip
    return list(cells.values())


def bandcamp_net(gross: int) -> int:
    """What Bandcamp pays of a sale: its fee and its share are whole parts of it."""
    return gross - gross // 5 - gross // 10


def bandcamp_payout(period: str) -> list[str]:
    cells = dict.fromkeys(BANDCAMP.header, "")
    year, month = period.split("-")
    cells.update(
        {
            "date": f"{int(month)}/28/{year[2:]} 1:00am",
            "item type": "payout",
            "currency": "GBP",
            "change to payout balance": "-120.50",
        }
    )
    return list(cells.values())


def _itunes(s: Sale, period: str) -> list[str]:
    c, returned = s.credit, s.amount < 0
    return [
        _american(f"{s.month}-01"), _american(last_day(s.month)), c.upc, c.isrc, c.ref, str(s.units),
        text(abs(s.amount // s.units)), text(s.amount),
        "JPY", "R" if returned else "S", "", c.artist, c.title, c.label, "", "S", "", "JP", "", "", "250", "JPY",
    ]  # fmt: skip


def _apple(s: Sale, period: str) -> list[str]:
    c = s.credit
    return [
        _STOREFRONTS[s.territory], "", c.ref, c.isrc, c.title, c.artist, "Individual", c.label, "Music", str(s.units), ".007110",
        text(s.amount).removeprefix("0"), "USD",
    ]  # fmt: skip


def _youtube(s: Sale, period: str) -> list[str]:
    c = s.credit
    kind = "Spam Adjustment" if s.amount < 0 else "None"
    return [
        kind, f"{s.month}15".replace("-", ""), s.territory, "", c.title, "", "UC1", "SOUND_RECORDING", c.ref, c.isrc, c.upc, "",
        c.artist, c.album,
        c.label, "No", str(s.units), "", "", "", "", "0.02", "", "", "", "", text(s.amount),
    ]  # fmt: skip


def _spotify(s: Sale, period: str) -> list[str]:
    c = s.credit
    return [
        s.territory, "premium", c.uri, c.upc, "", c.isrc, c.title, c.artist, "", c.album, str(s.units), c.label, text(s.amount),
        "GBP", "0.1", "0.1",
    ]  # fmt: skip


def _fuga(s: Sale, period: str) -> list[str]:
    c = s.credit
    return [
        "1", f"{s.month}-01", last_day(s.month), s.channel, s.channel, "Stream", "Premium", s.territory, c.upc, "", "", c.label,
        c.artist, c.album,
        c.artist, c.title, "", "201", c.isrc, c.ref, "Asset", "0", str(s.units), text(s.amount), "EUR", "1", text(s.amount), "1",
        text(s.amount),
        "EUR", "77", "88",
    ]  # fmt: skip


def _symphonic(s: Sale, period: str) -> list[str]:
    c, void = s.credit, s.amount < 0
    royalty = f"({text(-s.amount)})" if void else text(s.amount)
    return [
        _short(period), c.label, c.album, "", c.artist, c.upc, c.ref, c.title, "", c.isrc, c.artist, s.channel, _short(s.month),
        _ALPHA3[s.territory], "Stream", "Track", "Void" if void else "Sale", "0" if void else str(s.units), royalty,
    ]  # fmt: skip


def _short(month: str) -> str:
    year, number = month.split("-")
    return f"{_MONTHS[int(number) - 1]}-{year[2:]}"


_ALL = IDENTITY
_STORES = ("Spotify", "Apple Music", "Deezer", "Amazon Music", "TIDAL")

DISTROKID_13 = Layout(
    "distrokid_13", "distrokid_{period}.tsv", "USD",
    "Reporting Date|Sale Month|Store|Artist|Title|ISRC|UPC|Quantity|Team Percentage|Song/Album|Country of Sale|"
    "Songwriter Royalties Withheld|Earnings (USD)",
    _distrokid_13, ("isrc", "upc", "title", "artist"), _STORES, 3.0, 1, dirt=True, returns=True,
)  # fmt: skip
CDBABY = Layout(
    "cdbaby", "cdbaby_{period}.txt", "USD",
    "Report Date|Sales Date|Quantity|Price|Subtotal|Isrc|Barcode|CDBabySku|Album Name|Artist Name|Track Name|Partner Name|"
    "Transaction Type|Delivery Country",
    _cdbaby, ("isrc", "upc", "title", "artist", "album", "ref"), _STORES, 0.4, 1,
)  # fmt: skip
BANDCAMP = Layout(
    "bandcamp_sales_52", "bandcamp_{period}.csv", "GBP",
    "date|paid to|item type|item name|artist|currency|item price|quantity|discount code|sub total|tax|shipping|"
    "ship from country name|transaction fee|fee type|"
    "item total|amount you received|bandcamp transaction id|paypal transaction id|assessed revenue share|"
    "collected revenue share|balance of revenue share|"
    "change to payout balance|payout balance|net amount|package|option|item url|sku|catalog number|upc|isrc|buyer name|"
    "buyer email|buyer phone|buyer note|"
    "ship to name|ship to street|ship to street 2|ship to city|ship to state|ship to zip|ship to country|ship to country code|"
    "ship date|ship notes|country|"
    "country code|region/state|city|referrer|referrer url",
    _bandcamp, ("isrc", "upc", "title", "artist"), share=0.3, delimiter=",", encoding="utf-16", eol="\n", returns=True,
)  # fmt: skip

LAYOUTS: tuple[Layout, ...] = (
    DISTROKID_13,
    Layout(
        "distrokid_current", "distrokid_bank_{period}.csv", "USD",
        "Date Inserted|Reporting Date|Sale Month|Store|Artist|Title|ISRC|UPC|Quantity|Team Percentage|Source Type|"
        "Country of Sale|"
        "Songwriter Royalties Withheld (USD)|Earnings (USD)|Recoup (USD)",
        _distrokid_current, ("isrc", "upc", "title", "artist"), _STORES, 2.0, 1, ",", True, eol="\n", dirt=True,
    ),
    Layout(
        "tunecore", "tunecore_{period}.csv", "EUR",
        "Sales Period|Posted Date|Store Name|Country Of Sale|Artist|Release Type|Release Title|Song Title|Label|UPC|"
        "Optional UPC|TC Song ID|Optional ISRC|"
        "Sales Type|# Units Sold|Per Unit Price|Net Sales|Net Sales Currency|Exchange Rate|Total Earned|Currency",
        _tunecore, _ALL, _STORES, 1.5, 2, ",", dirt=True,
    ),
    CDBABY,
    Layout(
        "believe", "believe_{period}.csv", "EUR",
        "Reporting month|Sales Month|Platform|Country / Region|Label Name|Artist Name|Release title|Track title|UPC|ISRC|"
        "Release Catalog nb|"
        "Streaming Subscription Type|Release type|Sales Type|Quantity|Client Payment Currency|Unit Price|Mechanical Fee|"
        "Gross Revenue|Client share rate|Net Revenue",
        _believe, _ALL, _STORES, 1.5, 2, ";", eol="\n", dirt=True,
    ),
    BANDCAMP,
    Layout(
        "itunes_financial", "itunes_jp_{period}.txt", "JPY",
        "Start Date|End Date|UPC|ISRC/ISBN|Vendor Identifier|Quantity|Partner Share|Extended Partner Share|"
        "Partner Share Currency|Sales or Return|"
        "Apple Identifier|Artist/Show/Developer/Author|Title|Label/Studio/Network/Developer/Publisher|Grid|"
        "Product Type Identifier|ISAN/Other Identifier|"
        "Country Of Sale|Pre-order Flag|Promo Code|Customer Price|Customer Currency",
        _itunes, ("isrc", "upc", "title", "artist", "label", "ref"), share=0.8, eol="\n", dirt=True, returns=True,
        footer=lambda rows, total: [f"Total_Rows\t{rows}", "",
        "Country Of Sale\tPartner Share Currency\tQuantity\tExtended Partner Share", f"JP\tJPY\t1\t{text(total)}"],
    ),
    Layout(
        "apple_music_s1", "apple_music_{period}.txt", "USD",
        "Storefront Name|Apple Identifier|Vendor Identifier|ISRC|Content Title|Artist|Product|Label/Studio/Network|Media Type|"
        "Total  Royalty Bearing Plays|"
        "Net Royalty|Net Royalty Total|Currency",
        _apple, ("isrc", "title", "artist", "label", "ref"), share=2.0, eol="\n",
        preamble=lambda period: [f"Start Date\t{_american(period + '-01')}", f"End Date\t{_american(last_day(period))}",
        "Report Type\tS1"],
        footer=lambda rows, total: [f"Row Count\t{rows}"],
    ),
    Layout(
        "youtube_asset_raw", "youtube_{period}.csv", "USD",
        "Adjustment Type|Day|Country|Asset ID|Asset Title|Asset Labels|Asset Channel ID|Asset Type|Custom ID|ISRC|UPC|GRid|"
        "Artist|Album|Label|"
        "Administer Publish Rights|Owned Views|YouTube Revenue Split : Auction|YouTube Revenue Split : Reserved|"
        "YouTube Revenue Split : Partner Sold YouTube Served|YouTube Revenue Split : Partner Sold Partner Served|"
        "YouTube Revenue Split|"
        "Partner Revenue : Auction|Partner Revenue : Reserved|Partner Revenue : Partner Sold YouTube Served|"
        "Partner Revenue : Partner Sold Partner Served|Partner Revenue",
        _youtube, _ALL, share=1.5, delimiter=",", eol="\n", dirt=True, returns=True,
    ),
    Layout(
        "spotify_a", "spotify_{period}.txt", "GBP",
        "Country|Product|URI|UPC|EAN|ISRC|Track name|Artist name|Composer name|Album name|Quantity|Label|Payable invoice|"
        "Invoice currency|Payable EUR|Payable USD",
        _spotify, (*_ALL[:6], "uri"), share=3.0, eol="\n",
        preamble=lambda period: ["1.2", f"{period}-01\t{last_day(period)}\tNorth Pier Records"],
    ),
    Layout(
        "fuga", "fuga_{period}.csv", "EUR",
        "Sale ID|Sale Start date|Sale End date|DSP|Sale Store Name|Sale Type|Sale User Type|Territory|Product UPC|"
        "Product Reference|Product Catalog Number|"
        "Product Label|Product Artist|Product Title|Asset Artist|Asset Title|Asset Version|Asset Duration|Asset ISRC|"
        "Asset Reference|Asset/Product|"
        "Product Quantity|Asset Quantity|Original Gross Income|Original currency|Exchange Rate|Converted Gross Income|"
        "Contract deal term|Reported Royalty|"
        "Currency|Report Run ID|Report ID",
        _fuga, _ALL, _STORES, 1.0, delimiter=",", eol="\n",
    ),
    Layout(
        "symphonic", "symphonic_{period}.csv", "USD",
        "Reporting Period|Label|Release Name|Release Version|Release Artists|UPC Code|Catalogue|Track Title|Mix Version|"
        "ISRC Code|Track Artists|"
        "Digital Service Provider|Activity Period|Territory|Delivery|Content Type|Sale or Void|Count|Royalty ($US)",
        _symphonic, _ALL, _STORES, 0.6, 2, ",", eol="\n", returns=True,
    ),
)  # fmt: skip
