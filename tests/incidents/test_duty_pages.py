"""Pages of duty: what stands on them, forms that lose nothing, swaps between two people, and the calendar."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from icalendar import Calendar

from commands.models import CalendarFeed, Cover, Delegation, Posting, Roster, Shift, Swap, User
from tests.cast import NOW
from tests.incidents.duty_stage import Duty, plan_duty, second_commander

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

HERE = "/duty/at/KH2108/"
TODAY = NOW.date()


@pytest.fixture
def planned(cast: Any) -> Duty:
    return plan_duty(cast, is_on=True)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


# ---- Looking ----


def test_the_roster_says_who_is_on_duty_who_is_next_and_where_nobody_is(
    cast: Any, planned: Duty, signed_in: Any
) -> None:
    Delegation.objects.all().delete()
    page = text(signed_in(cast.duty_commander).get(HERE))
    assert re.search(r"On duty now\s+second-duty\s+until 09:00", page)
    assert re.search(r"Next\s+cast-duty-commander\s+from 09:00", page)
    assert "25 May, 18:00 to 26 May, 06:00" in page, "the first night with nobody"
    assert "nobody 18:00–24:00" in page and "second-duty in place of cast-duty-commander" in page


def test_while_a_command_acts_there_is_no_gap(cast: Any, planned: Duty, signed_in: Any) -> None:
    page = text(signed_in(cast.duty_commander).get(HERE))
    assert "answers for this command as well, until 26 May, 08:00" in page
    assert "25 May, 18:00 to 26 May, 06:00" not in page and "26 May, 18:00 to 27 May, 06:00" in page


def test_an_hour_with_nobody_is_said_loudly(cast: Any, planned: Duty, signed_in: Any) -> None:
    Delegation.objects.all().delete()
    Cover.objects.update(person=None)
    assert "Nobody is on duty now." in text(signed_in(cast.duty_commander).get(HERE))
    Roster.objects.update(is_on=False)
    page = text(signed_in(cast.duty_commander).get(HERE))
    assert "Nobody is on duty now." not in page and "is a plan and not in use yet" in page
    assert "planned: nobody" in page and ">Nobody</span>" not in page
    assert "The roster is not in use: everybody posted here is told." in page


def test_an_officer_looks_and_changes_nothing(cast: Any, planned: Duty, signed_in: Any) -> None:
    page = signed_in(cast.officer).get(HERE).content.decode()
    assert "second-duty" in page and "/shifts/" not in page and "/use" not in page and "/delegate" not in page


def test_an_officer_goes_from_their_duties_to_the_roster_and_back(cast: Any, planned: Duty, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    mine = client.get("/duty/mine/").content.decode()
    assert ">Rosters</a>" in mine and 'aria-current="page">My duties</a>' in mine
    assert ">My duties</a>" in client.get("/duty/", follow=True).content.decode()


def test_the_week_asked_for_is_shown_and_nonsense_is_this_week(cast: Any, planned: Duty, signed_in: Any) -> None:
    client = signed_in(cast.duty_commander)
    assert "31 May to 6 June 2027" in text(client.get(f"{HERE}?week=2027-W22"))
    for odd in ("", "2027-W99", "x", "9999-W52", "0001-W01"):
        assert "24 May to 30 May 2027" in text(client.get(f"{HERE}?week={odd}")), odd


def test_without_shifts_the_page_says_what_that_means(cast: Any, signed_in: Any) -> None:
    page = text(signed_in(cast.duty_commander).get(HERE))
    assert "Nobody is on the roster yet" in page and "Put somebody on duty" in page


def test_how_the_commands_stand_worst_first(cast: Any, planned: Duty, signed_in: Any) -> None:
    client = signed_in(cast.provincial)
    page = text(client.get("/duty/"))
    assert page.index("Gap ahead") < page.index("No roster")
    Delegation.objects.all().delete()
    Cover.objects.update(person=None)
    page = text(client.get("/duty/"))
    assert page.index("Nobody on duty") < page.index("No roster")
    Posting.objects.filter(user=cast.neighbour).update(ends_at=NOW)
    assert "Vacant" in text(client.get("/duty/?show=vacant"))
    assert "No roster" not in text(client.get("/duty/?show=vacant")).partition("On duty now")[2]


def test_a_commander_of_one_command_comes_straight_to_its_roster(cast: Any, signed_in: Any) -> None:
    for who, code in [("duty_commander", "KH2108"), ("officer", "KH2108"), ("nec", cast.command("nec").code)]:
        assert signed_in(getattr(cast, who)).get("/duty/").headers["Location"] == f"/duty/at/{code}/"


def test_the_country_is_read_in_few_queries(cast: Any, planned: Duty, signed_in: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = signed_in(cast.psc)
    client.get("/duty/")
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get("/duty/").status_code == 200
    assert len(caught) <= 25


# ---- Changing ----


def test_shifts_are_put_on_the_roster(cast: Any, signed_in: Any) -> None:
    second, client = second_commander(cast), signed_in(cast.duty_commander)
    values = {
        "person": second.pk, "weekdays": ["0", "2"], "starts": "19:00", "until": "07:00", "first_on": f"{TODAY}",
    }  # fmt: skip
    assert client.post(f"{HERE}shifts/new", values).status_code == 302
    assert sorted(Shift.objects.values_list("weekday", "minutes")) == [(0, 720), (2, 720)]
    again = client.post(f"{HERE}shifts/new", values)
    assert again.status_code == 400 and "has another shift at that time already" in text(again)
    assert 'value="19:00"' in again.content.decode() and Shift.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"person": ""}, "Choose a person of the list."),
        ({"person": "0"}, "Choose a person of the list."),
        ({"weekdays": []}, "Choose one day of the week or more."),
        ({"starts": "25:00"}, "Enter a valid time"),
        ({"first_on": "2020-01-01"}, "This day is over."),
        ({"until": "19:10"}, "at least 30 minutes"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(cast: Any, signed_in: Any, wrong: dict[str, Any], said: str) -> None:
    second, client = second_commander(cast), signed_in(cast.duty_commander)
    values: dict[str, Any] = {
        "person": second.pk, "weekdays": ["0"], "starts": "19:00", "until": "07:00", "first_on": f"{TODAY}",
    }  # fmt: skip
    answer = client.post(f"{HERE}shifts/new", values | wrong)
    assert answer.status_code == 400 and said in text(answer) and not Shift.objects.exists()


def test_a_shift_is_changed_or_ended_on_its_page(cast: Any, planned: Duty, signed_in: Any) -> None:
    client, address = signed_in(cast.duty_commander), f"{HERE}shifts/{planned.shift.pk}/"
    assert client.get(address).status_code == 200
    next_week = TODAY + dt.timedelta(days=7)
    client.post(address, {"person": planned.second.pk, "starts": "08:00", "until": "08:00", "first_on": f"{next_week}"})
    assert Shift.objects.get(person=planned.second).minutes == 1440
    refused = client.post(address, {"end": "1", "last_on": "2020-01-01"})
    assert refused.status_code == 400 and "Choose a later day" in text(refused)
    client.post(address, {"end": "1", "last_on": f"{TODAY}"})
    assert Shift.objects.get(pk=planned.shift.pk).valid_to == TODAY
    assert client.get("/duty/at/KH2109/").status_code == 404
    assert signed_in(cast.neighbour).get(f"/duty/at/KH2109/shifts/{planned.shift.pk}/").status_code == 404


def test_a_gap_leads_to_a_cover_that_fills_it(cast: Any, planned: Duty, signed_in: Any) -> None:
    Delegation.objects.all().delete()
    client = signed_in(cast.duty_commander)
    found = re.search(r'href="(/duty/at/KH2108/covers/new\?[^"]+)"', client.get(HERE).content.decode())
    assert found is not None
    form = client.get(found[1].replace("&amp;", "&")).content.decode()
    assert 'value="2027-05-25T18:00"' in form and 'value="2027-05-26T06:00"' in form
    forgotten = client.post(f"{HERE}covers/new", {"starts_at": "2027-05-25T18:00", "ends_at": "2027-05-26T06:00"})
    assert forgotten.status_code == 400 and "Choose who is on duty then, or nobody." in text(forgotten)
    values = {"person": planned.second.pk, "starts_at": "2027-05-25T18:00", "ends_at": "2027-05-26T06:00"}
    done = client.post(f"{HERE}covers/new", values, follow=True)
    assert "The cover is on the roster." in text(done)
    assert (
        "25 May, 18:00 to 26 May, 06:00" not in text(done).partition("Hours with nobody")[2].partition("24 May to")[0]
    )
    assert client.get(f"{HERE}covers/new?from=x&until=2027").status_code == 200


def test_a_cover_ends_by_its_button(cast: Any, planned: Duty, signed_in: Any) -> None:
    done = signed_in(cast.duty_commander).post(f"{HERE}covers/{planned.cover.pk}/end", follow=True)
    assert "The roster holds again." in text(done) and "cast-duty-commander" in text(done)


def test_the_roster_is_taken_into_use_and_out_of_it(cast: Any, planned: Duty, signed_in: Any) -> None:
    client = signed_in(cast.duty_commander)
    client.post(f"{HERE}use", {"on": "0"})
    assert Roster.objects.get().is_on is False
    done = client.post(f"{HERE}use", {"on": "1"}, follow=True)
    assert Roster.objects.get().is_on is True and "Nobody is on duty from 26 May, 18:00" in text(done)
    Shift.objects.all().delete()
    Cover.objects.all().delete()
    Roster.objects.update(is_on=False)
    assert "Add shifts first" in text(client.post(f"{HERE}use", {"on": "1"}, follow=True))


# ---- Delegations ----


def test_a_delegation_is_made_shown_and_ended(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.provincial)
    values = {
        "acting": cast.command("neighbour").pk, "starts_at": "2027-05-25T08:00", "ends_at": "2027-05-28T08:00",
        "reason": "Flooded road",
    }  # fmt: skip
    assert client.post(f"{HERE}delegate", values).status_code == 302
    assert "Flooded road" in text(client.get("/duty/delegations/"))
    again = client.post(f"{HERE}delegate", values)
    assert again.status_code == 400 and "acts for this command already" in text(again)
    assert "Flooded road" in again.content.decode()
    client.post(f"/duty/delegations/{Delegation.objects.get().pk}/end")
    assert "is over" in text(client.get("/duty/delegations/"))


def test_only_commands_that_can_act_are_offered(cast: Any, signed_in: Any) -> None:
    page = signed_in(cast.duty_commander).get(f"{HERE}delegate").content.decode()
    offered = set(map(int, re.findall(r'<option value="(\d+)"', page)))
    able = {cast.command(name).pk for name in ("neighbour", "provincial", "psc")}
    assert able <= offered and cast.command("other_province").pk not in offered
    assert cast.command("duty_commander").pk not in offered and cast.command("nec_integrity").pk not in offered


def test_who_acts_sees_the_cases_and_keeps_the_roster_but_hands_nothing_on(
    cast: Any, planned: Duty, signed_in: Any, make_incident: Any
) -> None:
    case = make_incident(now=NOW)
    client = signed_in(cast.neighbour)
    assert client.get(case.get_absolute_url()).status_code == 200
    assert client.get(f"{HERE}shifts/new").status_code == 200
    assert client.get(f"{HERE}delegate").status_code == 404
    Delegation.objects.update(ends_at=NOW)
    assert client.get(case.get_absolute_url()).status_code == 404


# ---- My duties ----


def test_a_swap_from_asking_to_the_roster(cast: Any, planned: Duty, signed_in: Any) -> None:
    Cover.objects.all().delete()
    Swap.objects.all().delete()
    mine, theirs = signed_in(cast.duty_commander), signed_in(planned.second)
    page = text(mine.get("/duty/mine/"))
    assert "On duty now until 18:00" in page and "26 May, 06:00 to 18:00" in page and "Doun Kaev" in page
    form = mine.get(f"{HERE}swaps/new").content.decode()
    duty = re.search(r'<option value="(2027-05-25T23:00[^"]+)"', form)
    assert duty is not None, "the duty of tomorrow"
    sent = {"mine": duty[1], "colleague": planned.second.pk, "back": ""}
    assert mine.post(f"{HERE}swaps/new", sent).status_code == 302
    assert "asks you to take a duty" in text(theirs.get("/duty/mine/"))
    assert "asks you to take a duty" in text(theirs.get("/incidents/inbox/"))
    swap = Swap.objects.get()
    assert "Only the two people" in text(mine.post(f"/duty/swaps/{swap.pk}/", {"answer": "agreed"}, follow=True))
    theirs.post(f"/duty/swaps/{swap.pk}/", {"answer": "agreed"})
    assert Cover.objects.get().person == planned.second
    assert "26 May, 06:00 to 18:00" in text(theirs.get("/duty/mine/"))
    assert "takes your duty" in text(mine.get("/incidents/inbox/"))
    assert signed_in(cast.psc).post(f"/duty/swaps/{swap.pk}/", {"answer": "agreed"}).status_code == 404


def test_a_duty_of_somebody_else_is_no_return_for_this_swap(cast: Any, planned: Duty, signed_in: Any) -> None:
    third = User.objects.create(username="third-duty")
    Posting.objects.create(
        user=third, role="duty_commander", command=planned.roster.command, starts_at=NOW - dt.timedelta(days=1)
    )
    Shift.objects.create(
        roster=planned.roster, person=third, weekday=3, starts=dt.time(19), minutes=60, valid_from=TODAY
    )
    client = signed_in(cast.duty_commander)
    form = client.get(f"{HERE}swaps/new").content.decode()
    duty, back = re.search(r'"(2027-05-25T23:00[^"]+)"', form), re.search(rf'"({third.pk}\|[^"]+)"', form)
    assert duty and back
    sent = {"mine": duty[1], "colleague": planned.second.pk, "back": back[1]}
    refused = client.post(f"{HERE}swaps/new", sent)
    assert refused.status_code == 400 and "a duty of somebody else" in text(refused)


# ---- The calendar ----


def address_of(client: Client) -> str:
    page = client.post("/duty/mine/feed")
    assert page.headers["Cache-Control"] == "no-store"
    found = re.search(r"/duty/calendar/[^<\s]+\.ics", page.content.decode())
    assert found is not None
    return found[0]


def test_a_calendar_holds_duties_in_utc_and_nothing_of_a_case(
    cast: Any, planned: Duty, signed_in: Any, make_incident: Any, clock: Any
) -> None:
    case = make_incident(now=NOW)
    address = address_of(signed_in(cast.duty_commander))
    answer = Client().get(address)
    assert answer.headers["Content-Type"].startswith("text/calendar")
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    tomorrow = next(e for e in events if e.decoded("dtstart") == dt.datetime(2027, 5, 25, 23, tzinfo=dt.UTC))
    assert tomorrow.decoded("dtend") == dt.datetime(2027, 5, 26, 11, tzinfo=dt.UTC)
    assert "Doun Kaev" in str(tomorrow["summary"]) and case.reference not in answer.content.decode()
    again = Client().get(address, headers={"if-none-match": answer.headers["ETag"]})
    assert again.status_code == 304
    clock.shift(dt.timedelta(days=2))
    later = Calendar.from_ical(Client().get(address).content).walk("VEVENT")
    assert str(tomorrow["uid"]) in {str(e["uid"]) for e in later}, "the same duty keeps its name"
    assert len({str(e["uid"]) for e in later}) == len(later)


def test_a_changed_duty_changes_the_calendar(cast: Any, planned: Duty, signed_in: Any) -> None:
    address = address_of(signed_in(cast.duty_commander))
    before = Client().get(address)
    Shift.objects.filter(weekday=4).delete()
    after = Client().get(address, headers={"if-none-match": before.headers["ETag"]})
    assert after.status_code == 200 and after.headers["ETag"] != before.headers["ETag"]


def test_a_revoked_replaced_or_closed_address_opens_nothing(cast: Any, planned: Duty, signed_in: Any) -> None:
    client = signed_in(cast.duty_commander)
    first = address_of(client)
    second = address_of(client)
    assert [Client().get(a).status_code for a in (first, second)] == [404, 200]
    token = second.removeprefix("/duty/calendar/").removesuffix(".ics")
    assert token not in str(list(CalendarFeed.objects.values_list("digest", flat=True)))
    User.objects.filter(pk=cast.duty_commander.pk).update(is_active=False)
    assert Client().get(second).status_code == 404
    User.objects.filter(pk=cast.duty_commander.pk).update(is_active=True)
    client.post("/duty/mine/feed/revoke")
    assert Client().get(second).status_code == 404
