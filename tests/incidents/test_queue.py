"""The list of cases: what a role sees in it, in which order, page by page, and what it costs."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from incidents.models import Incident
from tests.cast import COMMUNE, Cast
from tests.incidents.plain_case import plain_case

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def moment() -> dt.datetime:
    return timezone.now()


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


def references(page: str) -> list[str]:
    return re.findall(r'<span class="nowrap">([A-Z0-9-]+)</span>', page)


def test_open_cases_stand_by_their_deadline_and_others_do_not(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    later = plain_case(reported_at=moment, next_due_at=moment + 50 * MINUTE)
    late = plain_case(reported_at=moment, next_due_at=moment - MINUTE)
    plain_case(reported_at=moment, state="closed")
    page = text_of(signed_in(cast.duty_commander).get(reverse("incidents:list")))
    assert references(page) == [late.reference, later.reference]
    assert "2 open" in page and "1 late" in page


@pytest.mark.parametrize("name", Cast.names())
def test_everybody_sees_what_is_visible_to_them_and_nothing_more(
    cast: Cast, signed_in: Any, name: str, moment: dt.datetime
) -> None:
    user = getattr(cast, name)
    plain_case(reported_at=moment)
    page = text_of(signed_in(user).get(reverse("incidents:list")))
    assert set(references(page)) == {i.reference for i in Incident.objects.visible_to(user)}


def test_roles_with_operational_data_see_the_category_and_not_the_title(
    cast: Cast, signed_in: Any, moment: dt.datetime
) -> None:
    plain_case(reported_at=moment, title="Words that only the command reads")
    assert "Words that only" in text_of(signed_in(cast.duty_commander).get(reverse("incidents:list")))
    for user in (cast.ministry, cast.auditor):
        page = text_of(signed_in(user).get(reverse("incidents:list")))
        assert "Words that only" not in page
        assert "Theft" in page


def test_other_states_are_listed_newest_first(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    old = plain_case(reported_at=moment - dt.timedelta(days=2), state="closed")
    new = plain_case(reported_at=moment)
    client, address = signed_in(cast.duty_commander), reverse("incidents:list")
    assert references(text_of(client.get(address, {"state": "all"}))) == [new.reference, old.reference]
    assert references(text_of(client.get(address, {"state": "ended"}))) == [old.reference]


@pytest.mark.parametrize("state", ["open", "all"])
def test_pages_follow_each_other_without_a_gap_or_a_repetition(
    cast: Cast, signed_in: Any, moment: dt.datetime, state: str
) -> None:
    # Seven of one moment: the key, not the time alone, must decide where a page ends.
    for n in range(60):
        same = moment - dt.timedelta(minutes=n // 7)
        plain_case(reported_at=same, next_due_at=same + dt.timedelta(hours=3))
    client, seen, address = signed_in(cast.duty_commander), [], f"?state={state}"
    while address:
        page = text_of(client.get(reverse("incidents:list") + address))
        seen += references(page)
        more = re.search(r'href="(\?[^"]*after=[^"]*)" rel="next"', page)
        address = more.group(1).replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) == 60


def test_a_case_that_arrives_between_two_pages_moves_nothing(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    for n in range(30):
        plain_case(reported_at=moment - n * MINUTE, next_due_at=moment + n * MINUTE)
    client = signed_in(cast.duty_commander)
    first = text_of(client.get(reverse("incidents:list")))
    after = re.search(r'href="(\?[^"]*after=[^"]*)" rel="next"', first)
    assert after
    plain_case(reported_at=moment, next_due_at=moment - MINUTE)
    second = references(text_of(client.get(reverse("incidents:list") + after.group(1).replace("&amp;", "&"))))
    assert len(second) == 5
    assert not set(second) & set(references(first))


#: The cursor d0001-01-01T00:00:00+14:00_…: a moment that has no name in UTC.
BEFORE_TIME = "ZDAwMDEtMDEtMDFUMDA6MDA6MDArMTQ6MDBfMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDE"


@pytest.mark.parametrize("after", ["nonsense", "ZDIwMjc", "YWJj", "%00", BEFORE_TIME])
def test_an_unknown_place_in_the_list_is_refused(cast: Cast, signed_in: Any, after: str) -> None:
    assert signed_in(cast.duty_commander).get(reverse("incidents:list") + f"?after={after}").status_code == 400


def test_unknown_filters_are_refused_by_name(cast: Cast, signed_in: Any) -> None:
    answer = signed_in(cast.duty_commander).get(reverse("incidents:list"), {"colour": "red", "severity": "severe"})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "colour" in page and "severe" in page


def test_the_panel_keeps_what_was_chosen(cast: Cast, signed_in: Any) -> None:
    asked = {"panel": "1", "severity": "high", "place": COMMUNE, "state": "all"}
    page = text_of(signed_in(cast.duty_commander).get(reverse("incidents:list"), asked))
    assert f'<option value="{COMMUNE}" selected>' in page
    assert '<option value="all" selected>' in page
    assert re.search(r'value="high" checked', page)


def test_each_role_is_offered_the_act_it_may_do(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    case = plain_case(reported_at=moment)
    address = reverse("incidents:acts", args=[case.pk])
    assert f"{address}?act=acknowledge" in text_of(signed_in(cast.duty_commander).get(reverse("incidents:list")))
    assert f"{address}?act=update" in text_of(signed_in(cast.officer).get(reverse("incidents:list")))
    assert address not in text_of(signed_in(cast.ministry).get(reverse("incidents:list")))


def test_a_case_without_a_next_step_does_not_leave_the_command(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    going = plain_case(reported_at=moment, next_due_at=moment + 5 * MINUTE)
    over = plain_case(reported_at=moment, next_due_at=moment - MINUTE)
    page = text_of(signed_in(cast.duty_commander).get(reverse("incidents:list")))
    strip = page[page.index("Next to leave") : page.index("</section>", page.index("Next to leave"))]
    assert str(going.pk) in strip
    assert str(over.pk) not in strip
    assert strip.count("next__item") == strip.count("then: ") == 1


def test_what_leaves_the_command_next_stands_above(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    plain_case(reported_at=moment, next_due_at=moment + 5 * MINUTE)
    page = text_of(signed_in(cast.duty_commander).get(reverse("incidents:list")))
    assert "Next to leave your command" in page
    assert "then: " in page
    assert "Next to leave your command" not in text_of(signed_in(cast.provincial).get(reverse("incidents:list")))


def test_an_empty_queue_says_what_that_does_not_mean(cast: Cast, signed_in: Any) -> None:
    client = signed_in(cast.duty_commander)
    assert "A quiet queue is not yet a quiet place" in text_of(client.get(reverse("incidents:list")))
    assert "No case fits these filters" in text_of(client.get(reverse("incidents:list"), {"severity": "high"}))


def test_the_page_costs_the_same_with_many_rows(
    cast: Cast, signed_in: Any, moment: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    for n in range(40):
        plain_case(reported_at=moment, next_due_at=moment + n * MINUTE)
    client = signed_in(cast.duty_commander)
    client.get(reverse("incidents:list"))
    with django_assert_max_num_queries(12):
        client.get(reverse("incidents:list"))


def test_what_orders_a_list_joins_nothing(
    cast: Cast, signed_in: Any, moment: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    """With joins PostgreSQL may read and sort all of a province to show twenty-five of it."""
    for n in range(30):
        plain_case(reported_at=moment, next_due_at=moment + n * MINUTE)
    client = signed_in(cast.provincial)
    for state in ("open", "all"):
        page = client.get(reverse("incidents:list"), {"state": state}).context["page"]
        with django_assert_max_num_queries(14) as captured:
            behind = client.get(reverse("incidents:list"), {"state": state, "after": page.after})
        assert {row.incident.pk for row in behind.context["page"].rows}.isdisjoint(row.incident.pk for row in page.rows)
        ordered = [q["sql"] for q in captured.captured_queries if 'FROM "incidents_incident"' in q["sql"]]
        ordered = [sql for sql in ordered if "ORDER BY" in sql]
        assert ordered and not any(" JOIN " in sql for sql in ordered)


# ---- News ----


def test_news_counts_what_came_since_and_not_ones_own(cast: Cast, signed_in: Any, moment: dt.datetime) -> None:
    since = (moment - MINUTE).isoformat()
    plain_case(reported_at=moment - 5 * MINUTE)
    plain_case(reported_at=moment)
    client = signed_in(cast.duty_commander)
    answer = client.get(reverse("incidents:news"), {"since": since})
    assert "1 new in this list" in text_of(answer)
    again = client.get(reverse("incidents:news"), {"since": since}, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    assert "new in this list" not in text_of(signed_in(cast.officer).get(reverse("incidents:news"), {"since": since}))


@pytest.mark.parametrize("since", ["", "yesterday", "2027-05-25T08:00:00", "9999-12-31T23:59:59-14:00"])
def test_news_needs_a_moment(cast: Cast, signed_in: Any, since: str) -> None:
    assert signed_in(cast.officer).get(reverse("incidents:news"), {"since": since}).status_code == 400
