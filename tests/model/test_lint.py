"""The linter: each finding with its file, its line, its rule and a plain sentence. The fixtures are contracts."""

from __future__ import annotations

import pytest
from hypothesis import given

from lakehouse.errors import Misuse
from lakehouse.model.contracts import Contract
from lakehouse.model.documents import Finding
from lakehouse.model.lint import read_book
from lakehouse.runs.books import lint_book
from tests.support.books import HEAD, contracts

# The head is six lines long, so that `terms:` stands on line 7 and the first term on line 8.
MASTER = "  - {clause: master_share, rate: 50%, to: P-A}\n"


def _findings(terms: str = MASTER, head: str = HEAD, **others: str) -> list[Finding]:
    documents = {"c.yaml": f"{head}terms:\n{terms}", **{f"{name}.yaml": text for name, text in others.items()}}
    return read_book(documents)[1]


def _one(found: list[Finding]) -> tuple[str, int, str, str]:
    assert len(found) == 1, [str(finding) for finding in found]
    return found[0].file, found[0].line, found[0].rule, found[0].message


def test_a_sound_book_has_no_findings() -> None:
    assert _findings() == []


def test_a_circle_is_named_from_party_to_party() -> None:
    found = _findings(MASTER + "tree:\n  P-A: {P-B: 50%}\n  P-B: {P-C: 50%}\n  P-C: {P-A: 50%}\n")
    assert _one(found) == ("c.yaml", 10, "cycle", "the tree runs in a circle: P-A - P-B - P-C - P-A")


def test_a_diamond_is_no_circle() -> None:
    assert _findings(MASTER + "tree:\n  P-A: {P-B: 50%, P-C: 50%}\n  P-B: {P-D: 10%}\n  P-C: {P-D: 10%}\n") == []


def test_a_party_that_shares_with_itself_is_a_circle() -> None:
    assert _one(_findings(MASTER + "tree:\n  P-A: {P-A: 50%}\n"))[2:] == ("cycle", "the tree runs in a circle: P-A - P-A")


def test_shares_beyond_the_whole_are_found() -> None:
    found = _findings(MASTER + "tree:\n  P-A: {P-B: 60%, P-C: 41%}\n")
    assert _one(found) == ("c.yaml", 10, "shares", "the shares under P-A add up to 101%, more than 100%")


def test_thirds_make_a_whole_and_no_more() -> None:
    assert _findings(MASTER + "tree:\n  P-A: {P-B: 1/3, P-C: 1/3, P-D: 1/3}\n") == []


def test_writers_that_do_not_make_a_whole_are_found() -> None:
    found = _findings("  - {clause: publishing_share, rate: 10%, to: {P-A: 50%, P-B: 40%}}\n")
    assert _one(found)[:2] == ("c.yaml", 8)
    assert "the writers' shares add up to 90%, not 100%" in found[0].message


def test_equally_specific_terms_that_can_both_apply_are_found() -> None:
    terms = """\
  - {clause: master_share, rate: 50%, to: P-A, when: {territory: [US, CA]}}
  - {clause: master_share, rate: 40%, to: P-A, when: {territory: [US, MX]}}
"""
    message = "terms 1 and 2 (master_share) are equally specific and can both apply: nothing decides between them"
    assert _one(_findings(terms)) == ("c.yaml", 9, "equal-specificity", message)


@pytest.mark.parametrize(
    "second",
    [
        "{clause: master_share, rate: 40%, to: P-A, when: {territory: [MX, DE]}}",  # no country in common
        "{clause: master_share, rate: 40%, to: P-A, when: {territory: US}}",  # more specific
        "{clause: territory_deduction, rate: 40%, when: {territory: [US, CA]}}",  # another clause
        "{clause: master_share, rate: 40%, to: P-A, when: {territory: [US, CA], to: 2026-05}}",  # not at the same time
    ],
)
def test_terms_between_which_something_decides_are_sound(second: str) -> None:
    first = "{clause: master_share, rate: 50%, to: P-A, when: {territory: [US, CA], from: 2026-06}}"
    assert _findings(f"  - {first}\n  - {second}\n") == []


@pytest.mark.parametrize("covers", ["{artists: [Mira Okoye]}", "{recordings: [R-1, R-2]}", "{labels: [Kitetail]}"])
def test_two_contracts_for_the_same_thing_at_the_same_time_are_found(covers: str) -> None:
    head = HEAD.replace("{artists: [Mira Okoye]}", covers)
    other = f"{head.replace('C-1', 'C-2').replace('R-1, ', '')}terms:\n{MASTER}"
    found = _one(_findings(head=head, d=other))
    assert found[:3] == ("d.yaml", 6, "overlap")
    assert found[3].endswith("is covered by C-1 v1 and C-2 v1 at the same time")


def test_versions_that_follow_each_other_do_not_overlap() -> None:
    second = HEAD.replace('"1"', '"2"').replace("{from: 2026-01}", "{from: 2026-04}") + "terms:\n" + MASTER
    assert _findings(head=HEAD.replace("{from: 2026-01}", "{from: 2026-01, to: 2026-03}"), d=second) == []


def test_versions_that_share_a_month_overlap() -> None:
    second = HEAD.replace('"1"', '"2"').replace("{from: 2026-01}", "{from: 2026-03-15}") + "terms:\n" + MASTER
    found = _findings(head=HEAD.replace("{from: 2026-01}", "{from: 2026-01, to: 2026-03-14}"), d=second)
    assert _one(found)[2] == "overlap"  # months of use cannot be cut at a day


def test_one_version_written_twice_is_found() -> None:
    second = HEAD.replace("Mira Okoye", "Jonas Vale") + "terms:\n" + MASTER
    assert _one(_findings(d=second)) == ("d.yaml", 1, "duplicate", "C-1 v1 is written in c.yaml too")


@pytest.mark.parametrize(
    ("terms", "line"),
    [
        ("  - {clause: master_share, rate: 50%, to: P-X}\n", 8),
        ("  - {clause: publishing_share, rate: 5%, to: {P-X: 100%}}\n", 8),
        (MASTER + "tree:\n  P-A: {P-X: 5%}\n", 10),
        (MASTER + "tree:\n  P-X: {P-A: 5%}\n", 10),
    ],
)
def test_a_party_that_nobody_knows_is_found_wherever_it_stands(terms: str, line: int) -> None:
    message = "P-X is not a party: add it under `parties` or in parties.yaml"
    assert _one(_findings(terms)) == ("c.yaml", line, "unknown-party", message)


def test_parties_may_stand_in_a_file_of_their_own() -> None:
    terms = "  - {clause: master_share, rate: 50%, to: P-X}\n"
    assert _findings(terms, parties="P-X: {name: Xenia}\n") == []


def test_a_party_with_two_names_is_worth_a_look() -> None:
    other = (
        HEAD.replace("C-1", "C-2").replace("Mira Okoye", "Jonas Vale").replace("name: Ana", "name: Anna") + "terms:\n" + MASTER
    )
    found = _findings(d=other)
    assert _one(found) == ("d.yaml", 5, "party-name", "P-A is 'Anna' here and 'Ana' in c.yaml")
    assert found[0].severity == "warn"


def _uncovered(month: str) -> str:
    return f"in {month} there is no master_share for all the usage that these producer_points apply to"


@pytest.mark.parametrize(
    ("master", "points", "message"),
    [
        ("", "points: 5%", _uncovered("2026-01")),
        ("rate: 4%", "points: 5%", "5% points are more than the artist's 4% of the master"),
        ("rate: 97%", "points: 5%, from: label", "5% points are more than the label's 3% of the master"),
        ("rate: 50%, when: {territory: US}", "points: 5%", _uncovered("2026-01")),
        ("rate: 50%, when: {to: 2026-06}", "points: 5%", _uncovered("2026-07")),
        ("rate: 50%, when: {from: 2026-02}", "points: 5%", _uncovered("2026-01")),
    ],
)
def test_points_that_nothing_can_pay_are_found(master: str, points: str, message: str) -> None:
    shares = f"  - {{clause: master_share, to: P-A, {master}}}\n" if master else ""
    terms = f"{shares}  - {{clause: producer_points, {points}, to: P-B}}\n"
    assert _one(_findings(terms)) == ("c.yaml", 9 if master else 8, "points", message)


@pytest.mark.parametrize(
    "masters",
    [
        ["rate: 50%"],
        ["rate: 50%", "rate: 40%, when: {territory: US}"],
        ["rate: 50%, when: {to: 2026-06}", "rate: 60%, when: {from: 2026-07}"],
    ],
)
def test_points_that_can_always_be_paid_are_sound(masters: list[str]) -> None:
    shares = "".join(f"  - {{clause: master_share, to: P-A, {master}}}\n" for master in masters)
    assert _findings(f"{shares}  - {{clause: producer_points, points: 5%, to: P-B}}\n") == []


@pytest.mark.parametrize(
    ("when", "rule", "message"),
    [
        ("{territory: [US, USA]}", "territory", "'USA' is not an ISO 3166-1 alpha-2 code: the term would never apply"),
        ("{configuration: streams}", "configuration", "reports in a lake say stream, download,"),
        ("{from: 2026-05, to: 2026-04}", "dates", "it ends in 2026-04, before it starts in 2026-05: it would never apply"),
    ],
)
def test_a_term_that_could_never_apply_is_found(when: str, rule: str, message: str) -> None:
    found = _one(_findings(MASTER + f"  - {{clause: territory_deduction, rate: 5%, when: {when}}}\n"))
    assert found[:3] == ("c.yaml", 9, rule)
    assert found[3].startswith(message)


def test_a_contract_that_ends_before_it_starts_is_found() -> None:
    found = _one(_findings(head=HEAD.replace("{from: 2026-01}", "{from: 2026-05, to: 2026-01-31}")))
    assert found[:3] == ("c.yaml", 3, "dates")


@pytest.mark.parametrize(
    ("terms", "line", "rule", "said"),
    [
        ("  - {clause: master_share, rate: 50%, too: P-A}\n", 8, "extra_forbidden", "terms.0.too"),
        ("  - {clause: master_share, rate: 50%}\n", 8, "missing", "terms.0.to"),
        ("  - {clause: master_share, rate: 150%, to: P-A}\n", 8, "value_error", "'150%' is not between 0% and 100%"),
        ("  - {clause: master_share, rate: half, to: P-A}\n", 8, "value_error", "'half' is not a rate"),
        ("  - {clause: mastershare, rate: 50%, to: P-A}\n", 8, "union_tag_invalid", "mastershare"),
        (MASTER + "trea: {}\n", 9, "extra_forbidden", "trea"),
        (MASTER + "label: P-B\n", 9, "yaml", "the key 'label' is given twice"),
        (MASTER + "tree: [\n", 10, "yaml", "expected the node content"),
    ],
)
def test_what_is_no_contract_is_found_where_it_stands(terms: str, line: int, rule: str, said: str) -> None:
    found = [f for f in _findings(terms) if said in f.message]
    assert [(f.file, f.line, f.rule, f.severity) for f in found] == [("c.yaml", line, rule, "error")]


def test_one_broken_contract_does_not_hide_the_findings_of_another() -> None:
    found = _findings("  - {clause: master_share, rate: 50%, to: P-X}\n", d="a: [\n")
    assert [(f.file, f.rule) for f in found] == [("c.yaml", "unknown-party"), ("d.yaml", "yaml")]


def test_findings_come_in_the_order_of_the_book() -> None:
    terms = "  - {clause: master_share, rate: 50%, to: P-X}\n" + MASTER + "tree:\n  P-A: {P-B: 60%, P-C: 60%}\n"
    assert [f.line for f in _findings(terms)] == [8, 9, 11]


@given(contracts())
def test_the_random_contracts_of_the_other_tests_are_sound(any_contract: Contract) -> None:
    text = any_contract.model_dump_json(by_alias=True, exclude_none=True)
    assert read_book({"c.yaml": text})[1] == []


def test_a_book_without_documents_is_misuse(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Misuse, match="There is no YAML file"):
        lint_book(tmp_path)
