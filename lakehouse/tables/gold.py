"""Gold: what is owed, published once a period and never edited."""

from collections.abc import Mapping
from typing import Any

from lakehouse.model.vocabulary import PAID, UNPAID
from lakehouse.tables.declare import MONEY, UNITS, Field, Table, currency, money, period, sha256
from lakehouse.tables.silver import CONFIGURATIONS, MEANINGS

CATEGORIES = ("payable", "reserved", "retained", "fee", "tax")
HOLDING_ENTRIES = ("hold", "adjust", "release", "escheat", "reversal")
# Those that do not take a hold away.
STANDING_ENTRIES = ("hold", "adjust")

# The dimensions of a royalty line: usage lines that agree in all of them are one amount.
GROUP_FIELDS = (
    sha256("file_id", "The report the money came from"),
    Field("source", "string", "Dialect id", required=True),
    period("report_period", "Statement period the report belongs to"),
    period("usage_period", "Month of use or sale"),
    Field("meaning", "string", "New income, or the restatement of income", required=True, one_of=MEANINGS),
    Field("channel", "string", "DSP, store or society", required=True),
    Field("configuration", "string", "How the music was used or sold", required=True, one_of=CONFIGURATIONS),
    Field("territory", "string", "ISO 3166-1 alpha-2, or ZZ", required=True),
    Field("price_category", "string", "Price tier, offer or subscription type"),
    currency(),
    sha256("usage_key", "The identity of the recording as reported"),
    Field("upc", "string", "UPC or EAN of the release as reported, zero-padded to 14 digits"),
    Field("sale_date", "date", "Day of use or sale; only where the contract book tells days of a month apart"),
    Field("ppd", MONEY, "Price of one unit to dealers, in `currency`"),
    Field("retail", MONEY, "Price of one unit to consumers, in `currency`"),
)
GROUP = tuple(field.name for field in GROUP_FIELDS)
# In the place of a recording, on the lines of a fallback pool.
UNMATCHED = "UNMATCHED"
# The same on the lines that say what usage gives to its pool, or has from it.
POOLED = "POOLED"
# And where what nobody has claimed in time is divided among those who earned in its market: it stays with them.
UNCLAIMED = "UNCLAIMED"
NOBODYS = (UNMATCHED, POOLED, UNCLAIMED)


def line_key(group: Mapping[str, Any]) -> str:
    """What puts the groups of one day in order: all that tells them apart, with the hold that they come from."""
    return "\x1f".join("" if group[name] is None else str(group[name]) for name in (*GROUP, "hold_id"))


royalty_lines = Table(
    name="gold.royalty_lines",
    doc="What each party earns from each group of usage lines, with the amount in and out of every stage.",
    grain=("period", "line_id"),
    partition_by=("period", "currency"),
    fields=(
        period(),
        Field("line_id", "string", "SHA-256 prefix over the group, contract, party and kind", True, "length(line_id) = 32"),
        Field("kind", "string", "First booking, or the exact mirror of an earlier line", True, one_of=("royalty", "reversal")),
        Field("reverses", "string", "line_id that this line mirrors"),
        *GROUP_FIELDS,
        Field(
            "recording_id",
            "string",
            "The recording; UNMATCHED where a fallback pool divides what nobody knows, POOLED on what usage gives to its pool,"
            " work: and an ISWC where publishing is paid on the work of a recording that nobody knows, UNCLAIMED where what nobody claimed in time is divided by market share",
            required=True,
        ),
        Field("release", "string", "UPC of the release: as reported, else the only one that the catalog has the recording on"),
        Field("release_type", "string", "Album, EP, Single, ... by the catalog"),
        Field("catalog_group", "string", "The label's own group of releases, by the catalog"),
        Field("contract_id", "string", "The contract in force", required=True),
        Field("contract_version", "string", "Its version", required=True),
        Field("payee", "string", "Party id", required=True),
        Field("role", "string", "In what capacity: artist, producer, writer, label, distributor, ...", required=True),
        Field("category", "string", "What becomes of the amount", True, one_of=CATEGORIES),
        Field("usage_lines", "bigint", "How many usage lines are in the group", required=True),
        Field("units", UNITS, "Their units", required=True),
        Field("gross", MONEY, "Their amount before the sender's own share, where the reports say"),
        money("base", "Their amount, before any pool and clause"),
        money("amount", "This party's part of it"),
        Field(
            "stages",
            "array<struct<stage:string,term:string,amount_in:decimal(38,18),amount_out:decimal(38,18)>>",
            "The way from base to amount, clause by clause",
            required=True,
        ),
        Field(
            "counts",
            "array<struct<counter:string,currency:string,size:decimal(38,18)>>",
            "What the group adds to the counts of escalations, on one of its lines; a reversal takes it back",
        ),
    ),
)

holding = Table(
    name="gold.holding",
    doc="Money that has no owner yet: held with its reason and age, released when it finds one.",
    grain=("period", "entry_id"),
    partition_by=("period", "currency"),
    fields=(
        period(),
        Field("entry_id", "string", "SHA-256 prefix over the group, reason and kind", True, "length(entry_id) = 32"),
        Field(
            "entry",
            "string",
            "hold adds; adjust corrects a hold by the decision of a person; release, escheat (to whom the law or a contract gives what nobody claimed in time) and reversal take away",
            True,
            one_of=HOLDING_ENTRIES,
        ),
        Field("releases", "string", "entry_id of the hold that this entry adjusts or takes away"),
        *GROUP_FIELDS,
        Field(
            "reason",
            "string",
            "Why it is held: AMBIGUOUS, UNCLAIMED, NO_CONTRACT, DUPLICATE, CONFLICTING_WORKS, or what the contract asks for and the report does not say",
            required=True,
        ),
        period("held_since", "Statement period in which the money was first held"),
        Field("usage_lines", "bigint", "How many usage lines are in the group", required=True),
        Field("units", UNITS, "Their units", required=True),
        Field("gross", MONEY, "Their amount before the sender's own share, where the reports say"),
        money("amount", "Signed: what the entry adds to the balance held"),
    ),
)

statements = Table(
    name="gold.statements",
    doc="One statement for each payee, currency and statement period. opening + earned - deducted - recouped - reserved - taxed"
    " + converted = payable + carried - rounding.",
    grain=("period", "currency", "payee"),
    partition_by=("period", "currency"),
    fields=(
        period(),
        Field("statement_id", "string", "period-currency-payee", required=True),
        currency(),
        Field("payee", "string", "Party id", required=True),
        Field("payee_name", "string", "Name on the statement", required=True),
        money("opening", "Balance carried from the statement before"),
        money("earned", "Sum of the payee's royalty lines of the period"),
        money("deducted", "Costs and deductions"),
        money("recouped", "Applied against advances"),
        money("reserved", "Held back against returns, less what was released"),
        money("taxed", "Withholding tax"),
        money("converted", "Moved here from, or away to, the currency in which the payee is paid"),
        money("payable", "To be paid, in whole minor units of the currency"),
        money("carried", "Balance carried to the next statement"),
        money("rounding", "Payable less the exact amount: what the one rounding added"),
        money("unrecouped", "Advances and costs that are still to be recouped after the statement"),
        money("held", "Reserves and points that wait after the statement"),
        Field("lines", "bigint", "Royalty lines behind the statement", required=True),
    ),
)

balances = Table(
    name="gold.balances",
    doc="What every account holds at the end of a statement period, whole: the opening of the next. Kinds of money (carried, payable,"
    " advance, cost, shared_cost, reserve, pending) and numbers that go on counting (recouped, guarantee, position, ...).",
    grain=("period", "kind", "contract_id", "payee", "currency", "ref"),
    partition_by=("period",),
    fields=(
        period(),
        Field("kind", "string", "What is held", required=True),
        Field("contract_id", "string", "Under which contract; empty where it is the payee's as such", required=True),
        Field("payee", "string", "Whose; empty where it is the contract's", required=True),
        currency(),
        Field(
            "ref",
            "string",
            "What tells balances of a kind apart, such as the month in which a reserve is released",
            required=True,
        ),
        money("amount", "How much"),
    ),
)

ledger = Table(
    name="gold.ledger",
    doc="Double entry: the postings of one transaction add up to zero in each currency. Debits are positive.",
    grain=("period", "transaction_id", "account"),
    partition_by=("period", "currency"),
    fields=(
        period(),
        Field("transaction_id", "string", "What is booked: period-currency-subject", required=True),
        Field("kind", "string", "What it is: report, earned, recouped, reserve, tax, payable, ...", required=True),
        Field("account", "string", "Account, from general to particular, joined by ':'", required=True),
        currency(),
        money("amount", "Debit positive, credit negative"),
        Field("memo", "string", "What the transaction is, for a person", required=True),
    ),
)

conservation = Table(
    name="gold.conservation",
    doc="For each file and currency: where its money is. `difference` is always zero; a publication with another value is refused.",
    grain=("period", "file_id", "currency"),
    partition_by=("period", "currency"),
    fields=(
        period(),
        sha256("file_id", "The report"),
        Field("source", "string", "Dialect id", required=True),
        currency(),
        money("revenue", "Royalty base in the report, with what was quarantined"),
        money("payable", "Earned by payees"),
        money("retained", "Kept by the label"),
        money(
            "fees",
            "Kept as distribution fees, and by pools; negative where a pool gives the file's usage more than the file brought",
        ),
        money("tax", "Withheld"),
        money("held", "Held for want of an owner, net of releases"),
        money("quarantined", "In lines that were refused"),
        money(
            "adjusted", "Added to what is held by the decision of a person, from outside the report; negative where taken away"
        ),
        money("difference", "revenue and adjusted, less payable, retained, fees, tax, held and quarantined"),
    ),
)

partitions = Table(
    name="gold.partitions",
    doc="The content root of each logical partition of the royalty lines: statement period, currency, rights holder.",
    grain=("period", "currency", "payee"),
    partition_by=("period",),
    fields=(
        period(),
        currency(),
        Field("payee", "string", "Rights holder", required=True),
        Field("rows", "bigint", "Royalty lines", required=True),
        money("total", "Sum of their amounts"),
        sha256("root", "Content root v1 of those lines"),
    ),
)

periods = Table(
    name="gold.periods",
    doc="The publication of a period: appended last, so that a period is closed exactly when its row is here.",
    grain=("period",),
    fields=(
        period(),
        sha256("root", "Content root of the period, over the roots of its tables"),
        Field("rows", "bigint", "Rows under that root", required=True),
        Field("totals", "map<string,string>", "currency: sum of statements payable", required=True),
        Field("delta_versions", "map<string,string>", "Delta version of every gold table as published", required=True),
        Field("pins", "map<string,string>", "Delta version of every input table that was read", required=True),
        sha256("book_sha256", "The contract book"),
        sha256("rules_sha256", "Matching rules, dialects, and which services and aggregators are compared"),
        Field("code_version", "string", "Version of the package", required=True),
        sha256("manifest_sha256", "SHA-256 of manifests/<period>.json"),
        Field("previous_manifest_sha256", "string", "The same of the period published before"),
        Field("closed_at", "timestamp", "When (UTC)", required=True, rooted=False),
    ),
)

SHARE = "decimal(9,4)"

# No money of a statement, and so without a root: it can be computed again from what the publication pins.
fallback_outcomes = Table(
    name="gold.fallback_outcomes",
    doc="What became of a closed period's usage: what each tier found, what waits and why, by lines and by money, and what has changed since the"
    " source's last closed period. Written by the close, from the decisions that the period was computed by. An outcome that was there then, and"
    " is no more, has a row of zeros.",
    grain=("period", "source", "currency", "tier", "status", "gap"),
    partition_by=("period",),
    fields=(
        # Judged before they come here: the writer that needs no JVM knows no patterns.
        Field("period", "string", "Statement period, YYYY-MM", required=True),
        Field("source", "string", "Dialect id", required=True),
        Field("currency", "string", "ISO 4217 code of every amount in the row", required=True),
        Field("tier", "string", "Which tier decided; none where no tier did", required=True),
        Field("status", "string", "What it said", True, one_of=(*PAID, *UNPAID)),
        Field("gap", "string", "What kind of gap keeps it waiting: INCOMPLETE, CONFLICTING or DELAYED"),
        Field("keys", "bigint", "Usage keys", required=True),
        Field("lines", "bigint", "Their usage lines in reports that count", required=True),
        money("amount", "Their amount"),
        Field("line_share", SHARE, "Their part of the lines of the source and currency: 0.25 is a quarter", required=True),
        Field("money_share", SHARE, "The same of the money; empty where that adds up to next to nothing"),
        Field(
            "compared_with",
            "string",
            "The closed period in which the source last reported in this currency; empty where there is none",
        ),
        Field("line_trend", SHARE, "`line_share` less what it was then: 0.02 is two points more"),
        Field("money_trend", SHARE, "`money_share` less what it was then"),
    ),
)

# What a run drafts and a close publishes, in the order of publication.
PUBLISHED = (royalty_lines, holding, statements, ledger, balances, conservation, partitions)
DRAFTS = tuple(table.draft() for table in PUBLISHED)
