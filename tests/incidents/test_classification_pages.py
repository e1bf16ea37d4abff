"""The NEC's queue: who finds it, what one tap does, what it says when there is nothing."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from elections.models import Election
from incidents import actions
from incidents.choices import Act
from incidents.models import Entry
from tests.cast import NOW, Cast
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db

ALLOWED = {"nec", "nec_second", "nec_integrity", "demo_integrity"}


@pytest.fixture
def moment() -> dt.datetime:
    return timezone.now()


@pytest.mark.parametrize("name", Cast.names())
@pytest.mark.parametrize("page", ["nec:queue", "nec:decided"])
def test_the_pages_are_there_for_the_nec_alone(cast: Cast, signed_in: Any, name: str, page: str) -> None:
    answer = signed_in(getattr(cast, name)).get(reverse(page))
    assert answer.status_code == (200 if name in ALLOWED else 404)


def test_an_empty_queue_teaches(cast: Cast, signed_in: Any) -> None:
    page = signed_in(cast.nec).get(reverse("nec:queue")).content.decode()
    assert "Nothing waits for a classification" in page


def test_a_case_stands_there_with_the_proposal_of_the_police(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    case = plain_case(reported_at=moment, proposed_classification="ordinary", narrative="SECRET WORDS")
    page = signed_in(cast.nec).get(reverse("nec:queue")).content.decode()
    assert case.reference in page
    assert "Police propose" in page
    assert "SECRET WORDS" not in page


@pytest.mark.parametrize("only", ["late", "serious", "proposed", "unknown"])
def test_the_queue_can_be_narrowed(cast: Cast, signed_in: Any, moment: dt.datetime, only: str) -> None:
    new = plain_case(reported_at=moment)
    old = plain_case(reported_at=moment - dt.timedelta(days=2), severity="high", proposed_classification="electoral")
    page = signed_in(cast.nec).get(reverse("nec:queue"), {"only": only}).content.decode()
    assert old.reference in page
    assert (new.reference in page) == (only == "unknown")


@pytest.mark.parametrize(
    ("pressed", "becomes"),
    [
        ({"ground": "target"}, "electoral"),
        ({"classification": "ordinary"}, "ordinary"),
        ({"classification": "hazard"}, "hazard"),
    ],
)
def test_one_tap_classifies(
    cast: Cast, signed_in: Any, make_incident: Any, pressed: dict[str, str], becomes: str
) -> None:
    case = make_incident()
    answer = signed_in(cast.nec).post(
        reverse("nec:classify", args=[case.pk]), {**pressed, "version": case.version, "next": "/nec/?only=late"}
    )
    assert answer.status_code == 302
    assert answer["Location"] == "/nec/?only=late"
    case.refresh_from_db()
    assert case.classification == becomes
    assert Entry.objects.filter(incident=case, act=Act.CLASSIFY, by=cast.nec).count() == 1


@pytest.mark.parametrize(
    "pressed",
    [{}, {"classification": "electoral"}, {"classification": "undetermined"}, {"ground": "mood"}, {"version": "x"}],
)
def test_half_a_decision_changes_nothing(
    cast: Cast, signed_in: Any, make_incident: Any, pressed: dict[str, str]
) -> None:
    case = make_incident()
    signed_in(cast.nec).post(reverse("nec:classify", args=[case.pk]), {"version": case.version, **pressed})
    case.refresh_from_db()
    assert case.classification == "undetermined"


def test_an_old_page_does_not_decide(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    case = make_incident()
    client = signed_in(cast.nec)
    sent = {"classification": "ordinary", "version": case.version + 5}
    page = client.post(reverse("nec:classify", args=[case.pk]), sent, follow=True).content.decode()
    case.refresh_from_db()
    assert case.classification == "undetermined"
    assert case.reference in page


def test_it_never_leads_to_another_site(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    case = make_incident()
    answer = signed_in(cast.nec).post(
        reverse("nec:classify", args=[case.pk]),
        {"classification": "ordinary", "version": case.version, "next": "https://example.org/"},
    )
    assert answer["Location"] == reverse("nec:queue")


@pytest.mark.parametrize("name", ["psc", "provincial", "duty_commander", "officer", "ministry", "administrator"])
def test_nobody_else_classifies_here(cast: Cast, signed_in: Any, name: str) -> None:
    case = plain_case()
    answer = signed_in(getattr(cast, name)).post(
        reverse("nec:classify", args=[case.pk]), {"classification": "ordinary", "version": 1}
    )
    assert answer.status_code == 404


def test_a_sealed_case_is_not_the_secretariats(cast: Cast, signed_in: Any) -> None:
    case = plain_case(is_sealed=True)
    answer = signed_in(cast.nec).post(
        reverse("nec:classify", args=[case.pk]), {"classification": "ordinary", "version": 1}
    )
    assert answer.status_code == 404


def test_disagreement_can_be_picked_out(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    same = plain_case(classification="ordinary", proposed_classification="ordinary", classified_at=moment)
    other = plain_case(classification="electoral", proposed_classification="ordinary", classified_at=moment)
    page = signed_in(cast.nec).get(reverse("nec:decided"), {"only": "disagreed"}).content.decode()
    assert other.reference in page
    assert same.reference not in page


# ---- Together ----


def together(client: Any, cases: list[Any], **pressed: Any) -> str:
    sent = {"case": [f"{case.pk}:{case.version}" for case in cases], "next": "/nec/", **pressed}
    page: str = client.post(reverse("nec:classify_many"), sent, follow=True).content.decode()
    return page


def kinds(cases: list[Any]) -> list[str]:
    return [str(type(case).objects.get(pk=case.pk).classification) for case in cases]


def test_ticked_cases_are_decided_together_each_as_an_act_of_its_own(
    cast: Cast, signed_in: Any, make_incident: Any
) -> None:
    cases = [make_incident() for _ in range(3)]
    page = together(signed_in(cast.nec), cases[:2], classification="ordinary")
    assert "2 cases are classified." in page
    assert kinds(cases) == ["ordinary", "ordinary", "undetermined"]
    assert Entry.objects.filter(act=Act.CLASSIFY, by=cast.nec).count() == 2


def test_a_ground_is_written_to_each(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    cases = [make_incident() for _ in range(2)]
    together(signed_in(cast.nec), cases, ground="motive")
    assert kinds(cases) == ["electoral"] * 2
    assert set(Entry.objects.filter(act=Act.CLASSIFY).values_list("reason", flat=True)) == {
        "The motive is the election"
    }


def test_as_police_propose_takes_each_its_own_proposal(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    cases = [make_incident() for _ in range(3)]
    for case, kind in zip(cases, ("hazard", "ordinary", ""), strict=True):
        if kind:
            actions.propose(
                case, by=cast.duty_commander, version=None, now=NOW, classification=kind, note="Seen on the spot."
            )
        case.refresh_from_db()
    page = together(signed_in(cast.nec), cases, classification="proposed")
    assert kinds(cases) == ["hazard", "ordinary", "undetermined"]
    assert f"{cases[2].reference}: police propose nothing." in page


def test_serious_cases_are_decided_one_by_one(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    cases = [make_incident(), make_incident(severity="high"), make_incident(severity="critical")]
    client = signed_in(cast.nec)
    html = client.get(reverse("nec:queue")).content.decode()
    assert [f'value="{case.pk}:{case.version}"' in html for case in cases] == [True, False, False]
    page = together(client, cases, classification="ordinary")
    assert kinds(cases) == ["ordinary", "undetermined", "undetermined"]
    assert "2 cases were left out" in page


def test_one_refused_case_stops_no_other(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    old, new = make_incident(), make_incident()
    old.version += 3
    page = together(signed_in(cast.nec), [old, new], classification="ordinary")
    assert kinds([old, new]) == ["undetermined", "ordinary"]
    assert old.reference in page


@pytest.mark.parametrize("ticked", [[], ["nonsense"], ["nonsense:1", ":"]])
def test_nothing_ticked_says_what_to_do(cast: Cast, signed_in: Any, ticked: list[str]) -> None:
    answer = signed_in(cast.nec).post(
        reverse("nec:classify_many"), {"case": ticked, "classification": "ordinary"}, follow=True
    )
    assert answer.status_code == 200
    assert Entry.objects.filter(act=Act.CLASSIFY).count() == 0
    assert "classified." not in answer.content.decode()


def test_too_many_at_once_are_refused(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    case = make_incident()
    page = together(signed_in(cast.nec), [case] * 51, classification="ordinary")
    assert kinds([case]) == ["undetermined"]
    assert "At most 50 cases at once." in page


# ---- Taking back, deciding again ----


def test_what_was_just_decided_is_taken_back_by_who_decided_it(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    case = make_incident()
    client, second = signed_in(cast.nec), signed_in(cast.nec_second)
    together(client, [case], classification="hazard")
    assert "You decided 1 case in the last 15 minutes." in client.get(reverse("nec:queue")).content.decode()
    assert "You decided" not in second.get(reverse("nec:queue")).content.decode()
    second.post(reverse("nec:take_back"), {"case": [str(case.pk)]})
    assert kinds([case]) == ["hazard"]
    page = client.post(reverse("nec:take_back"), {"case": [str(case.pk)]}, follow=True).content.decode()
    assert kinds([case]) == ["undetermined"]
    assert "1 decision is taken back." in page
    assert case.reference in page
    assert case.reference not in client.get(reverse("nec:decided")).content.decode()
    assert Entry.objects.filter(incident=case, act=Act.CLASSIFY).count() == 2


def test_it_goes_back_to_what_it_was_and_not_to_nothing(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    case = make_incident()
    actions.classify(case, by=cast.nec_second, version=None, now=NOW, classification="ordinary")
    client = signed_in(cast.nec)
    case.refresh_from_db()
    again = {"classification": "hazard", "version": case.version, "why": "The river took the road."}
    client.post(reverse("nec:classify", args=[case.pk]), again)
    assert kinds([case]) == ["hazard"]
    client.post(reverse("nec:take_back"), {"case": [str(case.pk)]})
    assert kinds([case]) == ["ordinary"]


@pytest.mark.parametrize("what", ["too late", "touched"])
def test_later_or_once_touched_it_is_not_simply_taken_back(
    cast: Cast, signed_in: Any, make_incident: Any, moment: dt.datetime, what: str
) -> None:
    case = make_incident()
    past = moment - dt.timedelta(minutes=16 if what == "too late" else 1)
    actions.classify(case, by=cast.nec, version=None, now=past, classification="ordinary")
    if what == "touched":
        actions.update(case, by=cast.duty_commander, version=None, now=moment, note="The owner was heard.")
    page = signed_in(cast.nec).post(reverse("nec:take_back"), {"case": [str(case.pk)]}, follow=True).content.decode()
    assert kinds([case]) == ["ordinary"]
    assert "Nothing was taken back." in page


def test_deciding_again_needs_a_reason_that_is_shown(cast: Cast, signed_in: Any, make_incident: Any) -> None:
    case = make_incident()
    actions.classify(case, by=cast.nec, version=None, now=NOW, classification="ordinary")
    case.refresh_from_db()
    client, sent = signed_in(cast.nec_second), {"classification": "hazard", "version": case.version}
    client.post(reverse("nec:classify", args=[case.pk]), sent)
    assert kinds([case]) == ["ordinary"]
    client.post(reverse("nec:classify", args=[case.pk]), sent | {"why": "It was the flood."})
    assert kinds([case]) == ["hazard"]
    assert "It was the flood." in client.get(reverse("nec:decided")).content.decode()


def test_a_closed_record_waits_for_nobody(cast: Cast, signed_in: Any) -> None:
    case = plain_case()
    assert case.reference in signed_in(cast.nec).get(reverse("nec:queue")).content.decode()
    Election.objects.filter(pk=case.election_id).update(is_locked=True)
    page = signed_in(cast.nec).get(reverse("nec:queue")).content.decode()
    assert case.reference not in page
    assert "Nothing waits for a classification" in page


def test_the_link_the_start_page_and_the_queue_say_one_number(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    for state in ("reported", "closed", "reported"):
        plain_case(state=state, reported_at=moment)
    client = signed_in(cast.nec)
    start = client.get(reverse("start")).content.decode()
    assert "3 cases wait for a classification" in start
    queue = client.get(reverse("nec:queue")).content.decode()
    assert "<b>3 cases</b> wait for the NEC" in queue
    assert re.search(r'aria-current="page".*?rail__count">3<', queue, re.S)
