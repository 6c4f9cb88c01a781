# %% [markdown]
# # A new report format, step by step
# A sender's file that nobody knows yet becomes a dialect: a document, no code. Nothing here needs a lake.

# %%
import tempfile
from pathlib import Path

import pandas as pd

from lakehouse.settings import conf_dir
from lakehouse.sources.draft import draft
from lakehouse.sources.guess import guess_table
from lakehouse.sources.lint_dialect import lint_dialect
from lakehouse.sources.recognise import load_dialects
from lakehouse.sources.records import read_records

report = """Monat;Händler;Land;ISRC;Interpret;Titel;Nutzung;Menge;Erlös EUR
2026-05;Nordklang;DE;QZMO12600001;Mara Okafor;Night Ferry;Stream;1200;3,6
2026-05;Nordklang;AT;QZMO12600001;Mara Okafor;Night Ferry;Stream;40;0,12
2026-05;Nordklang;DE;QZMO12600002;Ibo Lark;Low Tide;Download;2;1,40
2026-05;Nordklang;CH;QZMO12600002;Ibo Lark;Low Tide;Stream;900;2,7
""".encode()

# %% [markdown]
# Nobody recognises it, and the reason names the nearest format and each column that differs.

# %%
known = load_dialects([conf_dir() / "sources"])
unknown = known.recognise(report, "nordklang_2026-05.csv")
assert unknown.dialect is None
print(unknown.reason)

# %% [markdown]
# A first draft, with what it leaves to a person.

# %%
text, left = draft(guess_table(report), "nordklang")
print(text)

# %% [markdown]
# Finished by hand: what the marks asked for, and the decimal comma.

# %%
said = {
    'doc: "???': 'doc: "Nordklang\'s monthly CSV in euros: a row for each recording, country and kind of use. ',
    "grammar:\n": 'grammar:\n  decimal: ","\n',
    'usage_period: "???"': "usage_period: Monat\n  title: Titel\n  artist: Interpret",
    'channel: "???"': "channel: Händler",
    'configuration: "???"': "configuration: {column: Nutzung, lookup: {Stream: stream, Download: download}}",
    'units: "???"': "units: Menge",
    'amount: "???"': "amount: Erlös EUR",
    'currency: "???"': "currency: {constant: EUR}",
    'period: {column: "???"}': "period: {column: Monat}",
}
for mark, answer in said.items():
    assert mark in text, mark
    text = text.replace(mark, answer)
folder = Path(tempfile.mkdtemp())
(folder / "nordklang.yaml").write_text(text, encoding="utf-8")
findings = lint_dialect(folder / "nordklang.yaml", known)
pd.DataFrame(findings)

# %%
assert not [finding for finding in findings if finding["severity"] == "error"]

# %% [markdown]
# Now it is recognised, as this format and no other, and cut into cells.

# %%
mine = load_dialects([conf_dir() / "sources", folder])
seen = mine.recognise(report, "nordklang_2026-05.csv")
assert seen.dialect is not None
print(seen.dialect.id, seen.encoding)
records = [record for record in read_records(report, seen.dialect, seen.encoding) if record.kind == "data"]
pd.DataFrame([record.cells for record in records], columns=seen.dialect.header.columns)

# %%
assert [record.line_no for record in records] == [2, 3, 4, 5]

# %% [markdown]
# To use it: keep the document in a folder of your own and name that in `LAKEHOUSE_SOURCES`, or add it to `conf/sources` with a sample and an
# expectation; see docs/how-to/add-a-dsp.md.
