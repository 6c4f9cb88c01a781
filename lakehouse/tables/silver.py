"""Silver: typed usage, the catalog, the contract book, and one match decision per distinct usage key."""

from lakehouse.model.drift import DRIFT_KINDS
from lakehouse.model.vocabulary import CONFIGURATIONS, MEANINGS, PAID, UNPAID
from lakehouse.tables.declare import MONEY, UNITS, Field, Table, currency, money, period, sha256

STATUSES = ("MATCHED", "AMBIGUOUS", "UNCLAIMED", "DRIFT_FLAGGED")
assert set(STATUSES) == {*PAID, *UNPAID}

usage = Table(
    name="silver.usage",
    doc="One typed usage line for each line of a report that is royalty base.",
    grain=("file_id", "line_no"),
    partition_by=("period",),
    fields=(
        period("period", "Statement period whose books the line enters"),
        sha256("file_id", "The file it came from"),
        Field("line_no", "bigint", "Line of that file", required=True),
        Field("source", "string", "Dialect id", required=True),
        period("report_period", "Statement period the report itself belongs to"),
        period("usage_period", "Month in which the music was used or sold"),
        Field("sale_date", "date", "Day of the usage or sale, where the report says"),
        Field("meaning", "string", "Business meaning: new income, or the restatement of income", True, one_of=MEANINGS),
        Field("channel", "string", "DSP, store or society that reported the usage, as named in the report", required=True),
        Field("configuration", "string", "How the music was used or sold", required=True, one_of=CONFIGURATIONS),
        Field(
            "territory", "string", "ISO 3166-1 alpha-2, or ZZ where the report gives none", True, "territory RLIKE '^[A-Z]{2}$'"
        ),
        Field("price_category", "string", "Price tier, offer or subscription type, as reported"),
        sha256("usage_key", "SHA-256 of the normalised identity of the recording: what the matcher decides on"),
        Field("isrc", "string", "ISRC, 12 characters", check="isrc RLIKE '^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$'", mostly=80),
        Field("upc", "string", "UPC or EAN, zero-padded to 14 digits", check="upc RLIKE '^[0-9]{14}$'"),
        Field("title", "string", "Track title as reported", mostly=90),
        Field("artist", "string", "Artist as reported", mostly=90),
        Field("album", "string", "Release title as reported"),
        Field("label", "string", "Label as reported"),
        Field("proprietary_id", "string", "The sender's own id of the recording"),
        Field(
            "subscriber",
            "string",
            "Who listened, by the sender's pseudonym, where the report says: asked by pools that are divided subscriber by subscriber, and kept here alone",
        ),
        Field("units", UNITS, "Streams, downloads or copies; negative on returns", required=True),
        money("amount", "Payable amount of the line, in `currency`"),
        currency(),
        Field("gross", MONEY, "Amount before the sender's own share, where the report says"),
        Field("ppd", MONEY, "Price of one unit to dealers, in `currency`, where the report says"),
        Field("retail", MONEY, "Price of one unit to consumers, in `currency`, where the report says"),
        Field(
            "amounts", "map<string,decimal(38,18)>", "The report's further amounts and counts by column; never paid", rooted=False
        ),
        Field("warnings", "array<string>", "What is odd but was kept, such as a wrong UPC check digit or arithmetic that fails"),
    ),
)

catalog = Table(
    name="silver.catalog",
    doc="The recordings the label controls, one row for each release a recording is on. Every load is a new version.",
    grain=("recording_id", "upc"),
    append_only=False,
    fields=(
        Field("recording_id", "string", "The label's id of the recording; its ISRC where it has no other", required=True),
        Field("isrc", "string", "ISRC, 12 characters"),
        Field("title", "string", "Track title", required=True),
        Field("artist", "string", "Display artist", required=True),
        Field("album", "string", "Release title"),
        Field("label", "string", "Label"),
        Field("upc", "string", "UPC or EAN of the release, zero-padded to 14 digits; empty where unknown", required=True),
        Field("track_number", "int", "Position on the release"),
        Field("duration", "int", "Seconds"),
        Field("year", "int", "Year of first release"),
        Field("iswc", "string", "ISWC of the work"),
        Field("release_type", "string", "Album, EP, Single, ..."),
        Field("proprietary_ids", "array<string>", "Ids under which DSPs report the recording"),
        Field("catalog_group", "string", "The label's own group of releases, for contracts that tell groups apart"),
        Field(
            "deficiencies",
            "array<string>",
            "What the DDEX ERN message lacks or gets wrong of the recording, by rule; see routing",
        ),
    ),
)

catalog_index = Table(
    name="silver.catalog_index",
    doc=(
        "What the matcher finds the recordings of a large catalog by, one row for each recording under one title and artist. A changed catalog adds rows; those of what it "
        "no longer holds find nothing. It can be made again from silver.catalog at any time."
    ),
    grain=("made_by", "form"),
    fields=(
        Field("made_by", "string", "Version of the normal forms and block keys behind the row", required=True),
        Field("catalog_version", "bigint", "Delta version of silver.catalog that asked for it first", required=True),
        Field("form", "bigint", "Hash of recording, title and artist", required=True),
        Field("named", "bigint", "Hash of the normal forms of title and artist, where it has both"),
        Field(
            "blocks",
            "array<bigint>",
            "Hashes of its block keys: what it must share with a usage key to be compared",
            required=True,
        ),
        Field("low", "bigint", "Its pieces of three letters, marked in 64 bits", required=True),
        Field("high", "bigint", "The same in other places", required=True),
        Field("title_low", "bigint", "Those of its title alone, marked in 64 bits", required=True),
        Field("title_high", "bigint", "The same in other places", required=True),
    ),
)

drift_events = Table(
    name="silver.drift_events",
    doc="What a load of the catalog changed in what it said of a recording. The next run corrects, in the open period, what that moves.",
    grain=("event_id",),
    fields=(
        sha256("event_id", "SHA-256 over the other columns"),
        Field(
            "kind",
            "string",
            "What it means",
            required=True,
            one_of=DRIFT_KINDS,
        ),
        Field("recording_id", "string", "The recording", required=True),
        Field("field", "string", "Column of silver.catalog", required=True),
        Field("old", "string", "What it said; several ids are joined by blanks"),
        Field("new", "string", "What it says now"),
        Field("catalog_version", "bigint", "Delta version of silver.catalog that says so first", required=True),
    ),
)

reported_drift = Table(
    name="silver.reported_drift",
    doc="Where a report that names a recording by an identifier, or by an alias, calls it otherwise than the catalog does: each difference once, in the run that saw it"
    " first. It moves no money: a person who takes it for a correction changes the catalog.",
    grain=("event_id",),
    partition_by=("period",),
    fields=(
        period("period", "Statement period whose run saw it first"),
        sha256("event_id", "SHA-256 over recording, field, the old value, and the normal form of the new one"),
        Field("kind", "string", "What it would mean", required=True, one_of=DRIFT_KINDS),
        Field("recording_id", "string", "The recording", required=True),
        Field("field", "string", "Column of silver.catalog", required=True),
        Field("old", "string", "What the catalog says", required=True),
        Field("new", "string", "What the report says", required=True),
        Field("catalog_version", "bigint", "Delta version of silver.catalog that it was held against", required=True),
        Field("source", "string", "Dialect id of the report; the first in order of several", required=True),
        sha256("usage_key", "Where it says so; the first in order of several"),
    ),
)

isrc_iswc = Table(
    name="silver.isrc_iswc",
    doc="Which works recordings are said to be of, by DDEX flat files and by the catalog: each pair once for each that says it, with valid codes alone."
    " What the catalog no longer says counts no longer.",
    grain=("isrc", "iswc", "source"),
    partition_by=("period",),
    fields=(
        # The catalog is loaded without a JVM, by a writer that knows no patterns.
        Field("period", "string", "Statement period whose run saw it first, YYYY-MM; 0000-00 of the catalog", required=True),
        Field("isrc", "string", "The recording", required=True),
        Field("iswc", "string", "The work", required=True),
        Field("source", "string", "Dialect id of the report, or catalog (CSV, Parquet or DDEX ERN)", required=True),
        Field(
            "confidence",
            "decimal(3,2)",
            "1 from the catalog, 0.9 from one record of a report, 0.8 from two of a block",
            required=True,
        ),
        Field("file_id", "string", "The report that says so"),
        Field("line_no", "bigint", "Its line with the ISWC"),
        Field("catalog_version", "bigint", "Delta version of silver.catalog that said so first"),
    ),
)

releases = Table(
    name="silver.releases",
    doc="The releases of DDEX ERN messages, with what the catalog's rows do not say of them. Every load is a new version.",
    grain=("release_id",),
    append_only=False,
    fields=(
        Field("release_id", "string", "ICPN, else GRid, ISRC or proprietary id, as the message has it", required=True),
        Field("upc", "string", "UPC or EAN, zero-padded to 14 digits; empty where unknown", required=True),
        Field("grid", "string", "GRid"),
        Field("catalog_number", "string", "The label's catalog number"),
        Field("title", "string", "Title"),
        Field("artist", "string", "Display artist"),
        Field("label", "string", "Label"),
        Field("release_type", "string", "Album, EP, Single, ..."),
        Field("release_date", "string", "As the message has it: YYYY, YYYY-MM or YYYY-MM-DD"),
        Field("original_release_date", "string", "As the message has it"),
        Field("genre", "string", "Genre"),
        Field("sub_genre", "string", "Sub-genre"),
        Field("p_year", "int", "Year of the phonogram right"),
        Field("p_line", "string", "Who holds the phonogram right, as printed"),
        Field("c_year", "int", "Year of the copyright"),
        Field("c_line", "string", "Who holds the copyright, as printed"),
    ),
)

parties = Table(
    name="silver.parties",
    doc="The people and companies that DDEX ERN messages name. Every load is a new version.",
    grain=("party",),
    append_only=False,
    fields=(
        Field("party", "string", "Its first identifier, else its name", required=True),
        Field("name", "string", "Full name", required=True),
        Field("ids", "array<string>", "Identifiers with their kind, such as ISNI:0000000121707484"),
    ),
)

contributors = Table(
    name="silver.contributors",
    doc="Who did what on a recording, and who is said to control it, from DDEX ERN messages. Every load is a new version.",
    grain=("recording_id", "kind", "party", "role"),
    append_only=False,
    fields=(
        Field("recording_id", "string", "As in silver.catalog", required=True),
        Field("kind", "string", "How the party is credited", True, one_of=("artist", "contributor", "work", "rights")),
        Field("party", "string", "As in silver.parties", required=True),
        Field("role", "string", "As the message has it; Unknown where it has none", required=True),
        Field(
            "share",
            "decimal(38,18)",
            "Percentage of the rights the party is said to control; none where the message leaves it open",
        ),
    ),
)

deals = Table(
    name="silver.deals",
    doc="Where, how and from when on releases may be used, from DDEX ERN messages. Every load is a new version.",
    grain=("release_id", "deal_no"),
    append_only=False,
    fields=(
        Field("release_id", "string", "As in silver.releases, or of one track", required=True),
        Field("deal_no", "int", "Place among the deals of the release in its message", required=True),
        Field("territories", "array<string>", "Territory codes it covers; Worldwide for all"),
        Field("excluded", "array<string>", "Territory codes it leaves out"),
        Field("commercial_models", "array<string>", "Such as SubscriptionModel"),
        Field("use_types", "array<string>", "Such as OnDemandStream"),
        Field("start_date", "string", "First day or moment, as the message has it"),
        Field("end_date", "string", "Last day or moment, as the message has it"),
        Field("price", "string", "Price code, or wholesale price per unit, as the message has it"),
        Field("price_currency", "string", "Currency of a wholesale price"),
        Field("take_down", "boolean", "Whether the deal ends all use", required=True),
    ),
)

duplicates = Table(
    name="silver.duplicates",
    doc="Lines of a report that another source reports too, each with its equal: one of the two is paid, the other is held.",
    grain=("file_id", "line_no"),
    partition_by=("period",),
    append_only=False,
    fields=(
        period("period", "Statement period whose books the held line enters"),
        sha256("file_id", "The report whose line is held"),
        Field("line_no", "bigint", "That line", required=True),
        Field("source", "string", "Its dialect", required=True),
        sha256("of_file_id", "The report whose equal line is paid"),
        Field("of_line_no", "bigint", "That line", required=True),
        Field("of_source", "string", "Its dialect", required=True),
        period("of_period", "Statement period whose books the paid line entered"),
        money("amount", "The amount of either, in `currency`"),
        currency(),
    ),
)

contracts = Table(
    name="silver.contracts",
    doc="The contract book: each contract's YAML document, verbatim. Every load is a new version.",
    grain=("file",),
    append_only=False,
    fields=(
        Field("file", "string", "Path of the document inside the book", required=True),
        Field("text", "string", "The YAML document", required=True),
        sha256("sha256", "SHA-256 of the document"),
        sha256("book_sha256", "SHA-256 over all documents of the book"),
    ),
)

routing_payloads = Table(
    name="silver.routing_payloads",
    doc="All that a routing decision depends on, once, by its hash.",
    grain=("payload_sha256",),
    partition_by=("period",),
    fields=(
        period("period", "Statement period whose run routed it first"),
        sha256("payload_sha256", "SHA-256 of the payload"),
        Field(
            "payload",
            "string",
            "Canonical JSON of the usage key, what the reports call it, and the matcher's decision",
            required=True,
        ),
    ),
)

routing_audit = Table(
    name="silver.routing_audit",
    doc="One event for each routing decision: with the payloads and ops.rulesets they rebuild every decision exactly.",
    grain=("event_id",),
    partition_by=("period",),
    fields=(
        period("period", "Statement period whose run routed it"),
        sha256("event_id", "Idempotency key: SHA-256 over payload and ruleset"),
        sha256("usage_key", "What was routed"),
        sha256("payload_sha256", "The payload"),
        Field("rule_id", "string", "The rule that decided", required=True),
        Field("path", "array<string>", "The states passed, from RECEIVED to where it stands", required=True),
        Field("gap", "string", "Why it waits, where it does", one_of=("INCOMPLETE", "CONFLICTING", "DELAYED")),
        Field(
            "score",
            "decimal(5,4)",
            "Routing score: how far its reports can be relied on",
            True,
            "score BETWEEN 0 AND 1",
            rooted=False,
        ),
        Field("destination", "string", "Ledger partition that its money enters: table/period=YYYY-MM", required=True),
        Field(
            "works",
            "array<string>",
            "ISWCs that its ISRC is linked to: what is owed on them is paid first, and the rule is for the rest",
        ),
        Field("supersedes", "string", "event_id of the decision on this key that it takes the place of"),
        Field("routing_version", "int", "Version of the routing document", required=True),
        sha256("routing_sha256", "The routing document"),
        Field("run_id", "string", "The run, as in ops.runs", required=True, rooted=False),
        Field("decided_at", "timestamp", "When (UTC)", required=True, rooted=False),
    ),
)

matches = Table(
    name="silver.matches",
    doc="Decisions of the matcher, one for each distinct usage key under one catalog version, ruleset and review; the latest holds.",
    grain=("usage_key", "ruleset", "catalog_version", "review_no"),
    partition_by=("period",),
    fields=(
        period("period", "Statement period whose run made the decision"),
        sha256("usage_key", "What was decided on"),
        Field("ruleset", "string", "Hash of the matching rules and normaliser version", required=True),
        Field("catalog_version", "bigint", "Delta version of silver.catalog that was searched", required=True),
        Field("review_no", "bigint", "The review in ops.reviews that stood; 0 where nobody had reviewed the key", required=True),
        Field("reconciliation_status", "string", "The decision; only MATCHED and DRIFT_FLAGGED are paid", True, one_of=STATUSES),
        Field(
            "match_confidence",
            "double",
            "0 to 1; exact identifiers are 1.0",
            True,
            "match_confidence BETWEEN 0 AND 1",
            rooted=False,
        ),
        Field("recording_id", "string", "The recording, when matched or drift-flagged"),
        Field(
            "tier",
            "string",
            "Which tier decided: alias, proprietary_id, isrc, upc_track, title_artist, fuzzy, none",
            required=True,
        ),
        Field(
            "evidence",
            "array<struct<field:string,level:string,usage:string,catalog:string>>",
            "For each field: how well it agrees, and the two values",
        ),
        Field("candidates", "int", "How many recordings were compared", required=True),
        Field(
            "offered",
            "array<struct<recording_id:string,score:decimal(5,4)>>",
            "For an AMBIGUOUS key: the best recordings, best first",
        ),
        Field(
            "offered_evidence",
            "array<struct<recording_id:string,field:string,level:string,usage:string,catalog:string>>",
            "The evidence of each recording that is offered",
        ),
    ),
)

account_events = Table(
    name="silver.account_events",
    doc="What happened to accounts besides usage: advances, costs, payments. Loaded once by its id, for an open period.",
    grain=("event_id",),
    append_only=False,
    fields=(
        Field("event_id", "string", "Its id in the books it comes from", required=True),
        # Months and codes are judged where events are read: the writer that needs no JVM knows no patterns.
        Field("period", "string", "Statement period in which it is booked, YYYY-MM", required=True),
        Field("event", "string", "What happened", True, one_of=("cost", "advance", "payment", "society_payment")),
        Field("contract", "string", "Under which contract; empty for a payment", required=True),
        Field("payee", "string", "Whose account; empty where the contract says", required=True),
        money("amount", "How much, positive"),
        Field("currency", "string", "ISO 4217 code", required=True),
        Field("cost_type", "string", "Kind of cost, for terms that tell kinds apart"),
        Field("territory", "string", "ISO 3166-1 alpha-2, or ZZ", required=True),
        Field("date", "string", "Day, YYYY-MM-DD"),
    ),
)
