"""Who may do what to a case, role by role: the matrix of domain 5.2 written out a second time, without a database."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from commands import authority
from commands.authority import Facts
from commands.choices import Role
from elections.choices import Level

DISTRICT, PROVINCE, PSC, NEC = "PSC.KH21.KH2108.", "PSC.KH21.", "PSC.", "NEC."
ACTS = sorted(authority.TABLE)


@dataclass(frozen=True)
class Area:
    pcode: str
    level: Level


@dataclass(frozen=True)
class Command:
    path: str
    jurisdiction: Area


@dataclass(frozen=True)
class Held:
    """A posting as far as authority looks at it."""

    role: Role
    command: Command = field(default_factory=lambda: Command(DISTRICT, Area("KH2108", Level.DISTRICT)))
    is_acting: bool = False


def held(role: Role, path: str = DISTRICT, pcode: str = "KH2108", level: Level = Level.DISTRICT) -> Any:
    return Held(role, Command(path, Area(pcode, level)))


OFFICER = held(Role.OFFICER)
DUTY = held(Role.DUTY_COMMANDER)
NEIGHBOUR = held(Role.DUTY_COMMANDER, "PSC.KH21.KH2109.", "KH2109")
PROVINCIAL = held(Role.PROVINCIAL_COMMAND, PROVINCE, "KH21", Level.PROVINCE)
WATCH = held(Role.PSC_WATCH, PSC, "KH", Level.COUNTRY)
SECRETARIAT = held(Role.NEC_SECRETARIAT, NEC, "KH", Level.COUNTRY)
DESK = held(Role.INTEGRITY, "PSC.KH21.KH21-ID.", "KH21", Level.PROVINCE)
NEC_DESK = held(Role.INTEGRITY, "NEC.NEC-ID.", "KH", Level.COUNTRY)
LIAISON = held(Role.LIAISON, "LIA-1.", "KH", Level.COUNTRY)
EVERYBODY = (OFFICER, DUTY, NEIGHBOUR, PROVINCIAL, WATCH, SECRETARIAT, DESK, NEC_DESK, LIAISON)

#: A theft at a market, owned by the district it happened in.
THEFT = Facts(
    owner_path=DISTRICT, place="KH210801", severity="low", nature="ordinary", group="CRM", is_sealed=False
)  # fmt: skip
MINE = replace(THEFT, is_reporter=True)
THREAT = replace(THEFT, nature="electoral", group="INT", severity="high")
SEALED = replace(THEFT, is_sealed=True, owner_path="PSC.KH21.KH21-ID.")


def may(posting: Any, facts: Facts) -> set[str]:
    return {act for act in ACTS if authority.may(act, [posting], facts)}


def test_roles_that_only_look_do_nothing_to_any_case() -> None:
    for role, sealed, mine in itertools.product(
        (Role.MINISTRY_ANALYST, Role.AUDITOR, Role.ADMINISTRATOR), (True, False), (True, False)
    ):
        facts = replace(THEFT, is_sealed=sealed, is_reporter=mine and not sealed, is_assignee=mine)
        assert may(held(role, PSC, "KH", Level.COUNTRY), facts) == set()


def test_who_is_posted_nowhere_does_nothing() -> None:
    for act in ACTS:
        with pytest.raises(PermissionDenied, match="no posting"):
            authority.judge(act, [], MINE)


def test_an_officer_acts_on_what_is_the_officers_own() -> None:
    assert may(OFFICER, THEFT) == set()
    assert may(OFFICER, MINE) == {
        "update", "raise_severity", "escalate", "flare_up", "propose", "correct", "attach", "withdraw",
        "record_person", "open_identity",
    }  # fmt: skip
    assert "withdraw" not in may(OFFICER, replace(THEFT, is_assignee=True))


def test_a_district_works_its_cases_to_their_resolution_and_does_not_close_them() -> None:
    allowed = may(DUTY, THEFT)
    assert {"acknowledge", "assign", "update", "contain", "resolve", "merge", "dismiss", "lower_severity"} <= allowed
    assert not {"close", "reopen", "classify", "hand_back", "grant_identity", "relocate_station"} & allowed
    assert may(NEIGHBOUR, THEFT) == set()


def test_a_district_has_no_say_over_what_the_province_owns_but_may_still_report_of_it() -> None:
    with_province = replace(THEFT, owner_path=PROVINCE)
    assert {"seen", "update", "escalate", "raise_severity"} <= may(DUTY, with_province)
    assert not {"acknowledge", "assign", "contain", "resolve", "lower_severity", "dismiss"} & may(DUTY, with_province)


@pytest.mark.parametrize(
    ("severity", "district", "province", "psc"),
    [("low", True, True, True), ("medium", True, True, True), ("high", False, True, True),
     ("critical", False, False, True)],
)  # fmt: skip
def test_who_resolves_depends_on_how_serious_it_is(severity: str, district: bool, province: bool, psc: bool) -> None:
    facts = replace(THEFT, severity=severity)
    assert ["resolve" in may(p, facts) for p in (DUTY, PROVINCIAL, WATCH)] == [district, province, psc]


def test_the_nec_classifies_and_nobody_of_the_ladder_does() -> None:
    assert "classify" in may(SECRETARIAT, THREAT)
    assert not any("classify" in may(p, THREAT) for p in (OFFICER, DUTY, PROVINCIAL, WATCH, LIAISON))
    assert not {"acknowledge", "assign", "contain", "resolve"} & may(SECRETARIAT, THREAT)


@pytest.mark.parametrize("act", ["close", "dismiss"])
def test_the_nec_ends_what_is_electoral_and_the_ladder_the_rest(act: str) -> None:
    assert act in may(PROVINCIAL, THEFT) and act not in may(SECRETARIAT, THEFT)
    for facts in (
        THREAT,
        replace(THEFT, group="INF"),
        replace(THEFT, group="NEU"),
        replace(THEFT, severity="critical"),
    ):
        assert act in may(SECRETARIAT, facts) and act not in may(PROVINCIAL, facts)


def test_who_resolved_does_not_close_and_who_asked_does_not_countersign() -> None:
    assert "close" not in may(PROVINCIAL, replace(THEFT, is_resolver=True))
    asked = replace(THEFT, request_act="dismiss")
    assert "countersign" in may(PROVINCIAL, asked)
    assert "countersign" not in may(PROVINCIAL, replace(asked, is_requester=True))


@pytest.mark.parametrize("asked", ["withdraw", "resolve"])
def test_withdrawals_and_critical_resolutions_are_countersigned_by_the_nec(asked: str) -> None:
    facts = replace(THEFT, request_act=asked)
    assert "countersign" in may(SECRETARIAT, facts)
    assert not any("countersign" in may(p, facts) for p in (DUTY, PROVINCIAL, WATCH))


def test_a_sealed_case_is_for_integrity_desks_alone() -> None:
    assert all(may(p, SEALED) == set() for p in (OFFICER, DUTY, PROVINCIAL, WATCH, SECRETARIAT, LIAISON))
    assert {"acknowledge", "assign", "update", "contain", "resolve", "escalate"} <= may(DESK, SEALED)
    assert not {"close", "reopen", "classify", "countersign", "merge", "seen"} & may(DESK, SEALED)
    assert {"close", "reopen", "classify", "countersign"} <= may(NEC_DESK, SEALED)


def test_who_reported_a_sealed_case_may_add_to_it_and_take_it_back() -> None:
    for posting in (OFFICER, LIAISON):
        assert may(posting, replace(SEALED, is_reporter=True)) == {
            "update", "attach", "withdraw", "record_person", "open_identity",
        }  # fmt: skip


def test_asking_whether_and_asking_under_what_agree() -> None:
    kinds = [
        replace(THEFT, severity=severity, nature=nature, is_sealed=sealed, is_reporter=mine, request_act=asked)
        for severity in ("unrated", "low", "high", "critical")
        for nature in ("ordinary", "electoral")
        for sealed in (False, True)
        for mine in (False, True)
        for asked in ("", "withdraw", "dismiss")
    ]
    for posting, facts, act in itertools.product(EVERYBODY, kinds, ACTS):
        try:
            under = authority.judge(act, [posting], facts)
        except PermissionDenied as refused:
            assert str(refused).endswith(".")
            under = None
        assert authority.may(act, [posting], facts) == (under is not None)


def test_a_refusal_names_who_may_do_it() -> None:
    with pytest.raises(PermissionDenied, match="NEC"):
        authority.judge("classify", [DUTY], THREAT)
    with pytest.raises(PermissionDenied, match="Provincial command"):
        authority.judge("resolve", [DUTY], replace(THEFT, severity="high"))
