"""The board "next to escalate": each sees the next steps of the cases that are theirs to see, soonest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commands.models import Cover, Posting, Roster, User
from elections.models import PhaseWindow
from incidents import actions
from incidents.choices import Act
from incidents.deadlines import Step
from incidents.escalation import board as steps
from incidents.models import Clock, Incident
from incidents.turn import vacant_for
from tests.cast import NOW, RELIEVED_AT, Cast
from tests.factories import make_incident, make_sealed
from tests.incidents.policies.drafts import published, with_steps

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
Sign = Callable[..., Client]
#: Asks for the lists alone, without the frame that names its reader.
PART = {"x-fragment": "1"}


def page(client: Client, query: str = "", **headers: str) -> str:
    answer = client.get(reverse("escalation:board") + query, headers=headers)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def assault(cast: Cast, *, minutes_ago: int = 0, **fields: Any) -> Incident:
    """A case of medium severity, to be acknowledged within two hours."""
    return make_incident(by=cast.officer, now=NOW - minutes_ago * MINUTE, category="CRM-02", **fields)


def test_it_shows_what_happens_when_and_to_whom_soonest_first(cast: Cast, signed_in: Sign) -> None:
    later, sooner = assault(cast), assault(cast, minutes_ago=110)
    seen = page(signed_in(cast.duty_commander))
    assert seen.index(sooner.reference) < seen.index(later.reference)
    above = cast.command("provincial").name_en
    assert f"then: {above} owns it" in seen
    deadline = sooner.clocks.get(kind="acknowledge").deadline_at
    assert f'data-deadline="{deadline.isoformat()}"' in seen
    assert "Within 15 minutes" in seen and "Within a day" in seen


def test_a_phase_that_begins_within_the_day_is_announced(cast: Cast, signed_in: Sign, clock: Any) -> None:
    """The steps are told by the targets that count now; from the evening of the silence day shorter ones do."""
    said = "Another part of the election calendar begins"
    assault(cast)
    assert said not in page(signed_in(cast.duty_commander))
    silence = dt.datetime(2027, 6, 5, tzinfo=NOW.tzinfo)
    clock.move_to(silence - 25 * 60 * MINUTE)
    assert said not in page(signed_in(cast.duty_commander))
    clock.move_to(silence + 10 * 60 * MINUTE)
    seen = page(signed_in(cast.duty_commander))
    assert said in seen
    assert (silence + 18 * 60 * MINUTE).isoformat() in seen.split(said)[1].split("</p>")[0]


def test_a_phase_of_another_place_or_with_longer_times_is_not_announced(
    cast: Cast, signed_in: Sign, clock: Any
) -> None:
    said = "Another part of the election calendar begins"
    election = assault(cast).election
    hours = {"starts_at": NOW + 5 * 60 * MINUTE, "ends_at": NOW + 9 * 60 * MINUTE}
    PhaseWindow.objects.create(
        election=election, phase="polling", jurisdiction_id="KH99", basis="illustrative", **hours
    )
    assert said not in page(signed_in(cast.duty_commander))
    PhaseWindow.objects.create(
        election=election, phase="polling", jurisdiction_id="KH21", basis="illustrative", **hours
    )
    assert said in page(signed_in(cast.duty_commander))
    PhaseWindow.objects.filter(jurisdiction_id="KH21").delete()
    last = max(window.ends_at for window in PhaseWindow.objects.filter(election=election))
    clock.move_to(last - 120 * MINUTE)
    make_incident(by=cast.officer, now=last - 121 * MINUTE, category="CRM-02")
    assert said not in page(signed_in(cast.duty_commander))


def test_only_what_stops_the_step_is_offered_beside_it(cast: Cast, signed_in: Sign) -> None:
    """A critical case waits for its province: the district may add to it, and that would not stop the step."""
    case = make_incident(severity="critical")
    there = f"{reverse('incidents:acts', args=[case.pk])}?act="
    district = page(signed_in(cast.duty_commander))
    assert case.reference in district and there not in district
    assert f"{there}acknowledge" in page(signed_in(cast.provincial))


def test_a_case_is_in_it_once_with_the_clock_that_acts_first(cast: Cast, signed_in: Sign) -> None:
    case = assault(cast)
    assert case.clocks.count() > 1
    assert page(signed_in(cast.duty_commander)).count(case.reference + "</span>") == 1


def test_a_warning_is_no_step_but_its_deadline_orders_the_case(cast: Cast) -> None:
    """Warned in a moment, moved in half an hour: it stands behind the case that moves in ten minutes."""
    half_an_hour, ten_minutes = assault(cast, minutes_ago=90), assault(cast, minutes_ago=110)
    Clock.objects.filter(incident=ten_minutes, kind="acknowledge").update(step=1, fires_at=NOW + 10 * MINUTE)
    due = steps.due_next(Incident.objects.visible_to(cast.psc), NOW, size=5)
    assert [d.incident for d in due] == [ten_minutes.pk, half_an_hour.pk]
    assert due[1].at == half_an_hour.next_due_at


def two_ways(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> Any:
    """What comes next by the way for few cases, which must be the same as by the way for many: (case, moment)."""
    found = []
    for few in (2000, 0):
        monkeypatch.setattr(steps, "FEW", few)
        due = steps.due_next(Incident.objects.visible_to(cast.psc), NOW, size=9)
        found.append([(d.incident, d.at) for d in due])
    assert found[0] == found[1]
    return found[0]


def test_a_policy_that_tells_at_half_time_is_in_its_place(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told of at half of its two hours it stands before what moves in 90 minutes, and so after its warning too."""
    usual = assault(cast, minutes_ago=30)
    published(with_steps(acknowledge=(Step(25, "warn"), Step(50, "tell"), Step(100, "move"))), now=NOW - DAY)
    early, warned = assault(cast), assault(cast, minutes_ago=1)
    half = early.clocks.get(kind="acknowledge").target_minutes * MINUTE / 2
    Clock.objects.filter(incident=warned, kind="acknowledge").update(step=1, fires_at=NOW - MINUTE + half)
    first = [(warned.pk, NOW - MINUTE + half), (early.pk, NOW + half)]
    assert two_ways(monkeypatch, cast) == [*first, (usual.pk, usual.next_due_at)]
    clocks = [d.clock for d in steps.due_next(Incident.objects.visible_to(cast.psc), NOW, size=9)]
    ahead = steps.next_of([early, warned], clocks, NOW)
    assert [(key, ahead[key].at, ahead[key].deed) for key in (warned.pk, early.pk)] == [(*d, "tell") for d in first]


def deadline_of(case: Incident) -> dt.datetime:
    """Its deadline of acknowledgement."""
    return case.clocks.get(kind="acknowledge").deadline_at


def test_with_nobody_to_warn_a_case_moves_at_its_warning_and_stands_there(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    attended = assault(cast, minutes_ago=20)
    alone = assault(cast)
    Incident.objects.filter(pk=alone.pk).update(owner=cast.command("neighbour"))
    Posting.objects.filter(command=cast.command("neighbour")).update(ends_at=RELIEVED_AT + DAY)
    warning = alone.clocks.get(kind="acknowledge").fires_at
    assert NOW < warning < deadline_of(attended) < deadline_of(alone)
    assert two_ways(monkeypatch, cast) == [(alone.pk, warning), (attended.pk, attended.next_due_at)]
    # What a body decides by law warns on, with nobody there as well.
    alone.clocks.exclude(kind="acknowledge").delete()
    alone.clocks.update(kind="legal", about=1)
    assert two_ways(monkeypatch, cast) == [(attended.pk, attended.next_due_at), (alone.pk, alone.next_due_at)]


@pytest.mark.parametrize("is_staff", [False, True])
def test_of_a_sealed_case_the_people_of_its_subject_do_not_count_as_there(is_staff: bool, cast: Cast) -> None:
    """The officer of the desk serves at the unit concerned as well: nobody is there for this case.

    So the engine has it too. Whoever may open the administration pages besides holds the same postings.
    """
    sealed = make_sealed()
    mine = Incident.objects.visible_to(cast.nec_integrity)
    clock = sealed.clocks.get(kind="acknowledge")
    [due] = steps.due_next(mine, NOW, size=9)
    assert due.at == clock.deadline_at
    Posting.objects.create(
        user=cast.demo_integrity, role="officer", command=cast.command("demo_duty"), starts_at=NOW - DAY
    )
    User.objects.filter(pk=cast.demo_integrity.pk).update(is_staff=is_staff)
    assert vacant_for(sealed, [sealed.owner], NOW) == {sealed.owner_id}
    [due] = steps.due_next(mine, NOW, size=9)
    assert due.at == clock.fires_at < clock.deadline_at


@pytest.mark.parametrize("few", [0, 2000])
def test_the_way_by_the_clocks_and_the_way_by_the_cases_find_the_same(
    few: int, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [assault(cast, minutes_ago=m) for m in (0, 5, 100, 110, 119, 130)]
    monkeypatch.setattr(steps, "FEW", few)
    found: list[Any] = []
    after = None
    while due := steps.due_next(Incident.objects.visible_to(cast.psc), NOW, size=2, after=after):
        found += [d.incident for d in due]
        after = (due[-1].at, due[-1].incident)
    assert found == [c.pk for c in reversed(cases)]


def test_a_command_with_nobody_there_is_named_as_left_out(cast: Cast, signed_in: Sign) -> None:
    case = assault(cast)
    Posting.objects.filter(command=cast.command("provincial")).update(ends_at=RELIEVED_AT + dt.timedelta(days=1))
    seen = page(signed_in(cast.duty_commander))
    assert f"then: {cast.command('psc').name_en} owns it" in seen
    assert f"left out, nobody is there: {cast.command('provincial').name_en}" in seen
    unattended = page(signed_in(cast.psc), "?show=empty")
    assert cast.command("provincial").name_en in unattended and case.reference not in unattended
    assert reverse("duty:roster", args=[cast.command("provincial").code]) in unattended
    assert "nobody is posted" in unattended
    # The sentence of the list of steps is not that of the other lists.
    assert "What the rule does next" in seen and "What the rule does next" not in unattended


def test_a_command_with_nobody_there_says_until_when(cast: Cast, signed_in: Sign) -> None:
    roster = Roster.objects.create(command=cast.command("provincial"), is_on=True)
    comes = NOW + dt.timedelta(hours=3)
    Cover.objects.create(
        roster=roster, person=cast.provincial, starts_at=comes, ends_at=comes + DAY, made_by=cast.psc, made_at=NOW
    )
    seen = page(signed_in(cast.psc), "?show=empty")
    gap = seen[seen.index(cast.command("provincial").name_en, seen.index("board--commands")) :]
    assert f"until {timezone.localtime(comes):%H:%M}" in gap[: gap.index("Open the roster")]


def test_a_desk_where_nobody_serves_is_named_to_who_may_know_and_its_cases_to_who_may_see_them(
    cast: Cast, signed_in: Sign
) -> None:
    def empty(name: str) -> str:
        return page(signed_in(getattr(cast, name)), "?show=empty", **PART)

    desk, names = cast.command("demo_integrity"), ("nec", "nec_integrity")
    subjects = ("demo_duty", "demo_provincial", "psc", "provincial")
    assert all(desk.name_en not in empty(name) for name in (*names, *subjects))
    Posting.objects.filter(command=desk).update(ends_at=RELIEVED_AT + DAY)
    gap = {name: empty(name) for name in (*names, *subjects)}
    assert [name for name, seen in gap.items() if desk.name_en in seen] == list(names)
    assert "waits there" not in gap["nec_integrity"]
    sealed = make_sealed(now=NOW)
    Incident.objects.filter(pk=sealed.pk).update(owner=desk)
    assert "1 sealed case waits there" in empty("nec_integrity")
    # For everybody else, the secretariat included, nothing on the page moves because of the case.
    assert {name: empty(name) for name in ("nec", *subjects)} == {n: s for n, s in gap.items() if n != "nec_integrity"}


def test_a_desk_whose_officer_serves_at_the_subject_is_empty_for_that_case(cast: Cast, signed_in: Sign) -> None:
    make_sealed()
    client = signed_in(cast.nec_integrity)
    desk = cast.command("demo_integrity")
    assert desk.name_en not in page(client, "?show=empty", **PART)
    Posting.objects.create(
        user=cast.demo_integrity, role="officer", command=cast.command("demo_duty"), starts_at=NOW - DAY
    )
    seen = page(client, "?show=empty", **PART)
    assert desk.name_en in seen and "1 sealed case waits there" in seen
    assert desk.name_en not in page(signed_in(cast.demo_integrity), "?show=empty", **PART)
    assert desk.name_en not in page(signed_in(cast.nec), "?show=empty", **PART)


def test_what_was_handed_on_is_accepted_before_it_is_written_to(cast: Cast, signed_in: Sign) -> None:
    case = assault(cast, minutes_ago=900)
    actions.perform(Act.ACKNOWLEDGE, case, by=cast.duty_commander, version=None, now=NOW)
    actions.perform(Act.ESCALATE, case, by=cast.duty_commander, version=None, now=NOW, to="PSC", reason="Too large.")
    # Its first update is due sooner than its acceptance, and would be offered first.
    Incident.objects.filter(pk=case.pk).update(next_due_kind="first_update")
    there = f"{reverse('incidents:acts', args=[case.pk])}?act="
    assert f"{there}accept" in page(signed_in(cast.psc), "?show=unaccepted")


def test_with_nobody_above_it_says_so(cast: Cast, signed_in: Sign) -> None:
    case = assault(cast, minutes_ago=200)
    actions.perform(Act.ESCALATE, case, by=cast.duty_commander, version=None, now=NOW, to="PSC", reason="Too large.")
    assert "then: nobody is above; it is said again, loudly" in page(signed_in(cast.psc))
    Incident.objects.filter(pk=case.pk).update(next_due_at=NOW - MINUTE)
    own, others = page(signed_in(cast.psc), "?show=top"), page(signed_in(cast.nec), "?show=top")
    assert case.reference in own and case.reference in others
    assert "It is with your command, and no command is above. Please act." in own
    assert "Call the one that owns it" not in own and "Call the one that owns it" in others
    assert case.reference not in page(signed_in(cast.duty_commander), "?show=unaccepted")


def test_a_hand_over_not_accepted_is_in_its_list_until_it_is(cast: Cast, signed_in: Sign) -> None:
    case = assault(cast)
    case = actions.perform(Act.ACKNOWLEDGE, case, by=cast.duty_commander, version=None, now=NOW)
    case = actions.perform(
        Act.ESCALATE, case, by=cast.duty_commander, version=None, now=NOW, to="KH21", reason="Too large."
    )
    client = signed_in(cast.provincial)
    assert case.reference in page(client, "?show=unaccepted")
    assert f"{reverse('incidents:acts', args=[case.pk])}?act=accept" in page(client)
    actions.perform(Act.ACCEPT, case, by=cast.provincial, version=None, now=NOW)
    assert case.reference not in page(client, "?show=unaccepted")


def test_a_paused_case_is_in_its_list_with_the_end_of_the_pause(cast: Cast, signed_in: Sign) -> None:
    case = assault(cast)
    Incident.objects.filter(pk=case.pk).update(snoozed_until=NOW + dt.timedelta(hours=5))
    seen = page(signed_in(cast.duty_commander), "?show=paused")
    assert case.reference in seen and "paused until" in seen and "13:00" in seen


def test_it_can_be_narrowed_to_a_command_below(cast: Cast, signed_in: Sign) -> None:
    ours, theirs = assault(cast), assault(cast)
    Incident.objects.filter(pk=theirs.pk).update(owner=cast.command("neighbour"))
    seen = page(signed_in(cast.provincial), f"?command={cast.command('duty_commander').code}")
    assert ours.reference in seen and theirs.reference not in seen
    # A command that is not below the person narrows nothing and is told of nothing.
    assert theirs.reference in page(signed_in(cast.provincial), "?command=KH20")


def test_a_sealed_case_is_on_the_board_of_its_desk_only(cast: Cast, signed_in: Sign) -> None:
    sealed = make_sealed()
    assert sealed.reference in page(signed_in(cast.demo_integrity))
    for name in ("demo_duty", "demo_provincial", "psc", "nec"):
        assert sealed.reference not in page(signed_in(getattr(cast, name))), name


def test_empty_it_says_when_it_was_last_checked(cast: Cast, signed_in: Sign) -> None:
    seen = page(signed_in(cast.duty_commander))
    assert "Nothing escalates within a day" in seen and "Checked at 08:00." in seen


def test_the_fragment_renews_itself_and_costs_nothing_while_nothing_changes(cast: Cast, signed_in: Sign) -> None:
    assault(cast)
    client, url = signed_in(cast.duty_commander), reverse("escalation:board")
    assert 'data-refresh="/escalation/" data-every="15"' in page(client)
    first = client.get(url, headers={"x-fragment": "1"})
    assert b"<html" not in first.content
    again = client.get(url, headers={"x-fragment": "1", "if-none-match": first.headers["ETag"]})
    assert again.status_code == 304


def test_a_place_in_the_list_that_is_none_is_refused_in_words(cast: Cast, signed_in: Sign) -> None:
    answer = signed_in(cast.psc).get(reverse("escalation:board") + "?after=nonsense")
    assert answer.status_code == 400 and "Begin at the top" in answer.content.decode()


def test_it_costs_the_same_with_one_case_and_with_a_page(
    cast: Cast, signed_in: Sign, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(cast.provincial)
    for _case in range(26):
        assault(cast)
    page(client)
    with django_assert_max_num_queries(31):
        seen = page(client)
    assert seen.count("board__row") == 25 and "Show more" in seen
