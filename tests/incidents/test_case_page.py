"""The page of one case: who finds it, what each role reads on it, what it says about time and about the record."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from incidents import actions, journal
from incidents.models import Incident
from incidents.views import timeline
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NARRATIVE = "A motorbike was taken from the market by two people."


@pytest.fixture
def moment() -> dt.datetime:
    return timezone.now()


@pytest.fixture
def case(make_incident: Callable[..., Incident], moment: dt.datetime) -> Incident:
    return make_incident(
        now=moment,
        narrative=NARRATIVE,
        title="Motorbike taken",
        place_note="behind the rice stalls",
        lat=11.0,
        lon=104.78,
    )


def page_of(client: Any, incident: Incident, query: str = "") -> str:
    answer = client.get(incident.get_absolute_url() + query)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize("name", Cast.names())
def test_who_may_not_see_a_case_gets_the_page_of_one_that_does_not_exist(
    cast: Cast, signed_in: Any, case: Incident, name: str
) -> None:
    user = getattr(cast, name)
    client = signed_in(user)
    answer = client.get(case.get_absolute_url())
    if Incident.objects.visible_to(user).filter(pk=case.pk).exists():
        assert answer.status_code == 200
        return
    missing = client.get(reverse("incidents:detail", args=[uuid.uuid4()]))
    assert answer.status_code == missing.status_code == 404
    assert len(answer.content) == len(missing.content)


@pytest.mark.parametrize("name", ["ministry", "auditor"])
def test_operational_roles_read_times_and_states_and_nothing_written(
    cast: Cast, signed_in: Any, case: Incident, name: str, moment: dt.datetime
) -> None:
    actions.perform(
        "acknowledge",
        case,
        by=cast.duty_commander,
        version=None,
        now=moment,
        note="Words of a note",
        not_concerned=True,
    )
    page = page_of(signed_in(getattr(cast, name)), case)
    assert "Theft" in page and "Acknowledged" in page
    for hidden in (NARRATIVE, "Motorbike taken", "behind the rice stalls", "104.78", "Words of a note"):
        assert hidden not in page


def test_the_command_reads_everything_and_finds_its_next_act(cast: Cast, signed_in: Any, case: Incident) -> None:
    page = page_of(signed_in(cast.duty_commander), case)
    for shown in (NARRATIVE, "Motorbike taken", "behind the rice stalls"):
        assert shown in page
    assert (
        'btn--primary btn--big btn--block" href="' + reverse("incidents:acts", args=[case.pk]) + "?act=acknowledge"
        in page
    )


def test_people_stand_in_the_timeline_as_role_and_unit_never_by_name(
    cast: Cast, signed_in: Any, case: Incident, moment: dt.datetime
) -> None:
    type(cast.officer).objects.filter(pk=cast.officer.pk).update(first_name="Vichea")
    page = page_of(signed_in(cast.provincial), case)
    assert f"Officer @ {cast.command('officer').name}" in page
    assert "Vichea" not in page
    assert cast.officer.username not in page


def test_who_was_assigned_stands_there_as_role_and_unit_too(
    cast: Cast, signed_in: Any, case: Incident, moment: dt.datetime
) -> None:
    actions.perform("acknowledge", case, by=cast.duty_commander, version=None, now=moment)
    actions.perform("assign", case, by=cast.duty_commander, version=None, now=moment, assignee=cast.officer.pk)
    page = page_of(signed_in(cast.provincial), case)
    assert cast.officer.username not in page
    assert str(cast.officer.current_postings[0]) in page


def test_a_correction_shows_what_was_and_what_is(
    cast: Cast, signed_in: Any, case: Incident, moment: dt.datetime
) -> None:
    actions.perform(
        "correct",
        case,
        by=cast.duty_commander,
        version=None,
        now=moment,
        fields={"injured": 3},
        reason="Counted twice.",
    )
    page = page_of(signed_in(cast.duty_commander), case)
    assert "<del>0</del>" in page and "<ins>3</ins>" in page
    assert "Counted twice." in page


def test_the_timeline_can_show_decisions_alone(cast: Cast, signed_in: Any, case: Incident, moment: dt.datetime) -> None:
    for act, data in (("acknowledge", {"note": "", "not_concerned": True}), ("update", {"note": "All quiet now."})):
        actions.perform(act, case, by=cast.duty_commander, version=None, now=moment, **data)
    client = signed_in(cast.duty_commander)
    assert "All quiet now." in page_of(client, case)
    assert "All quiet now." not in page_of(client, case, "?show=decisions")


def test_what_happens_if_nobody_acts_is_said_with_its_time(cast: Cast, signed_in: Any, case: Incident) -> None:
    page = page_of(signed_in(cast.duty_commander), case)
    assert f"{cast.command('provincial').name} owns it" in page
    assert "if nobody acknowledges it" in page
    assert "planned" in page


def test_a_sealed_case_is_not_there_for_the_unit_it_is_about(
    cast: Cast, signed_in: Any, make_sealed: Callable[..., Incident], moment: dt.datetime
) -> None:
    sealed = make_sealed(now=moment)
    for user in (cast.demo_duty, cast.demo_officer, cast.demo_provincial, cast.psc, cast.ministry, cast.auditor):
        assert signed_in(user).get(sealed.get_absolute_url()).status_code == 404
    page = page_of(signed_in(cast.demo_liaison), sealed)
    assert "Sealed" in page


def test_identities_are_counted_and_never_shown(
    cast: Cast, signed_in: Any, case: Incident, moment: dt.datetime
) -> None:
    actions.perform(
        "record_person",
        case,
        by=cast.officer,
        version=None,
        now=moment,
        role="witness",
        identity={"name": "Nobody At All"},
    )
    page = page_of(signed_in(cast.duty_commander), case)
    assert "1 person is recorded." in page
    assert "Nobody At All" not in page
    assert "is recorded." not in page_of(signed_in(cast.ministry), case)


# ---- Files ----


@pytest.fixture
def picture(cast: Cast, case: Incident, moment: dt.datetime) -> Any:
    import io

    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (40, 30), (10, 90, 90)).save(data, "JPEG")
    upload = SimpleUploadedFile("crossing.jpg", data.getvalue())
    actions.perform("attach", case, by=cast.officer, version=None, now=moment, upload=upload)
    return case.attachments.get()


@pytest.mark.parametrize("name", Cast.names())
@pytest.mark.parametrize("view", ["incidents:file", "incidents:original"])
def test_files_are_for_who_may_read_the_details(
    cast: Cast, signed_in: Any, case: Incident, picture: Any, name: str, view: str
) -> None:
    user = getattr(cast, name)
    readable = Incident.objects.detailed_to(user).filter(pk=case.pk).exists()
    answer = signed_in(user).get(reverse(view, args=[case.pk, picture.pk]))
    assert answer.status_code == (200 if readable else 404)


def test_a_picture_is_shown_in_place_and_its_original_is_a_download(
    cast: Cast, signed_in: Any, case: Incident, picture: Any
) -> None:
    client = signed_in(cast.duty_commander)
    shown = client.get(reverse("incidents:file", args=[case.pk, picture.pk]))
    kept = client.get(reverse("incidents:original", args=[case.pk, picture.pk]))
    assert shown["Content-Disposition"].startswith("inline")
    assert kept["Content-Disposition"].startswith("attachment")
    for answer in (shown, kept):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["Cache-Control"] == "private, no-store"
    assert shown["Content-Type"] == "image/jpeg"


def test_a_file_answers_under_its_own_case_only(
    cast: Cast,
    signed_in: Any,
    case: Incident,
    picture: Any,
    make_incident: Callable[..., Incident],
    moment: dt.datetime,
) -> None:
    other = make_incident(now=moment)
    address = reverse("incidents:original", args=[other.pk, picture.pk])
    assert signed_in(cast.duty_commander).get(address).status_code == 404


# ---- The record ----


def test_the_page_says_up_to_when_the_record_is_sealed_and_that_never_goes_back(
    cast: Cast, signed_in: Any, case: Incident, moment: dt.datetime
) -> None:
    client = signed_in(cast.duty_commander)
    assert "Record sealed up to" not in page_of(client, case)
    assert "sealed within minutes" in page_of(client, case)
    journal.seal_backlog(moment + dt.timedelta(hours=1))
    assert timeline.of(case, detailed=True).sealed_at == case.entries.latest("pk").at
    said = re.search(r"Record sealed up to the entry of [^<]*", page_of(client, case))
    assert said
    assert "block" not in said[0]
    # A new act, not sealed yet, leaves it as it was; and so does a narrower choice of entries.
    actions.update(case, by=cast.officer, version=None, now=moment + dt.timedelta(hours=2), note="The road is free.")
    assert said[0] in page_of(client, case)
    assert timeline.of(case, detailed=True, show="notices").sealed_at == timeline.of(case, detailed=True).sealed_at


def test_a_long_story_costs_no_more_than_a_short_one(
    cast: Cast, signed_in: Any, case: Incident, moment: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        actions.perform("update", case, by=cast.duty_commander, version=None, now=moment, note=f"Update {n}.")
    client = signed_in(cast.duty_commander)
    client.get(case.get_absolute_url())
    with django_assert_max_num_queries(31):
        client.get(case.get_absolute_url())


def test_numbers_nobody_reported_are_not_said_as_nought(
    cast: Cast, signed_in: Any, case: Incident, make_incident: Callable[..., Incident], moment: dt.datetime
) -> None:
    page = page_of(signed_in(cast.duty_commander), case)
    assert "No killed or injured reported." in page and "<b>0</b>" not in page
    harmed = make_incident(now=moment, narrative="Two people were hurt in a crowd at the gate.", injured=2)
    page = page_of(signed_in(cast.duty_commander), harmed)
    assert "<b>2</b>injured" in page
    assert "killed</li>" not in page and "No killed or injured" not in page


@pytest.mark.parametrize(("times", "words"), [(1, "reopened once"), (3, "reopened 3 times")])
def test_it_says_how_often_it_was_reopened(cast: Cast, signed_in: Any, case: Incident, times: int, words: str) -> None:
    Incident.objects.filter(pk=case.pk).update(reopened_count=times)
    assert words in page_of(signed_in(cast.duty_commander), case)


@pytest.mark.parametrize("state", ["resolved", "closed"])
def test_who_cannot_reopen_is_told_whom_to_ask(cast: Cast, signed_in: Any, case: Incident, state: str) -> None:
    words = f"Only {cast.command('provincial').name} or the NEC secretariat can reopen this case."
    assert words not in page_of(signed_in(cast.duty_commander), case)
    Incident.objects.filter(pk=case.pk).update(state=state, next_due_at=None, next_due_kind="")
    assert words in page_of(signed_in(cast.duty_commander), case)
    assert words not in page_of(signed_in(cast.provincial), case)
    assert words not in page_of(signed_in(cast.auditor), case)
