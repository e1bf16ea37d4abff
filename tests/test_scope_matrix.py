"""Every address of the product, tried by the whole cast: who sees, who gets 404, who is asked to sign in.

Addresses are discovered from the resolver, so a new one fails here until it is placed in the table: that is the moment
to think about who may know of what it shows. Two cases stand for all: an ordinary one in Takeo and a sealed one in the
Demo Province about its first district.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from incidents.models import (
    Incident,
)
from tests.cast import NOW, ROLES, Cast
from tests.incidents.plain_case import plain_case
from tests.scope_stage import Stage, discovered, seal_one, set_up

pytestmark = pytest.mark.django_db

EVERYBODY = frozenset(ROLES)
#: Who may know of the ordinary case, and who of them may read its narrative and files.
SEES = frozenset({"officer", "duty_commander", "provincial", "psc", "nec", "nec_second", "ministry", "auditor"})
READS = SEES - {"ministry", "auditor"}
#: Who may know of the sealed case: its reporter and the integrity desks above the unit concerned.
SEES_SEALED = frozenset({"demo_liaison", "demo_integrity", "nec_integrity"})
POSTED = EVERYBODY - {"relieved"}
REPORTS = POSTED - {"ministry", "auditor", "administrator"}
DASHBOARD = POSTED - {"administrator"}
#: Whose work it is to see what moves up next.
BOARD = REPORTS - {"officer", "liaison", "demo_officer", "demo_liaison"}
#: Who looks after the engine, and keeps the channels of messages working.
KEEPERS = frozenset({"psc", "nec", "nec_second", "administrator"})
CLASSIFIES = frozenset({"nec", "nec_second", "nec_integrity", "demo_integrity"})
NOTICES = frozenset({"provincial", "other_province", "demo_provincial", "psc", "nec", "nec_second"})
#: Who may take rows of cases away, and who the figures of a week (domain 5.2).
ROWS = frozenset({"provincial", "other_province", "demo_provincial", "psc", "nec", "nec_second", "ministry"})
WEEKLY = ROWS | {"duty_commander", "neighbour", "demo_duty", "demo_second_duty", "auditor"}
#: Who has to do with drills, who may hold one, and who sees that of a district of Takeo.
DRILLED = WEEKLY - {"ministry"}
DRILLERS = ROWS - {"ministry"}
SEES_DRILL = SEES - {"officer", "ministry"}
#: Who enters answers heard over radio.
OPERATORS = frozenset({
    "duty_commander", "neighbour", "provincial", "other_province", "psc", "nec", "nec_second", "demo_duty",
    "demo_second_duty", "demo_provincial",
})  # fmt: skip
#: Who has to do with duty at all; who keeps that of the district of the ordinary case, and who looks at it.
ON_DUTY = POSTED - {"ministry", "liaison", "demo_liaison", "auditor", "administrator"}
KEEPS_DUTY = frozenset({"duty_commander", "provincial", "psc"})
SEES_DUTY = KEEPS_DUTY | {"officer"}
LOGIN, DENIED = 302, 401
#: Who drafts escalation policies.
POLICY_WRITERS = frozenset({"psc", "nec", "nec_second"})


@dataclass(frozen=True)
class Row:
    """What an address answers: `seen` to those in `who`, `refused` to the rest of the cast, `anonymous` to a stranger.

    `who` names people for the ordinary case; `sealed` those for the sealed one, where the address is about a case.
    A `seen` of 0 means anything but 404: the address is known to them, whatever it thinks of an empty request.
    """

    who: frozenset[str] = EVERYBODY
    seen: int = 200
    refused: int = 404
    anonymous: int = LOGIN
    method: str = "get"
    sealed: frozenset[str] | None = None
    query: str = ""


def case(who: frozenset[str] = SEES, sealed: frozenset[str] = SEES_SEALED, **more: Any) -> Row:
    return Row(who=who, sealed=sealed, **more)


API = {"anonymous": DENIED}
POST = {"method": "post", "seen": 0}
BBOX = "?bbox=100,8,108,16&zoom=7"

TABLE: dict[str, Row] = {
    # Probes.
    "healthz": Row(anonymous=200),
    "readyz": Row(anonymous=0, seen=0),
    "engine_health": Row(anonymous=0, seen=0),
    "metrics": Row(anonymous=200),
    # Account: one's own.
    "start": Row(),
    "account:sign_in": Row(anonymous=200, seen=302),
    "account:sign_out": Row(**POST),
    "account:language": Row(anonymous=0, **POST),
    "account:theme": Row(anonymous=0, **POST),
    "account:preferences": Row(),
    "account:password": Row(**POST),
    "account:tokens": Row(),
    "account:create_token": Row(**POST),
    "account:revoke_token": Row(who=frozenset({"officer"}), **POST),
    # One's own addresses; that of the stage is the officer's.
    "contacts:list": Row(),
    "contacts:add": Row(**POST),
    "contacts:send": Row(who=frozenset({"officer"}), **POST),
    "contacts:verify": Row(who=frozenset({"officer"}), **POST),
    "contacts:quiet": Row(who=frozenset({"officer"}), **POST),
    "contacts:switch": Row(who=frozenset({"officer"}), **POST),
    "contacts:remove": Row(who=frozenset({"officer"}), **POST),
    # Cases.
    "incidents:list": Row(),
    "incidents:news": Row(seen=0),
    "incidents:log": Row(who=REPORTS, refused=403),
    "incidents:receipt": Row(seen=0),
    "incidents:report_places": Row(who=REPORTS, query="?under=KH"),
    "incidents:report_point": Row(who=REPORTS, query="?lat=11.0&lon=104.78"),
    "incidents:report_outlines": Row(who=REPORTS, seen=0),
    "incidents:report_units": Row(who=REPORTS, seen=0),
    "incidents:report_preview": Row(**POST),
    "incidents:more": Row(),
    "incidents:election": Row(**POST),
    "incidents:inbox": Row(),
    "incidents:read_all": Row(**POST),
    "incidents:open_notice": Row(who=frozenset({"duty_commander"}), **POST),
    "incidents:detail": case(),
    "incidents:acts": case(query="?act=update", seen=0),
    "incidents:file": case(who=READS),
    "incidents:original": case(who=READS),
    # Dashboard.
    "dashboards:page": Row(who=DASHBOARD),
    "dashboards:live": Row(who=DASHBOARD),
    "dashboards:areas": Row(who=DASHBOARD),
    "dashboards:points": Row(who=DASHBOARD, query=BBOX),
    "dashboards:outlines": Row(),
    # The weekly summary and its files.
    "reports:weekly": Row(who=WEEKLY),
    "reports:weekly_csv": Row(who=WEEKLY),
    "reports:weekly_xlsx": Row(who=WEEKLY),
    "reports:weekly_cases": Row(who=ROWS, refused=403),
    # Drills; the one of the stage is of the district of the ordinary case.
    "escalation:drills": Row(who=DRILLED),
    "escalation:drill_new": Row(who=DRILLERS),
    "escalation:drill": Row(who=SEES_DRILL),
    "escalation:drill_live": Row(who=SEES_DRILL),
    "escalation:drill_csv": Row(who=SEES_DRILL & DRILLERS),
    "escalation:drill_cancel": Row(who=SEES_DRILL & DRILLERS, **POST),
    "escalation:drill_answer": Row(who=SEES_DRILL, **POST),
    "escalation:drill_heard": Row(who=SEES_DRILL - {"auditor"}),
    # Signed, and for one person: "token" is nobody's.
    "escalation:drill_link": Row(anonymous=200),
    # Escalation.
    "escalation:board": Row(who=BOARD),
    # Policies: the published ones are everybody's to read, drafts of those who write them.
    "escalation:policies": Row(who=POSTED),
    "escalation:policy": Row(who=POSTED),
    "escalation:policy_draft": Row(who=POLICY_WRITERS, **POST),
    "escalation:policy_edit": Row(who=POLICY_WRITERS),
    "escalation:policy_publish": Row(who=POLICY_WRITERS, **POST),
    "escalation:policy_discard": Row(who=POLICY_WRITERS, **POST),
    "escalation:policy_move": Row(who=POLICY_WRITERS),
    "escalation:policy_case": case(who=POLICY_WRITERS, sealed=SEES_SEALED - {"demo_liaison"}),
    "escalation:simulation": Row(who=POLICY_WRITERS),
    "escalation:bar": Row(who=BOARD | {"administrator"}),
    "escalation:engine": Row(who=KEEPERS | {"auditor"}),
    "escalation:held": Row(who=KEEPERS - {"administrator"}),
    "escalation:try_again": Row(who=frozenset(), **POST),
    "escalation:tick": Row(who=BOARD | {"administrator"}, **POST),
    # Duty: of the district of the ordinary case. The province acts for it.
    "duty:overview": Row(who=ON_DUTY, seen=0),
    "duty:mine": Row(),
    "duty:feed_new": Row(**POST),
    "duty:feed_revoke": Row(**POST),
    # Private by its token: "token" is nobody's.
    "duty:calendar": Row(who=frozenset(), anonymous=404),
    "duty:swap_answer": Row(who=frozenset({"duty_commander"}), **POST),
    "duty:delegations": Row(who=ON_DUTY - {"officer", "demo_officer"}),
    "duty:delegation_end": Row(who=KEEPS_DUTY, **POST),
    "duty:roster": Row(who=SEES_DUTY),
    "duty:use": Row(who=SEES_DUTY - {"officer"}, **POST),
    "duty:shift_new": Row(who=SEES_DUTY - {"officer"}),
    "duty:shift": Row(who=SEES_DUTY - {"officer"}),
    "duty:cover_new": Row(who=SEES_DUTY - {"officer"}),
    "duty:cover_end": Row(who=SEES_DUTY - {"officer"}, **POST),
    "duty:swap_new": Row(who=SEES_DUTY),
    "duty:delegate": Row(who=KEEPS_DUTY),
    # NEC.
    "nec:queue": Row(who=CLASSIFIES),
    "nec:decided": Row(who=CLASSIFIES),
    "nec:deadlines": Row(who=CLASSIFIES),
    "nec:classify": case(who=SEES & CLASSIFIES, sealed=SEES_SEALED & CLASSIFIES, **POST),
    "nec:classify_many": Row(who=CLASSIFIES, **POST),
    "nec:take_back": Row(who=CLASSIFIES, **POST),
    "nec:draft": case(who=READS & NOTICES, sealed=frozenset()),
    "nec:notices": Row(who=NOTICES),
    "nec:notice": Row(who=READS & NOTICES),
    "nec:revise": Row(who=READS & NOTICES, seen=0),
    "nec:issue": Row(who=READS & NOTICES, **POST),
    "nec:cancel": Row(who=READS & NOTICES, **POST),
    # A draft is not public.
    "nec:cap": Row(who=frozenset(), anonymous=404),
    "nec:cap_alert": Row(who=frozenset(), anonymous=404),
    # Messages that leave, and answers to them. A link that is none is 404 to everybody.
    "escalation:deliveries": Row(who=KEEPERS),
    "escalation:deliveries_again": Row(who=KEEPERS, **POST),
    "escalation:deliveries_probe": Row(who=KEEPERS, **POST),
    "escalation:webhooks": Row(who=KEEPERS - {"administrator"}),
    "escalation:webhook_switch": Row(who=KEEPERS - {"administrator"}, **POST),
    "escalation:answer": Row(who=frozenset(), anonymous=404),
    "escalation:codes": Row(who=OPERATORS),
    "escalation:inbound_sms": Row(who=frozenset(), anonymous=404, method="post"),
    # API.
    "api:incidents": Row(**API),
    "api:incidents-geojson": Row(who=ROWS, refused=403, **API),
    "api:incident": case(**API),
    "api:timeline": case(**API),
    "api:acts": case(**API, **POST),
    "api:attachments": case(who=READS, **API),
    "api:attachment": case(who=READS, **API),
    "api:jurisdictions": Row(**API),
    "api:jurisdiction": Row(**API),
    "api:elections": Row(**API),
    "api:election": Row(**API),
    "api:commands": Row(**API),
    "api:categories": Row(**API),
    "api:policies": Row(**API),
    "api:policy": Row(**API),
    "api:map-areas": Row(**API),
    "api:map-points": Row(query=BBOX, **API),
    "api:measures": Row(**API),
    "api:reports-weekly": Row(who=WEEKLY, **API),
    "api:reports-weekly-cases": Row(who=ROWS, refused=403, **API),
    "api:problems": Row(**API),
    "api:schema": Row(**API),
    "api:docs": Row(),
    "api:nothing-here": Row(who=frozenset(), **API),
}

THIS_WEEK = "?week=2027-W21&election=CC27"
#: Addresses that list or find cases: the ordinary case's reference stands in the answer to exactly those who see it.
LISTS = {
    "incidents:list": "",
    "incidents:list (search)": "?q=motorbike",
    "api:incidents": "",
    "api:incidents-geojson": "",
    "reports:weekly_cases": THIS_WEEK,
    "api:reports-weekly-cases": THIS_WEEK,
    "api:map-points": BBOX + "&zoom=14",
}
#: No map shows a sealed case, not even to those who see it.
UNMAPPED = frozenset({"api:map-points"})
#: Files of rows: for fewer people than see the cases, and with no sealed case whoever asks.
FILES = frozenset({"api:incidents-geojson", "reports:weekly_cases", "api:reports-weekly-cases"})
#: Learn one number of sealed cases for the whole country, and nothing else of them (domain 5.2: count).
COUNT_SEALED = frozenset({"nec", "nec_second", "ministry", "auditor"})
#: Addresses that answer with counts: a sealed case changes nothing in them for those it is sealed from.
COUNTS = (
    "start",
    "incidents:list",
    "dashboards:page",
    "dashboards:live",
    "dashboards:areas",
    "api:map-areas",
    "api:measures",
    "reports:weekly",
    "reports:weekly_csv",
    "api:reports-weekly",
)


# ---- Discovery ----


def test_every_address_is_placed_in_the_table() -> None:
    names = {name for name, _ in discovered() if not name.startswith("admin:")}
    assert names - set(TABLE) == set(), "place the new address in TABLE: who may know of what it shows?"
    assert set(TABLE) - names == set(), "the table names addresses that are gone"


@pytest.fixture
def stage(cast: Cast, clock: None) -> Stage:
    return set_up(cast)


# ---- The matrix ----


def answer(client: Client, row: Row, url: str) -> int:
    return int(getattr(client, row.method)(url + row.query).status_code)


def fits(status: int, wanted: int) -> bool:
    return status not in (404, 500) if wanted == 0 else status == wanted


@pytest.mark.parametrize("name", sorted(TABLE))
def test_who_sees_what(name: str, stage: Stage, signed_in: Callable[..., Client]) -> None:
    row = TABLE[name]
    wrong = []
    subjects = [(stage.ordinary, row.who)] + ([(stage.sealed, row.sealed)] if row.sealed is not None else [])
    for incident, who in subjects:
        url = stage.url(name, incident)
        kind = "sealed" if incident is stage.sealed else "ordinary"
        status = answer(Client(), row, url)
        if not fits(status, row.anonymous):
            wrong.append(f"{kind}: anonymous gets {status}")
        for person in ROLES:
            status = answer(signed_in(getattr(stage.cast, person)), row, url)
            wanted = row.seen if person in who else row.refused
            if not fits(status, wanted):
                wrong.append(f"{kind}: {person} gets {status}, not {wanted or 'something'}")
    assert wrong == []


@pytest.mark.parametrize("name", LISTS)
def test_lists_name_a_case_to_those_who_see_it_only(name: str, stage: Stage, signed_in: Callable[..., Client]) -> None:
    url = stage.url(name.partition(" ")[0], stage.ordinary) + LISTS[name]
    by_text = "search" in name
    wrong = []
    for person in ROLES:
        body = text_of(signed_in(getattr(stage.cast, person)).get(url))
        sees_sealed = frozenset() if name in UNMAPPED | FILES else SEES_SEALED
        sees = (READS if by_text else SEES) & (ROWS if name in FILES else SEES)
        for incident, who in ((stage.ordinary, sees), (stage.sealed, sees_sealed)):
            if (incident.reference in body) != (person in who):
                wrong.append(f"{person} {'misses' if person in who else 'finds'} {incident.reference}")
        if person not in READS | SEES_SEALED and incident.narrative in body:
            wrong.append(f"{person} reads the narrative")
    assert wrong == []


@pytest.mark.parametrize("name", COUNTS)
def test_a_sealed_case_changes_no_count_of_those_it_is_sealed_from(
    name: str, cast: Cast, clock: None, signed_in: Callable[..., Client]
) -> None:
    plain_case(reported_at=NOW - dt.timedelta(hours=1))
    url = reverse(name)

    def bodies() -> dict[str, str]:
        cache.clear()
        return {p: still(text_of(signed_in(getattr(cast, p)).get(url))) for p in EVERYBODY - SEES_SEALED - COUNT_SEALED}

    before = bodies()
    seal_one(cast)
    after = bodies()
    assert [person for person in before if before[person] != after[person]] == []


def test_the_unsealed_part_of_a_scope_is_the_scope_without_what_is_sealed(stage: Stage, cast: Cast) -> None:
    """Asked for short where a case is known not to be sealed; it may never show another case than the whole scope."""
    cases = Incident.objects
    for person in EVERYBODY:
        user = getattr(cast, person)
        for scope in (cases.visible_to, cases.detailed_to):
            whole = set(scope(user).filter(is_sealed=False).values_list("pk", flat=True))
            assert set(scope(user, unsealed=True).values_list("pk", flat=True)) == whole, person
    assert cases.visible_to(cast.officer, unsealed=True).count() == 1


def text_of(answer: Any) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def still(body: str) -> str:
    """The body without what changes by itself: form tokens."""
    return re.sub(r'(csrfmiddlewaretoken"[^>]*value=")[^"]+', r"\1", body)


# ---- The admin ----


def test_the_admin_opens_for_the_administrator_only_and_holds_no_case(
    cast: Cast, signed_in: Callable[..., Client]
) -> None:
    for person in ROLES:
        status = signed_in(getattr(cast, person)).get(reverse("admin:index")).status_code
        assert status == (200 if person == "administrator" else 302), person
    assert Client().get(reverse("admin:index")).status_code == 302
    held = {name for name, _ in discovered() if name.startswith("admin:incidents_")}
    assert {name.split("_")[1] for name in held} <= {"category", "legaldeadline"}
