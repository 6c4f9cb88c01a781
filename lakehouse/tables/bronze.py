"""Bronze: what arrived, verbatim. Append-only."""

from lakehouse.tables.declare import Field, Table, period, sha256

LINE_KINDS = ("preamble", "header", "data", "footer", "comment", "blank")

files = Table(
    name="bronze.files",
    doc="Every report that was recognised and read, once, under the SHA-256 of its unpacked bytes.",
    grain=("file_id",),
    partition_by=("period",),
    fields=(
        period("period", "Statement period whose books the file enters: its own, or the open one if that is closed"),
        sha256("file_id", "SHA-256 of the file's bytes after unpacking: the same bytes have one id under any name"),
        Field("source", "string", "Id of the dialect in conf/sources that recognised the file", required=True),
        sha256("dialect_sha256", "SHA-256 of the dialect document it was read by"),
        Field("variant", "string", "Declared variant of the dialect, where it is not the dialect's own form"),
        Field("encoding", "string", "Encoding of the text", required=True),
        Field("captured", "map<string,string>", "Values that stand once in the file, in its preamble or name", required=True),
        Field("name", "string", "Name under which the file first arrived", required=True),
        period("report_period", "Statement period the report itself belongs to"),
        Field("report_key", "string", "Identity of the report: versions of one report share it", required=True),
        Field(
            "report_version", "int", "Version that the name or the report states; the latest version alone counts", required=True
        ),
        Field("bytes", "bigint", "Size after unpacking", required=True),
        Field("lines", "bigint", "Records in the file, of every kind", required=True),
        Field(
            "controls",
            "array<struct<name:string,declared:string,found:string,ok:boolean>>",
            "What the sender declared about the file beside what was found in it",
            rooted=False,
        ),
        Field("received_at", "timestamp", "When it landed (UTC)", required=True, rooted=False),
    ),
)

lines = Table(
    name="bronze.lines",
    doc="Every record of every file: its text as it stands in the file, and the cells it was cut into. "
    "The file's text is rebuilt by joining `text` and `eol` in order of `line_no`.",
    grain=("file_id", "line_no"),
    partition_by=("period",),
    fields=(
        period("period", "Statement period whose books the file enters"),
        sha256("file_id", "The file"),
        Field("source", "string", "Dialect id", required=True),
        Field("line_no", "bigint", "Line of the file on which the record starts, from 1", required=True, check="line_no > 0"),
        Field("kind", "string", "What the record is", required=True, one_of=LINE_KINDS),
        Field("text", "string", "The record verbatim, without its line end; personal columns are blanked", required=True),
        Field("eol", "string", "The line end that followed, or empty", required=True),
        Field("cells", "array<string>", "The cells of a data record, in the order of the dialect's fields"),
        Field("error", "string", "Why a data record could not be cut into cells"),
    ),
)
