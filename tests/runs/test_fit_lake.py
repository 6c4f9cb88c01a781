"""`lakehouse match fit` without a table: the model of linking on the lake's own usage keys and catalog. No JVM."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.cli import match as _registered  # noqa: F401
from lakehouse.errors import Misuse
from lakehouse.model.linkage.rules import load_linkage
from lakehouse.runs.match import fit_lake
from lakehouse.settings import conf_dir
from lakehouse.sources.linkage_model import read_model
from lakehouse.store.light import create_tables
from lakehouse.tables import silver
from lakehouse.views.linkable import usage_and_catalog
from tests.support.doubt import HARBOUR, INTRO, ZANZIBAR, lake_in_doubt
from tests.support.golden import rows_of
from tests.support.lake import append
from tests.support.lakes import environment

RULES = load_linkage(conf_dir() / "linkage.yaml")


def test_a_usage_key_stands_once_however_many_lines_say_it(tmp_path: Path) -> None:
    env = lake_in_doubt(root := tmp_path / "lake")
    (intro,) = [row for row in rows_of(env.reader, "silver.usage") if row["usage_key"] == INTRO]
    append(root, silver.usage, [{**intro, "line_no": 99}])
    usage, catalog = usage_and_catalog(env.reader)
    assert {row["id"]: row["title"] for row in usage} == {INTRO: "Intro", HARBOUR: "Harbour", ZANZIBAR: "Zanzibar"}
    assert [(row["id"], row["title"], row["upc"]) for row in catalog] == [
        ("R-1", "Harbor", None),
        ("R-3", "Intro", None),
        ("R-4", "Intro", None),
    ]


def test_the_model_is_estimated_on_the_lakes_own_candidates_and_can_be_read_back(tmp_path: Path) -> None:
    lake_in_doubt(root := tmp_path / "lake")
    model = tmp_path / "model.yaml"
    told = CliRunner().invoke(app, ["match", "fit", "--out", str(model), "--root", str(root), "--json"])
    done = json.loads(told.stdout)
    assert (told.exit_code, done["left"], done["right"]) == (0, 3, 3)
    # Intro with both of that title, Harbour with Harbor; Zanzibar with none
    assert done["candidates"] == 3
    assert read_model(model).sha256 == done["model"] != RULES.model.sha256


def test_a_lake_of_nothing_is_refused_in_words(tmp_path: Path) -> None:
    create_tables(str(tmp_path / "lake"))
    with pytest.raises(Misuse, match="no usage or no catalog yet"):
        fit_lake(environment(tmp_path / "lake").reader, tmp_path / "model.yaml", RULES)
