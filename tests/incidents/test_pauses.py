"""Deadlines stand still only for small cases, with a reason and a second person's word, and the time is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from commands.choices import Force, Role
from commands.models import Delegation, Posting, SecurityCommand, User
from elections.choices import Basis, Phase
from elections.models import Election, PhaseWindow
from incidents import actions, pauses
from incidents.choices import Act, ClockKind
from incidents.dashboards import measures
from incidents.dashboards.question import Period, Question
from incidents.escalation import engine
from incidents.models import Clock, ClockState, EscalationKind, Incident, Notice
from incidents.timekeeping import resume_clocks
from incidents.turn import chain_above
from tests.cast import COMMUNE, NOW, POSTED_AT, Cast

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
REASON = "The owner of the motorbike is back on Thursday."


def do(act: Act, case: Incident, by: User, now: dt.datetime, **data: Any) -> Incident:
    return actions.perform(act, case, by=by, version=None, now=now, **data)


def taken(make: Make, by: User, **fields: Any) -> Incident:
    return do(Act.ACKNOWLEDGE, make(**fields), by, NOW)


def paused(make: Make, cast: Cast, until: dt.datetime = NOW + 24 * HOUR, **fields: Any) -> Incident:
    """Asked for at NOW by the district, countersigned an hour later by the province."""
    case = taken(make, cast.duty_commander, **fields)
    case = do(Act.SNOOZE, case, cast.duty_commander, NOW, until=until, reason=REASON)
    return do(Act.COUNTERSIGN, case, cast.provincial, NOW + HOUR)


def clocks(case: Incident) -> dict[str, Clock]:
    """The newest clock of each kind."""
    return {clock.kind: clock for clock in case.clocks.order_by("episode")}


# ---- Asked for and approved ----


def test_asked_for_the_deadlines_run_on_until_a_second_person_agrees(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    case = do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + 24 * HOUR, reason=REASON)
    assert case.request_act == Act.SNOOZE
    assert case.snoozed_until is None
    assert not case.clocks.filter(state=ClockState.PAUSED).exists()
    told = set(Notice.objects.filter(incident=case, kind="request").values_list("recipient__username", flat=True))
    assert "cast-provincial" in told
    with pytest.raises(PermissionDenied):
        do(Act.COUNTERSIGN, case, cast.duty_commander, NOW + HOUR)


def test_who_asks_cannot_choose_who_agrees_by_letting_another_command_act(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    case = do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + 24 * HOUR, reason=REASON)
    Delegation.objects.create(
        command=cast.command("duty_commander"),
        acting=cast.command("neighbour"),
        starts_at=POSTED_AT,
        ends_at=NOW + 5000 * HOUR,
        reason="A wedding.",
        made_by=cast.duty_commander,
        made_at=NOW,
    )
    acting = User.objects.get(pk=cast.neighbour.pk)
    with pytest.raises(PermissionDenied):
        do(Act.COUNTERSIGN, case, acting, NOW + HOUR)
    do(Act.COUNTERSIGN, case, cast.provincial, NOW + HOUR)


def test_agreed_to_the_clocks_stand_still_and_the_end_of_the_pause_is_the_next_deadline(
    cast: Cast, make_incident: Make
) -> None:
    case = paused(make_incident, cast)
    until = NOW + 24 * HOUR
    assert case.snoozed_until == until
    assert case.request_act == ""
    assert (case.next_due_at, case.next_due_kind) == (until, ClockKind.SNOOZE)
    states = {kind: clock.state for kind, clock in clocks(case).items()}
    assert states == {
        "acknowledge": ClockState.MET,
        "first_update": ClockState.PAUSED,
        "contain": ClockState.PAUSED,
        "snooze": ClockState.RUNNING,
    }
    assert {c.paused_at for c in clocks(case).values() if c.state == ClockState.PAUSED} == {NOW + HOUR}
    assert Notice.objects.filter(incident=case, kind="snooze", recipient=cast.duty_commander).exists()


def agree(case: Incident, person: User, now: dt.datetime = NOW) -> bool:
    """Whether the person's button is there; pressed, it does what the button says."""
    is_offered = Act.COUNTERSIGN in actions.allowed(case, person)
    try:
        do(Act.COUNTERSIGN, case, person, now)
    except PermissionDenied:
        assert not is_offered
        return False
    assert is_offered
    return True


def test_two_people_of_one_command_do_not_stop_its_clocks_while_somebody_is_above(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Any]
) -> None:
    other, province = second_commander(cast), cast.command("provincial")
    case = taken(make_incident, cast.duty_commander)
    form = signed_in(cast.duty_commander).get(reverse("incidents:acts", args=[case.pk]) + "?act=snooze")
    assert f"{province.name_en} decides." in form.content.decode()
    case = do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + HOUR, reason=REASON)
    assert not agree(case, other)
    said = signed_in(other).get(case.get_absolute_url()).content.decode()
    assert "Somebody of a command above decides." in said
    # The command itself may let its deadlines run on.
    assert Act.DECLINE in actions.allowed(case, other)
    assert agree(case, cast.provincial)
    assert "same_command" not in case.entries.get(act="countersign").after


def test_with_nobody_above_another_commander_of_the_owner_agrees_and_the_journal_says_so(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Any]
) -> None:
    other = second_commander(cast)
    case = taken(make_incident, cast.duty_commander)
    Posting.objects.filter(user__in=[cast.provincial, cast.psc]).update(ends_at=POSTED_AT + HOUR)
    form = signed_in(cast.duty_commander).get(reverse("incidents:acts", args=[case.pk]) + "?act=snooze")
    assert "a second person of it decides, and the timeline says so" in form.content.decode()
    assert "somebody of the command above" not in form.content.decode()
    case = do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + HOUR, reason=REASON)
    told = set(Notice.objects.filter(incident=case, kind="request").values_list("recipient__username", flat=True))
    assert "cast-second-duty" in told
    assert not agree(case, User.objects.get(pk=cast.duty_commander.pk))
    assert agree(case, other)
    assert case.entries.get(act="countersign").after["same_command"] is True
    said = signed_in(other).get(case.get_absolute_url()).content.decode()
    assert "Somebody of the same command agreed: nobody was there above it" in said


def test_who_only_acts_for_the_command_above_does_not_count_as_there(cast: Cast, make_incident: Make) -> None:
    """They could not agree, and the request would wait for nobody."""
    case = taken(make_incident, cast.duty_commander)
    Posting.objects.filter(user__in=[cast.provincial, cast.psc]).update(ends_at=POSTED_AT + HOUR)
    Delegation.objects.create(
        command=cast.command("provincial"), acting=cast.command("other_province"), starts_at=POSTED_AT,
        ends_at=NOW + 5000 * HOUR, reason="A flood.", made_by=cast.nec, made_at=NOW,
    )  # fmt: skip
    assert pauses.decided_by(case, cast.duty_commander, NOW).how == "same"


def test_the_police_of_the_province_may_not_decide_and_are_not_waited_for(cast: Cast, make_incident: Make) -> None:
    """They stand above the district on its ladder, and not above it in their own force."""
    other, province = second_commander(cast), cast.command("provincial")
    police = SecurityCommand.objects.create(
        code=f"{province.code}-POL", kind=province.kind, force=Force.POLICE, parent=province.parent,
        path=f"{cast.command('psc').path}{province.code}-POL.", jurisdiction=province.jurisdiction,
        name_en="Police of the province", name_km="Police of the province",
    )  # fmt: skip
    officer = User.objects.create(username="cast-police")
    Posting.objects.create(
        user=officer, role=Role.PROVINCIAL_COMMAND, command=police, starts_at=POSTED_AT, conduct_accepted_at=POSTED_AT
    )
    case = taken(make_incident, cast.duty_commander)
    assert police in chain_above(case)
    assert pauses.decided_by(case, cast.duty_commander, NOW).command == province
    Posting.objects.filter(user=cast.provincial).update(ends_at=POSTED_AT + HOUR)
    assert pauses.decided_by(case, cast.duty_commander, NOW).command == cast.command("psc")
    Posting.objects.filter(user=cast.psc).update(ends_at=POSTED_AT + HOUR)
    assert pauses.decided_by(case, cast.duty_commander, NOW).how == "same"
    case = do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + HOUR, reason=REASON)
    assert not agree(case, officer)
    assert agree(case, other)


def test_a_pause_at_the_top_is_decided_by_the_nec_where_somebody_is_there(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Any]
) -> None:
    secretariat = cast.command("nec")
    case = make_incident()
    do(Act.ESCALATE, case, cast.duty_commander, NOW, reason="Too large for us.", to="PSC")
    case = do(Act.ACKNOWLEDGE, case, cast.psc, NOW)
    form = signed_in(cast.psc).get(reverse("incidents:acts", args=[case.pk]) + "?act=snooze").content.decode()
    assert f"{secretariat.name_en} decides." in form
    assert "command above" not in form
    case = do(Act.SNOOZE, case, cast.psc, NOW, until=NOW + HOUR, reason=REASON)
    said = signed_in(cast.psc).get(case.get_absolute_url()).content.decode()
    assert "The NEC secretariat decides. The deadlines run until then." in said
    assert "Somebody of a command above decides." not in said
    assert not agree(case, second_of(cast, "psc"))
    assert not agree(case, cast.provincial)
    assert agree(case, cast.nec)
    assert Notice.objects.filter(incident=case, kind="request", recipient=cast.nec).exists()


def second_commander(cast: Cast) -> User:
    return second_of(cast, "duty_commander")


def second_of(cast: Cast, name: str) -> User:
    """Somebody else with the posting of that name."""
    person = User(username="cast-second-duty", language="en")
    person.set_unusable_password()
    person.save()
    own = Posting.objects.get(user=getattr(cast, name))
    Posting.objects.create(
        user=person, role=own.role, command=own.command, starts_at=POSTED_AT, conduct_accepted_at=POSTED_AT
    )
    return person


def test_the_district_does_not_agree_to_a_pause_of_its_province(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    do(Act.ESCALATE, case, cast.duty_commander, NOW, reason="Too large for us.")
    do(Act.ACKNOWLEDGE, case, cast.provincial, NOW)
    case = do(Act.SNOOZE, case, cast.provincial, NOW, until=NOW + HOUR, reason=REASON)
    for name in ("duty_commander", "nec", "officer", "neighbour"):
        with pytest.raises((PermissionDenied, Incident.DoesNotExist)):
            do(Act.COUNTERSIGN, case, getattr(cast, name), NOW)
    assert do(Act.COUNTERSIGN, case, cast.psc, NOW).snoozed_until == NOW + HOUR


def test_what_the_owner_before_asked_for_is_void_once_the_case_moved_up(cast: Cast, make_incident: Make) -> None:
    """The engine moved it: nobody agrees before it is accepted, and who accepts it did not ask."""
    case = taken(make_incident, cast.duty_commander)
    case = do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + 70 * HOUR, reason=REASON)
    Clock.objects.filter(incident=case, kind="first_update").update(step=2, fires_at=NOW + HOUR)
    engine.tick(NOW + HOUR)
    case.refresh_from_db()
    assert (case.owner, case.request_act) == (cast.command("provincial"), Act.SNOOZE)
    with pytest.raises(ValidationError, match="Accept the case first"):
        do(Act.COUNTERSIGN, case, cast.psc, NOW + HOUR)
    case = do(Act.ACCEPT, case, cast.provincial, NOW + HOUR)
    assert case.request_act == ""
    then = NOW + 2 * HOUR
    do(Act.UPDATE, case, cast.provincial, NOW + HOUR, note="Two officers are there.")
    assert do(Act.SNOOZE, case, cast.provincial, then, until=then + HOUR, reason=REASON).request_act == Act.SNOOZE


def test_declined_nothing_changes(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    case = do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + HOUR, reason=REASON)
    case = do(Act.DECLINE, case, cast.provincial, NOW, reason="Go on.")
    assert (case.request_act, case.snoozed_until) == ("", None)
    assert not case.clocks.filter(kind=ClockKind.SNOOZE).exists()


@pytest.mark.parametrize(
    "name",
    ["officer", "relieved", "neighbour", "other_province", "nec", "nec_integrity", "ministry", "liaison", "auditor",
     "administrator"],
)  # fmt: skip
def test_who_may_neither_ask_for_a_pause_nor_end_one(cast: Cast, make_incident: Make, name: str) -> None:
    person = getattr(cast, name)
    case = taken(make_incident, cast.duty_commander)
    with pytest.raises((PermissionDenied, Incident.DoesNotExist)):
        do(Act.SNOOZE, case, person, NOW, until=NOW + HOUR, reason=REASON)
    assert Act.SNOOZE not in actions.allowed(case, person)
    case = paused(make_incident, cast)
    with pytest.raises((PermissionDenied, Incident.DoesNotExist)):
        do(Act.WAKE, case, person, NOW + 2 * HOUR)
    assert Act.WAKE not in actions.allowed(case, person)


@pytest.mark.parametrize("name", ["duty_commander", "provincial", "psc"])
def test_who_may_ask_for_a_pause_and_end_one(cast: Cast, make_incident: Make, name: str) -> None:
    person = getattr(cast, name)
    case = taken(make_incident, cast.duty_commander)
    assert Act.SNOOZE in actions.allowed(case, person)
    assert do(Act.SNOOZE, case, person, NOW, until=NOW + HOUR, reason=REASON).request_act == Act.SNOOZE
    case = paused(make_incident, cast)
    assert Act.WAKE in actions.allowed(case, person)
    assert do(Act.WAKE, case, person, NOW + 2 * HOUR).snoozed_until is None


# ---- What is refused ----


@pytest.mark.parametrize("severity", ["high", "critical"])
def test_a_serious_case_is_never_paused(cast: Cast, make_incident: Make, severity: str) -> None:
    case = do(Act.ACKNOWLEDGE, make_incident(severity=severity), cast.provincial, NOW)
    assert Act.SNOOZE not in actions.allowed(case, cast.provincial)
    with pytest.raises(ValidationError, match="Only low and medium"):
        do(Act.SNOOZE, case, cast.provincial, NOW, until=NOW + HOUR, reason=REASON)


def test_a_sealed_case_is_never_paused(cast: Cast, make_sealed: Make) -> None:
    case = make_sealed(severity="medium")
    case = do(Act.ACKNOWLEDGE, case, cast.demo_integrity, NOW)
    with pytest.raises(PermissionDenied):
        do(Act.SNOOZE, case, cast.demo_integrity, NOW, until=NOW + HOUR, reason=REASON)


def test_what_nobody_took_up_is_not_paused(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    with pytest.raises(ValidationError, match="Acknowledge the case first"):
        do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + HOUR, reason=REASON)
    case = taken(make_incident, cast.duty_commander)
    do(Act.ESCALATE, case, cast.duty_commander, NOW, reason="Too large for us.")
    with pytest.raises(ValidationError, match="Accept the case first"):
        do(Act.SNOOZE, case, cast.provincial, NOW, until=NOW + HOUR, reason=REASON)


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (NOW - HOUR, "Choose a later moment"),
        (NOW + dt.timedelta(minutes=29), "at least 30 minutes"),
        (NOW + 73 * HOUR, "at most 72 hours"),
    ],
)
def test_a_pause_is_neither_empty_nor_longer_than_three_days(
    cast: Cast, make_incident: Make, until: dt.datetime, said: str
) -> None:
    case = taken(make_incident, cast.duty_commander)
    with pytest.raises(ValidationError) as refused:
        do(Act.SNOOZE, case, cast.duty_commander, NOW, until=until, reason=REASON)
    assert said in refused.value.message_dict["until"][0]


#: In the calendar of the tests the silence-day rules begin on the evening before, and votes are counted for two days.
TIGHT, POLLS = dt.datetime(2027, 6, 5, 18, tzinfo=NOW.tzinfo), dt.datetime(2027, 6, 6, tzinfo=NOW.tzinfo)
COUNTED = POLLS + dt.timedelta(days=2)
THREE_DAYS, TWO_HOURS = 72 * HOUR, 2 * HOUR


@pytest.mark.parametrize(
    ("asked_at", "latest"),
    [
        (NOW, NOW + THREE_DAYS),
        (TIGHT - THREE_DAYS, TIGHT),
        (TIGHT - 50 * HOUR, TIGHT),
        (TIGHT, TIGHT + TWO_HOURS),
        (POLLS - HOUR, POLLS),
        (POLLS + 7 * HOUR, POLLS + 9 * HOUR),
        (COUNTED - HOUR, COUNTED + HOUR),
        (COUNTED, COUNTED + THREE_DAYS),
    ],
)
def test_no_pause_reaches_into_the_vote_and_while_it_is_on_it_lasts_two_hours(
    cast: Cast, make_incident: Make, asked_at: dt.datetime, latest: dt.datetime
) -> None:
    case = do(Act.ACKNOWLEDGE, make_incident(now=asked_at), cast.duty_commander, asked_at)
    with pytest.raises(ValidationError) as refused:
        do(Act.SNOOZE, case, cast.duty_commander, asked_at, until=latest + dt.timedelta(minutes=1), reason=REASON)
    said = refused.value.message_dict["until"][0]
    assert said.startswith("Choose an earlier moment. The latest end is ")
    assert f"{timezone.localtime(latest):%H:%M}" in said
    assert do(Act.SNOOZE, case, cast.duty_commander, asked_at, until=latest, reason=REASON).request_act == Act.SNOOZE
    assert do(Act.COUNTERSIGN, case, cast.provincial, asked_at).snoozed_until == latest


def test_the_vote_of_its_own_place_counts(cast: Cast, make_incident: Make) -> None:
    """The votes of one province are cast anew a week later: only there do its cases wait no longer."""
    again = dt.datetime(2027, 6, 20, tzinfo=NOW.tzinfo)
    PhaseWindow.objects.create(
        election=Election.objects.get(code="CC27"), phase=Phase.POLLING, jurisdiction_id="KH20",
        starts_at=again, ends_at=again + 24 * HOUR, basis=Basis.ILLUSTRATIVE,
    )  # fmt: skip
    at = again - 30 * HOUR
    elsewhere = do(Act.ACKNOWLEDGE, make_incident(now=at), cast.duty_commander, at)
    assert pauses.latest_end(elsewhere, at).at == at + THREE_DAYS
    Incident.objects.filter(pk=elsewhere.pk).update(place="KH20")
    there = Incident.objects.get(pk=elsewhere.pk)
    assert pauses.latest_end(there, at).at == again - 6 * HOUR


def test_shortly_before_the_vote_no_pause_fits_and_the_form_says_so(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Any]
) -> None:
    at = TIGHT - dt.timedelta(minutes=29)
    case = do(Act.ACKNOWLEDGE, make_incident(now=at), cast.duty_commander, at)
    said = "No pause of 30 minutes fits before 18:00. Ask again after that."
    for until in (at + dt.timedelta(minutes=20), TIGHT, TIGHT + HOUR):
        with pytest.raises(ValidationError) as refused:
            do(Act.SNOOZE, case, cast.duty_commander, at, until=until, reason=REASON)
        assert refused.value.message_dict["until"] == [said]
    with time_machine.travel(at, tick=False):
        form = signed_in(cast.duty_commander).get(reverse("incidents:acts", args=[case.pk]) + "?act=snooze")
    assert said in form.content.decode()


def test_the_form_says_the_latest_end_and_proposes_no_later_one(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Any]
) -> None:
    for at, said, proposed in (
        (NOW, "The latest end is 28 May, 08:00. A pause lasts at most 72 hours.", "2027-05-26T08:00"),
        (TIGHT - HOUR, "The latest end is 18:00. The shorter deadlines of the vote begin then.", "2027-06-05T18:00"),
        (
            POLLS + 8 * HOUR,
            "The latest end is 10:00. From the day before the vote to the end of the count a pause lasts at most 2"
            " hours.",
            "2027-06-06T10:00",
        ),
    ):
        case = do(Act.ACKNOWLEDGE, make_incident(now=at), cast.duty_commander, at)
        with time_machine.travel(at, tick=False):
            form = signed_in(cast.duty_commander).get(reverse("incidents:acts", args=[case.pk]) + "?act=snooze")
        assert said in form.content.decode()
        assert f'value="{proposed}"' in form.content.decode()


def test_a_pause_that_the_calendar_overtook_is_not_agreed_to(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + 70 * HOUR, reason=REASON)
    PhaseWindow.objects.create(
        election=Election.objects.get(code="CC27"), phase=Phase.POLLING, jurisdiction_id="KH21",
        starts_at=NOW + 40 * HOUR, ends_at=NOW + 64 * HOUR, basis=Basis.ILLUSTRATIVE,
    )  # fmt: skip
    with pytest.raises(ValidationError, match=r"too late now\. Decline the request and ask anew\. The latest end is"):
        do(Act.COUNTERSIGN, Incident.objects.get(pk=case.pk), cast.provincial, NOW + HOUR)


def test_paused_before_the_vote_it_goes_up_before_the_polls_open(cast: Cast, make_incident: Make) -> None:
    at = TIGHT - 30 * HOUR
    case = do(Act.ACKNOWLEDGE, make_incident(severity="medium", now=at), cast.duty_commander, at)
    latest = pauses.latest_end(case, at).at
    do(Act.SNOOZE, case, cast.duty_commander, at, until=latest, reason=REASON)
    case = do(Act.COUNTERSIGN, case, cast.provincial, at)
    for hours in range(30 + 6 + 8):
        engine.tick(at + hours * HOUR)
    case.refresh_from_db()
    assert (case.snoozed_until, case.owner) == (None, cast.command("psc"))
    assert case.escalations.filter(kind=EscalationKind.NEXT_TOLD, fired_at__lt=POLLS).exists()


def test_without_a_reason_there_is_no_pause(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    with pytest.raises(ValidationError) as refused:
        do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + HOUR, reason=" ")
    assert list(refused.value.message_dict) == ["reason"]


def test_a_late_case_is_not_paused_out_of_the_late_ones(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    assert case.next_due_at is not None
    asked, due = case.next_due_at - HOUR, case.next_due_at
    do(Act.SNOOZE, case, cast.duty_commander, asked, until=due + 5 * HOUR, reason=REASON)
    with pytest.raises(ValidationError, match="late already"):
        do(Act.COUNTERSIGN, case, cast.provincial, due)
    do(Act.DECLINE, case, cast.provincial, due, reason="It is late.")
    with pytest.raises(ValidationError, match="late already"):
        do(Act.SNOOZE, case, cast.duty_commander, due, until=due + 5 * HOUR, reason=REASON)
    do(Act.UPDATE, case, cast.duty_commander, due, note="The owner was called.")
    do(Act.SNOOZE, case, cast.duty_commander, due, until=due + 5 * HOUR, reason=REASON)
    assert do(Act.COUNTERSIGN, case, cast.provincial, due).snoozed_until == due + 5 * HOUR


def test_a_third_pause_is_refused(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    for number in range(2):
        at = NOW + number * HOUR
        do(Act.SNOOZE, case, cast.duty_commander, at, until=at + HOUR, reason=REASON)
        do(Act.COUNTERSIGN, case, cast.provincial, at)
        do(Act.WAKE, case, cast.provincial, at)
    with pytest.raises(ValidationError, match="paused 2 times"):
        do(Act.SNOOZE, case, cast.duty_commander, NOW + 3 * HOUR, until=NOW + 5 * HOUR, reason=REASON)


def test_agreed_to_too_late_it_is_refused(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + HOUR, reason=REASON)
    with pytest.raises(ValidationError, match="over already"):
        do(Act.COUNTERSIGN, case, cast.provincial, NOW + HOUR)


# ---- A request that waits ----


@pytest.mark.parametrize(
    ("act", "name", "data"),
    [
        (Act.WITHDRAW, "officer", {"reason": "It was my mistake."}),
        (Act.DISMISS, "duty_commander", {"dismiss_reason": "test", "reason": "An exercise."}),
    ],
)
def test_a_pause_that_waits_keeps_nobody_from_ending_the_case(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Any], act: Act, name: str, data: dict[str, Any]
) -> None:
    case, person = taken(make_incident, cast.duty_commander), getattr(cast, name)
    case = do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + 5 * HOUR, reason=REASON)
    assert act in actions.allowed(case, person)
    case = do(act, case, person, NOW + HOUR, **data)
    assert (case.request_act, case.request_by) == (act, person)
    assert "until" not in case.request_data
    said = signed_in(cast.duty_commander).get(case.get_absolute_url()).content.decode()
    assert "The pause that was asked for is void with this." in said
    # Now something waits that decides the case: no pause is asked for beside it, and no second end.
    assert not {Act.SNOOZE, Act.WITHDRAW, Act.DISMISS} & set(actions.allowed(case, cast.duty_commander))
    with pytest.raises(ValidationError, match="Another request waits"):
        do(Act.SNOOZE, case, cast.duty_commander, NOW + HOUR, until=NOW + 5 * HOUR, reason=REASON)


def test_a_pause_that_waits_keeps_no_case_from_being_handed_back(cast: Cast, make_incident: Make) -> None:
    case = make_incident(severity="medium")
    do(Act.ESCALATE, case, cast.duty_commander, NOW, reason="Too large for us.")
    do(Act.ACKNOWLEDGE, case, cast.provincial, NOW)
    do(Act.UPDATE, case, cast.provincial, NOW, note="Nobody is in the street.")
    later = NOW + 13 * HOUR
    do(Act.SNOOZE, case, cast.provincial, later, until=later + HOUR, reason=REASON)
    case = do(Act.HAND_BACK, case, cast.provincial, later, reassessed=True, reason="It is quiet.")
    assert (case.owner, case.request_act) == (cast.command("duty_commander"), "")


def test_a_pause_that_nobody_decided_is_void_at_its_own_end_and_the_timeline_says_so(
    cast: Cast, make_incident: Make, signed_in: Callable[..., Any]
) -> None:
    case = taken(make_incident, cast.duty_commander, severity="low")
    version = do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + 5 * HOUR, reason=REASON).version
    engine.tick(NOW + 5 * HOUR - dt.timedelta(minutes=1))
    case.refresh_from_db()
    assert case.request_act == Act.SNOOZE
    due = {clock.kind: clock.deadline_at for clock in case.clocks.filter(state=ClockState.RUNNING)}
    engine.tick(NOW + 5 * HOUR)
    engine.tick(NOW + 6 * HOUR)
    case.refresh_from_db()
    assert (case.request_act, case.request_by, case.request_data, case.version) == ("", None, {}, version + 1)
    assert {clock.kind: clock.deadline_at for clock in case.clocks.filter(state=ClockState.RUNNING)} == due
    entry = case.entries.get(act=Act.DECLINE)
    assert (entry.by, entry.at, entry.channel, entry.after["lapsed"]) == (None, NOW + 5 * HOUR, "engine", True)
    said = signed_in(cast.duty_commander).get(case.get_absolute_url()).content.decode()
    assert "The pause that was asked for is void: nobody decided before its end" in said
    assert Act.SNOOZE in actions.allowed(case, cast.duty_commander)


@pytest.mark.parametrize("ticked_first", [True, False])
def test_it_is_void_to_the_minute_whenever_the_engine_last_looked_at_the_calendar(
    cast: Cast, make_incident: Make, *, ticked_first: bool
) -> None:
    case, minute = taken(make_incident, cast.duty_commander), dt.timedelta(minutes=1)
    if ticked_first:
        engine.tick(NOW)
    do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + 50 * minute, reason=REASON)
    for minutes, waits in ((10, True), (49, True), (50, False)):
        engine.tick(NOW + minutes * minute)
        case.refresh_from_db()
        assert bool(case.request_act) == waits, minutes


def test_before_the_engine_looked_another_pause_may_be_asked_for(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + HOUR, reason=REASON)
    with pytest.raises(ValidationError, match="Another request waits"):
        do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + 3 * HOUR, reason=REASON)
    later = NOW + HOUR
    do(Act.SNOOZE, case, cast.duty_commander, later, until=later + HOUR, reason=REASON)
    assert do(Act.COUNTERSIGN, case, cast.provincial, later).snoozed_until == later + HOUR


def test_what_cannot_be_let_go_stops_no_step(cast: Cast, make_incident: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_incident(severity="high")

    def broken(*_args: object) -> int:
        raise ValueError("no such case")

    engine.tick(NOW)
    monkeypatch.setattr(pauses, "let_go", broken)
    run = engine.tick(NOW + HOUR)
    assert "no such case" in run.error and run.fired
    case.refresh_from_db()
    assert case.owner == cast.command("psc")


def test_one_that_became_serious_meanwhile_is_not_paused(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + HOUR, reason=REASON)
    case = do(Act.RAISE_SEVERITY, case, cast.provincial, NOW, severity="high")
    assert case.request_act == "", "the request is void: nobody can agree to it any more"
    with pytest.raises(ValidationError, match="Nothing waits"):
        do(Act.COUNTERSIGN, case, cast.psc, NOW)


# ---- Running on ----


def test_ended_early_every_moment_moves_on_by_the_time_it_stood(cast: Cast, make_incident: Make) -> None:
    before = clocks(taken(make_incident, cast.duty_commander))
    case = do(Act.WAKE, paused(make_incident, cast), cast.provincial, NOW + 4 * HOUR)
    after = clocks(case)
    stood = 3 * HOUR
    for kind in ("first_update", "contain"):
        assert after[kind].state == ClockState.RUNNING
        assert after[kind].anchor_at == before[kind].anchor_at + stood
        assert after[kind].deadline_at == before[kind].deadline_at + stood
        assert after[kind].fires_at == before[kind].fires_at + stood
        assert after[kind].paused_seconds == stood.total_seconds()
        assert after[kind].paused_at is None
    assert after["snooze"].state == ClockState.CANCELLED
    assert case.next_due_kind == ClockKind.FIRST_UPDATE


def test_found_over_late_the_pause_ended_when_it_was_due(cast: Cast, make_incident: Make) -> None:
    """A late tick lengthens no pause."""
    case = paused(make_incident, cast, until=NOW + 2 * HOUR)
    resume_clocks(case, NOW + 9 * HOUR)
    contain = clocks(case)["contain"]
    assert contain.paused_seconds == 3600
    assert contain.anchor_at == NOW + HOUR
    assert clocks(case)["snooze"].state == ClockState.MET


@pytest.mark.parametrize(
    ("act", "data"),
    [
        (Act.RAISE_SEVERITY, {"severity": "medium"}),
        (Act.ESCALATE, {"reason": "Too large for us."}),
        (Act.CONTAIN, {}),
    ],
)
def test_what_changes_the_case_ends_the_pause(cast: Cast, make_incident: Make, act: Act, data: dict[str, Any]) -> None:
    case = do(act, paused(make_incident, cast), cast.provincial, NOW + 2 * HOUR, **data)
    assert case.snoozed_until is None
    assert not case.clocks.filter(state=ClockState.PAUSED).exists()
    assert not case.clocks.filter(kind=ClockKind.SNOOZE, state=ClockState.RUNNING).exists()


def test_flared_up_again_it_is_not_paused(cast: Cast, make_incident: Make) -> None:
    case = taken(make_incident, cast.duty_commander)
    do(Act.CONTAIN, case, cast.duty_commander, NOW)
    do(Act.SNOOZE, case, cast.duty_commander, NOW, until=NOW + HOUR, reason=REASON)
    do(Act.COUNTERSIGN, case, cast.provincial, NOW)
    case = do(Act.FLARE_UP, case, cast.duty_commander, NOW, reason="It began again.")
    assert case.snoozed_until is None
    assert clocks(case)["contain"].state == ClockState.RUNNING


def test_another_report_joined_to_it_ends_the_pause(cast: Cast, make_incident: Make) -> None:
    case = paused(make_incident, cast)
    other = make_incident(now=NOW + 2 * HOUR)
    do(Act.MERGE, other, cast.duty_commander, NOW + 2 * HOUR, survivor=case.pk)
    case.refresh_from_db()
    assert case.snoozed_until is None
    assert clocks(case)["contain"].state == ClockState.RUNNING


def test_ended_while_paused_nothing_runs_and_the_time_it_stood_does_not_count(cast: Cast, make_incident: Make) -> None:
    case = paused(make_incident, cast)
    case = do(Act.CONTAIN, case, cast.duty_commander, NOW + 5 * HOUR)
    contain = clocks(case)["contain"]
    assert contain.stopped_at is not None
    assert contain.stopped_at - contain.anchor_at == HOUR
    do(Act.RESOLVE, case, cast.duty_commander, NOW + 5 * HOUR, outcome="settled")
    assert not case.clocks.filter(state__in=[ClockState.RUNNING, ClockState.PAUSED]).exists()


def test_an_update_meets_its_paused_deadline_and_the_rest_stays_paused(cast: Cast, make_incident: Make) -> None:
    case = do(Act.UPDATE, paused(make_incident, cast), cast.duty_commander, NOW + 3 * HOUR, note="We wait.")
    after = clocks(case)
    assert after["first_update"].state == ClockState.MET
    assert after["contain"].state == ClockState.PAUSED
    assert case.snoozed_until is not None


def test_lowered_while_paused_the_targets_change_and_the_pause_stays(cast: Cast, make_incident: Make) -> None:
    case = paused(make_incident, cast, severity="medium")
    old = clocks(case)["contain"]
    case = do(Act.LOWER_SEVERITY, case, cast.provincial, NOW + 2 * HOUR, severity="low", reason="It is small.")
    new = clocks(case)["contain"]
    assert new.episode > old.episode
    assert (new.state, new.paused_at, new.anchor_at) == (ClockState.PAUSED, NOW + HOUR, NOW)
    assert new.target_minutes > old.target_minutes
    case = do(Act.WAKE, case, cast.provincial, NOW + 4 * HOUR)
    assert clocks(case)["contain"].deadline_at == NOW + dt.timedelta(minutes=new.target_minutes) + 3 * HOUR


def test_a_rumour_spreads_whether_the_case_is_paused_or_not(cast: Cast, make_incident: Make) -> None:
    case = paused(make_incident, cast, category="INF-02", place=COMMUNE)
    assert clocks(case)["verify"].state == ClockState.RUNNING


def test_figures_of_containment_say_how_much_of_it_was_paused(cast: Cast, make_incident: Make) -> None:
    case = do(Act.WAKE, paused(make_incident, cast), cast.provincial, NOW + 4 * HOUR)
    do(Act.CONTAIN, case, cast.duty_commander, NOW + 5 * HOUR)
    question = Question(user=cast.nec, now=NOW + 6 * HOUR, period=Period(NOW - HOUR, NOW + 6 * HOUR))
    assert measures.answer("contain_p90", question).value == 300
    assert measures.answer("contain_paused", question).value == 180
