"""Acting from the pages: the form of each act, what is refused and kept, what happened meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from incidents import actions, lifecycle
from incidents.choices import Act
from incidents.forms.acts import ActForm
from incidents.forms.asks import ASKS
from incidents.models import Entry, Incident
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def moment() -> dt.datetime:
    return timezone.now()


@pytest.fixture
def case(make_incident: Callable[..., Incident], moment: dt.datetime) -> Incident:
    return make_incident(now=moment)


def address(incident: Incident) -> str:
    return reverse("incidents:acts", args=[incident.pk])


def send(client: Any, incident: Incident, act: str, **data: Any) -> Any:
    incident.refresh_from_db()
    return client.post(address(incident), {"act": act, "version": incident.version, **data})


def acts_of(incident: Incident) -> list[str]:
    return list(Entry.objects.filter(incident=incident).order_by("pk").values_list("act", flat=True))


def test_every_act_of_a_person_has_a_form() -> None:
    by_hand = {act for act in Act if any(after[1] == act for after in lifecycle.TRANSITIONS)} - lifecycle.ENGINE_ACTS
    # A report has a form of its own, and moving to another policy shows the deadlines of both before it is done.
    assert by_hand - set(ASKS) == {Act.REPORT, Act.REBASE}


@pytest.mark.parametrize("act", list(ASKS))
def test_every_form_can_be_drawn(cast: Cast, case: Incident, act: Act, moment: dt.datetime) -> None:
    form = ActForm(act, case, cast.psc, moment)
    assert str(form.as_p())


def test_acknowledging_leads_back_to_the_case(cast: Cast, signed_in: Any, case: Incident) -> None:
    client = signed_in(cast.duty_commander)
    answer = send(client, case, "acknowledge", concerned="no", note="On our way.")
    assert answer.status_code == 302
    assert answer["Location"] == case.get_absolute_url()
    case.refresh_from_db()
    assert case.state == "acknowledged"
    assert "The case is acknowledged." in client.get(answer["Location"]).content.decode()


def test_who_is_concerned_is_told_what_to_do_instead(cast: Cast, signed_in: Any, case: Incident) -> None:
    answer = send(signed_in(cast.duty_commander), case, "acknowledge", concerned="yes", note="It is my brother.")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Hand the case to the next command" in page
    assert "It is my brother." in page
    case.refresh_from_db()
    assert case.state == "reported"


def test_the_question_whether_one_is_concerned_must_be_answered(cast: Cast, signed_in: Any, case: Incident) -> None:
    assert send(signed_in(cast.duty_commander), case, "acknowledge", note="x").status_code == 422
    assert acts_of(case) == ["report"]


def test_a_refused_form_keeps_what_was_typed(cast: Cast, signed_in: Any, case: Incident) -> None:
    answer = send(signed_in(cast.provincial), case, "escalate", to="", reason="   ")
    assert answer.status_code == 422
    answer = send(signed_in(cast.duty_commander), case, "resolve", outcome="settled", note="Typed with care.",
                  final_verification="verified")  # fmt: skip
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Typed with care." in page
    assert "Mark the case contained first." in page


def test_a_stale_version_says_what_happened_and_lets_one_decide_again(
    cast: Cast, signed_in: Any, case: Incident, moment: dt.datetime
) -> None:
    seen = case.version
    actions.perform("acknowledge", case, by=cast.duty_commander, version=None, now=moment, note="", not_concerned=True)
    client = signed_in(cast.provincial)
    answer = client.post(address(case), {"act": "update", "version": seen, "update_note": "Two patrols are there."})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Somebody else acted at" in page
    assert "Acknowledged" in page
    assert "Two patrols are there." in page
    case.refresh_from_db()
    assert f'name="version" value="{case.version}"' in page
    assert send(client, case, "update", update_note="Two patrols are there.").status_code == 302
    assert acts_of(case) == ["report", "acknowledge", "update"]


def test_an_act_that_is_not_allowed_is_refused_in_words(cast: Cast, signed_in: Any, case: Incident) -> None:
    client = signed_in(cast.officer)
    assert client.get(address(case) + "?act=acknowledge").status_code == 403
    assert send(client, case, "acknowledge", concerned="no").status_code == 403
    assert acts_of(case) == ["report"]


@pytest.mark.parametrize("act", ["", "explode", "report", "warn", "auto_escalate", "export"])
def test_acts_that_nobody_does_by_hand_are_not_there(cast: Cast, signed_in: Any, case: Incident, act: str) -> None:
    client = signed_in(cast.duty_commander)
    assert client.get(address(case), {"act": act}).status_code == 404
    assert send(client, case, act).status_code == 404


def test_strangers_get_the_page_of_a_case_that_does_not_exist(cast: Cast, signed_in: Any, case: Incident) -> None:
    client = signed_in(cast.other_province)
    assert client.get(address(case) + "?act=update").status_code == 404
    assert send(client, case, "update", update_note="x").status_code == 404


def test_a_correction_sends_only_what_is_different(
    cast: Cast, signed_in: Any, case: Incident, moment: dt.datetime
) -> None:
    form = ActForm(Act.CORRECT, case, cast.duty_commander, moment)
    typed = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    typed = {n: v for n, v in typed.items() if v is not None and v is not False}
    typed["occurred_at"] = timezone.localtime(case.occurred_at).strftime("%Y-%m-%dT%H:%M")
    client = signed_in(cast.duty_commander)
    same = send(client, case, "correct", **typed | {"reason": "Nothing."})
    assert same.status_code == 422
    assert "Nothing is different." in same.content.decode()
    assert send(client, case, "correct", **typed | {"injured": 2, "reason": "Two were hurt."}).status_code == 302
    case.refresh_from_db()
    assert case.injured == 2
    last = Entry.objects.filter(incident=case).latest("pk")
    assert set(last.after) & {"occurred_at", "place", "category", "killed"} == set()


def test_several_files_are_added_and_the_wrong_one_is_named(cast: Cast, signed_in: Any, case: Incident) -> None:
    files = [
        SimpleUploadedFile("note.txt", b"Two men on one motorbike."),
        SimpleUploadedFile("program.exe", b"MZ\x00\x01"),
        SimpleUploadedFile("second.txt", b"They left towards the bridge."),
    ]
    client = signed_in(cast.officer)
    answer = send(client, case, "attach", files=files)
    assert answer.status_code == 302
    assert sorted(case.attachments.values_list("name", flat=True)) == ["note.txt", "second.txt"]
    page = client.get(answer["Location"]).content.decode()
    assert "2 files are added." in page
    assert "program.exe" in page


def test_a_case_is_joined_by_the_number_of_one_that_is_visible(
    cast: Cast, case: Incident, make_incident: Callable[..., Incident], moment: dt.datetime
) -> None:
    other = make_incident(now=moment)

    def form(text: str) -> ActForm:
        return ActForm(Act.MERGE, case, cast.duty_commander, moment, {"version": case.version, "survivor": text})

    good = form(f" {other.reference.lower()} ")
    assert good.is_valid()
    assert good.data_for_act() == {"survivor": other.pk}
    assert not form("CC27-99-999999").is_valid()
    assert not form(case.reference).is_valid()
    assert other in form("").candidates


def test_somebody_not_in_the_list_is_sent_by_naming_them_and_the_page_says_so_before(
    cast: Cast, signed_in: Any, make_incident: Callable[..., Incident], moment: dt.datetime
) -> None:
    client, case = signed_in(cast.duty_commander), make_incident(now=moment)
    send(client, case, "acknowledge", concerned="no")
    page = client.get(address(case), {"act": "assign"}).content.decode()
    assert "Somebody not in this list" in page and "write in the note who is sent" in page
    assert ">Nobody<" not in page
    assert send(client, case, "assign", assignee="", note="").status_code == 422
    assert send(client, case, "assign", assignee="", note="The commune post.").status_code == 302


def test_the_button_for_containing_is_an_act_and_no_state() -> None:
    assert str(ASKS[Act.CONTAIN].verb) == "Mark contained"
