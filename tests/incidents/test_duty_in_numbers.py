"""Duty where there is much of it: a weekly pattern of one's own is said once, and a long roster is read in parts."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commands import feeds
from commands.choices import Role
from commands.duty_actions import MOST_COVERS
from commands.models import Cover, Posting, Roster, Shift, User
from incidents.views.duty_own import LISTED
from incidents.views.duty_week import LINES
from tests.cast import NOW, POSTED_AT, Cast
from tests.incidents.duty_stage import DAY, Duty, plan_duty

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MINUTE = dt.timedelta(minutes=1)
HERE, MINE = "/duty/at/KH2108/", "/duty/mine/"
MONDAY = NOW.date() - NOW.weekday() * DAY
WEEKS, EACH = 100, 100


@pytest.fixture
def planned(cast: Cast) -> Duty:
    return plan_duty(cast, is_on=True)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


# ---- My duties ----


def test_the_same_shift_of_every_week_is_said_once_with_its_days(cast: Cast, planned: Duty, signed_in: Any) -> None:
    Cover.objects.all().delete()
    page = signed_in(cast.duty_commander).get(MINE)
    said = text(page)
    assert said.count("06:00–18:00") == 1
    # The one that runs and four weeks of seven days.
    assert re.search(r"06:00–18:00 .* Mon Tue Wed Thu Fri Sat Sun 29 times until 22 June", said), said
    # The days of the pattern are still there to be swapped one by one, and the soonest once more at the top.
    assert page.content.decode().count("/swaps/new?mine=") == 28 + 1


def test_the_next_duty_comes_before_everything_else(cast: Cast, planned: Duty, signed_in: Any) -> None:
    said = text(signed_in(cast.duty_commander).get(MINE))
    assert "25 May, 09:00 to 18:00" in said, "after the cover that runs"
    assert said.index("Your next duty") < said.index("Colleagues ask you") < said.index("All your duties")
    said = text(signed_in(planned.second).get(MINE))
    assert "On duty now until 09:00" in said and "Your next duty" not in said


def test_other_hours_stand_apart_and_a_single_day_by_its_name(cast: Cast, planned: Duty, signed_in: Any) -> None:
    night = dt.datetime.combine(MONDAY + 2 * DAY, dt.time(20), NOW.tzinfo)
    Cover.objects.create(
        roster=planned.roster, person=planned.second, starts_at=night, ends_at=night + DAY / 2, made_by=cast.provincial,
        made_at=NOW,
    )  # fmt: skip
    Cover.objects.create(
        roster=planned.roster, person=planned.second, starts_at=night + 5 * DAY, ends_at=night + 7 * DAY,
        made_by=cast.provincial, made_at=NOW,
    )  # fmt: skip
    said = text(signed_in(planned.second).get(MINE))
    assert re.search(r"20:00–08:00 .* Wednesday, 26 May", said), said
    assert "31 May, 20:00 to 2 June, 20:00" in said, "longer than a day: with its days"


def test_a_roster_that_is_only_a_plan_says_so(cast: Cast, planned: Duty, signed_in: Any) -> None:
    Roster.objects.update(is_on=False)
    assert "planned, roster not in use" in text(signed_in(cast.duty_commander).get(MINE))


def test_on_no_roster_there_is_no_empty_card_at_the_top(cast: Cast, signed_in: Any) -> None:
    said = text(signed_in(cast.duty_commander).get(MINE))
    assert "You are on no roster in the next four weeks." in said and "Your next duty" not in said


def crowd(cast: Cast, planned: Duty) -> None:
    """As many covers of one person as a roster takes, each a minute after the other, and as many that are over."""
    Cover.objects.all().delete()
    Cover.objects.bulk_create(
        Cover(
            roster=planned.roster, person=planned.second, starts_at=start + n * MINUTE,
            ends_at=start + n * MINUTE + length, made_by=cast.provincial, made_at=NOW,
        )
        for start, length, count in [(NOW + DAY, 25 * DAY, MOST_COVERS), (NOW - 2 * DAY, 10 * MINUTE, 700)]
        for n in range(count)
    )  # fmt: skip


def test_a_crowded_calendar_has_the_nearest_duties_in_order(cast: Cast, planned: Duty) -> None:
    crowd(cast, planned)
    feed, _token = feeds.make_feed(planned.second, now=NOW)
    body = feeds.calendar_of(feed, NOW)
    begins = [str(line) for line in body.decode().splitlines() if line.startswith("DTSTART:")]
    assert len(begins) == feeds.MOST and begins == sorted(begins)
    # The day before yesterday is further away than tomorrow: all that comes is there.
    assert sum(line >= f"DTSTART:{NOW.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}" for line in begins) == MOST_COVERS


def test_more_duties_than_a_page_lists_are_counted(cast: Cast, planned: Duty, signed_in: Any) -> None:
    half = dt.timedelta(minutes=30)
    Shift.objects.all().delete()
    Cover.objects.all().delete()
    Shift.objects.bulk_create(
        Shift(roster=planned.roster, person=planned.second, weekday=day, starts=dt.time(hour), minutes=30,
              valid_from=NOW.date())
        for day in range(7) for hour in range(8, 20)
    )  # fmt: skip
    answer = signed_in(planned.second).get(MINE)
    whole = 28 * 12
    assert answer.context["own"].more == whole - LISTED and answer.context["own"].coming[1].starts_at == NOW + 2 * half
    assert f"and {whole - LISTED} more" in text(answer)
    assert answer.content.decode().count("/swaps/new?mine=") == LISTED


# ---- A long roster ----


def plan_much(cast: Cast, planned: Duty) -> None:
    """Ten thousand shifts of sixty people: a hundred of one week each, for a hundred weeks."""
    people = [User(username=f"many-{number:02}", language="en") for number in range(60)]
    User.objects.bulk_create(people)
    here = cast.command("duty_commander")
    Posting.objects.bulk_create(
        Posting(user=person, role=Role.DUTY_COMMANDER, command=here, starts_at=POSTED_AT) for person in people
    )
    Shift.objects.bulk_create(
        Shift(
            roster=planned.roster, person=people[(number * 7 + week) % 60], weekday=number % 7,
            starts=dt.time(6 * (number // 7 % 4)), minutes=360, valid_from=MONDAY + 7 * week * DAY,
            valid_to=MONDAY + (7 * week + 6) * DAY,
        )
        for week in range(WEEKS)
        for number in range(EACH)
    )  # fmt: skip
    Cover.objects.bulk_create(
        Cover(
            roster=planned.roster, person=people[number % 60], starts_at=NOW + number * DAY / 2,
            ends_at=NOW + number * DAY / 2 + DAY / 4, made_by=cast.provincial, made_at=NOW,
        )
        for number in range(500)
    )  # fmt: skip


def queries(client: Any, address: str) -> tuple[int, str]:
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(address)
    assert answer.status_code == 200
    return len(caught), answer.content.decode()


def lines(page: str, heading: str) -> int:
    """Lines of the list under a heading of the page."""
    part = page.partition(f'aria-labelledby="{heading}"')[2].partition("</section>")[0]
    return part.count("<li>")


def test_ten_thousand_shifts_take_no_more_queries_and_no_more_lines_than_a_page(
    cast: Cast, planned: Duty, signed_in: Any
) -> None:
    client = signed_in(cast.duty_commander)
    client.get(HERE)
    few, _page = queries(client, HERE)
    plan_much(cast, planned)
    many, page = queries(client, HERE)
    assert Shift.objects.count() == WEEKS * EACH + 7
    assert many <= few + 1 and many <= 30
    assert lines(page, "h-shifts") == LINES and lines(page, "h-covers") == LINES
    assert page.count('<th scope="row">') == LINES + 1, "people of the week, and the line of all of them"
    assert len(page) < 200_000
    assert "and " in page and " more</span>" in page, "names of one stretch are counted after the third"
    swaps, _page = queries(client, f"{HERE}swaps/new")
    assert swaps <= 30


def test_every_shift_of_the_weeks_shown_is_on_one_of_the_pages(cast: Cast, planned: Duty, signed_in: Any) -> None:
    plan_much(cast, planned)
    client, found, address = signed_in(cast.duty_commander), set(), f"{HERE}?week=2027-W40"
    while address:
        page = client.get(address).content.decode()
        found |= set(re.findall(r"/shifts/(\d+)/", page))
        part = page.partition('aria-labelledby="h-shifts"')[2].partition("</section>")[0]
        after = re.search(r'href="(\?[^"]*)" rel="next"', part)
        address = HERE + after[1].replace("&amp;", "&") if after else ""
        assert not address or "week=2027-W40" in address
    week = dt.date.fromisocalendar(2027, 40, 1)
    there = Shift.objects.filter(valid_from__lt=week + 28 * DAY).exclude(valid_to__lt=week)
    assert found == {str(key) for key in there.values_list("pk", flat=True)}
    assert len(found) == 4 * EACH + 7


def test_a_roster_planned_for_next_year_is_not_called_empty(cast: Cast, planned: Duty, signed_in: Any) -> None:
    Cover.objects.all().delete()
    Shift.objects.update(valid_from=MONDAY + 300 * DAY)
    said = text(signed_in(cast.duty_commander).get(HERE))
    assert "Nobody is on the roster yet" not in said and "No shift in these weeks." in said
    assert "Nobody is on duty now." not in said or "goes straight to the next command" in said
    week = MONDAY + 301 * DAY
    said = text(signed_in(cast.duty_commander).get(f"{HERE}?week={week.year}-W{week.isocalendar()[1]:02}"))
    assert "No shift in these weeks." not in said


@pytest.mark.parametrize("asked", ["0", "-1", "x", "99999"])
def test_a_page_that_is_not_there_is_one_that_is(cast: Cast, planned: Duty, signed_in: Any, asked: str) -> None:
    client = signed_in(cast.duty_commander)
    assert client.get(f"{HERE}?shifts={asked}&people={asked}&covers={asked}").status_code == 200
