"""Logging an incident on the page: sent once whatever the line does, nothing lost, the right case."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from incidents.models import Attachment, Incident
from tests.cast import COMMUNE, DEMO_COMMUNE, DISTRICT, NOW, TAKEO

LOG = "/incidents/new/"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8d"
    "b00000000049454e44ae426082"
)


@pytest.fixture
def at_now(monkeypatch: pytest.MonkeyPatch) -> dt.datetime:
    """The door reads the clock; here it stands still."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    return NOW


@pytest.fixture
def typed() -> dict[str, Any]:
    """A theft in the cast's commune, now."""
    return {
        "step": "send",
        "id": str(uuid.uuid4()),
        "category": "CRM-06",
        "when": "now",
        "province": TAKEO,
        "district": DISTRICT,
        "commune": COMMUNE,
        "narrative": "A motorbike was taken from the market while its owner bought rice.",
    }


def test_an_officer_logs_a_theft(cast: Any, signed_in: Any, typed: dict[str, Any], at_now: dt.datetime) -> None:
    client = signed_in(cast.officer)
    answer = client.post(LOG, typed)
    case = Incident.objects.get()
    assert answer.status_code == 302, answer.content.decode()
    assert answer.headers["Location"] == reverse("incidents:detail", args=[case.pk])
    assert str(case.pk) == typed["id"]
    assert (case.category_id, case.severity, case.place_id) == ("CRM-06", "low", COMMUNE)
    assert (case.reporter, case.occurred_at, case.channel) == (cast.officer, NOW, "browser")
    assert case.reference in client.get(answer.headers["Location"]).content.decode()


def test_the_new_form_brings_its_own_id_and_never_the_same_twice(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    ids = {client.get(LOG).context["form"].typed("id") for _ in range(2)}
    assert len(ids) == 2
    assert {uuid.UUID(one).version for one in ids} == {7}


def test_a_second_press_leads_to_the_same_case(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    client = signed_in(cast.officer)
    first = client.post(LOG, typed)
    second = client.post(LOG, typed | {"category": "CRM-07"}, follow=True)
    assert Incident.objects.count() == 1
    assert second.redirect_chain[0][0] == first.headers["Location"]
    assert "We have this report already" in second.content.decode()


def test_other_words_on_a_page_that_was_sent_are_not_lost(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    """The back button, then another incident typed over the old one."""
    client = signed_in(cast.officer)
    client.post(LOG, typed)
    other = typed | {"narrative": "A house near the market burns, people carry water."}
    asked = client.post(LOG, other)
    assert asked.status_code == 409
    assert Incident.objects.get().reference in asked.content.decode()
    assert other["narrative"] in asked.content.decode()
    fresh = asked.context["form"].typed("id")
    assert fresh != typed["id"]
    assert client.post(LOG, other | {"id": fresh}).status_code == 302
    assert Incident.objects.count() == 2


def test_the_same_words_under_a_new_id_are_the_same_report(
    cast: Any, signed_in: Any, typed: dict[str, Any], at_now: dt.datetime
) -> None:
    """The back button on a phone that loads the page anew and fills the old words in."""
    client = signed_in(cast.officer)
    client.post(LOG, typed)
    again = client.post(LOG, typed | {"id": str(uuid.uuid4())}, follow=True)
    assert Incident.objects.count() == 1
    assert "We have this report already" in again.content.decode()
    # Of another commune, or by somebody else, it is another report.
    client.post(LOG, typed | {"id": str(uuid.uuid4()), "commune": "KH210802"})
    signed_in(cast.duty_commander).post(LOG, typed | {"id": str(uuid.uuid4())})
    assert Incident.objects.count() == 3


@pytest.mark.parametrize(
    "other",
    [
        {"severity": "critical"},
        {"killed": "2"},
        {"when": "other", "date": "2027-05-24", "time": "21:05"},
        {"concerns": "command", "concerned": "KH2108"},
    ],
)
def test_the_same_words_with_other_facts_are_another_report(
    cast: Any, signed_in: Any, typed: dict[str, Any], at_now: dt.datetime, other: dict[str, str]
) -> None:
    """A crowd in the same words, and now with two dead: nothing of it may be lost in the first report."""
    client = signed_in(cast.officer)
    client.post(LOG, typed)
    answer = client.post(LOG, typed | other | {"id": str(uuid.uuid4())})
    assert answer.status_code == 302, answer.context["form"].errors
    assert Incident.objects.count() == 2


def test_an_id_of_somebody_else_is_refused_without_a_word_about_the_case(
    cast: Any, signed_in: Any, typed: dict[str, Any], make_incident: Any
) -> None:
    other = make_incident(by=cast.demo_officer, place=DEMO_COMMUNE)
    answer = signed_in(cast.officer).post(LOG, typed | {"id": str(other.pk)})
    assert answer.status_code == 422
    assert other.reference not in answer.content.decode()
    assert Incident.objects.count() == 1


def test_a_refused_form_keeps_every_word(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    given = typed | {
        "category": "", "narrative": "បាត់ម៉ូតូ​មួយ <b>&", "title": "Market «A»", "place_note": "By the well",
        "injured": "3", "actor_type": "citizen", "when": "other", "date": "2027-05-24", "time": "21:05", "lat": "10.99",
        "lon": "104.78", "concerns": "command",
    }  # fmt: skip
    answer = signed_in(cast.officer).post(LOG, given)
    assert answer.status_code == 422
    form = answer.context["form"]
    for name, value in given.items():
        if name != "step":
            assert form.typed(name) == value, name
    page = answer.content.decode()
    assert "បាត់ម៉ូតូ​មួយ &lt;b&gt;&amp;" in page
    assert 'value="21:05"' in page
    assert "Nothing is lost" in page


def test_checking_writes_nothing_and_keeps_everything(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    answer = signed_in(cast.officer).post(LOG, typed | {"step": "check"})
    assert answer.status_code == 200
    assert not Incident.objects.exists()
    page = answer.content.decode()
    assert "Who will own this" in page
    assert cast.command("duty_commander").name in page
    assert typed["narrative"] in page
    assert answer.context["form"].typed("id") == typed["id"]


def test_places_are_chosen_press_by_press(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    """A provincial person without a script: district, press, commune, press, village."""
    client = signed_in(cast.provincial)
    first = client.post(LOG, typed | {"step": "places", "commune": "", "narrative": "half a sent"})
    steps = {str(s.level): s for s in first.context["form"].steps}
    assert steps["province"].is_fixed
    assert not steps["district"].is_fixed
    assert COMMUNE in [p.pcode for p in steps["commune"].options]
    assert not steps["village"].options
    assert "half a sent" in first.content.decode()
    assert not first.context["form"].errors
    second = client.post(LOG, typed | {"step": "places"})
    steps = {str(s.level): s for s in second.context["form"].steps}
    assert steps["commune"].value == COMMUNE
    assert steps["village"].options
    # Another district chosen: the commune of the old one is forgotten, its own communes are offered.
    third = client.post(LOG, typed | {"step": "places", "district": "KH2109"})
    steps = {str(s.level): s for s in third.context["form"].steps}
    assert (steps["district"].value, steps["commune"].value) == ("KH2109", "")
    assert all(p.pcode.startswith("KH2109") for p in steps["commune"].options)


@pytest.mark.parametrize(
    ("who", "fixed"),
    [
        ("officer", ["province", "district"]),
        ("provincial", ["province"]),
        ("psc", []),
        ("nec", []),
        ("liaison", []),
        ("demo_officer", ["province", "district"]),
    ],
)
def test_what_the_posting_fixes_is_shown_and_not_to_be_changed(
    cast: Any, signed_in: Any, who: str, fixed: list[str]
) -> None:
    answer = signed_in(getattr(cast, who)).get(LOG)
    assert [str(s.level) for s in answer.context["form"].steps if s.is_fixed][: len(fixed)] == fixed
    assert answer.content.decode().count("data-fixed") >= len(fixed)


def test_who_does_not_report_is_told_so(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    for name in ("auditor", "ministry", "administrator", "relieved"):
        client = signed_in(getattr(cast, name))
        assert client.get(LOG).status_code == 403, "told before anything is typed"
        answer = client.post(LOG, typed)
        assert answer.status_code in (403, 422), name
        assert "Ask your administrator" in answer.content.decode(), name
    assert not Incident.objects.exists()


def test_a_refused_file_does_not_hold_the_report_up(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    files = [
        SimpleUploadedFile("scene.png", PNG, content_type="image/png"),
        SimpleUploadedFile("tool.png", b"MZ\x90\x00 this is a program", content_type="image/png"),
        SimpleUploadedFile("empty.jpg", b"", content_type="image/jpeg"),
    ]
    answer = signed_in(cast.officer).post(LOG, typed | {"files": files}, follow=True)
    assert Incident.objects.count() == 1
    assert [a.name for a in Attachment.objects.all()] == ["scene.png"]
    page = answer.content.decode()
    assert "tool.png" in page
    assert "empty.jpg" in page
    assert "The report is sent" in page


def test_more_files_than_fit_are_named(cast: Any, signed_in: Any, typed: dict[str, Any], settings: Any) -> None:
    settings.ATTACHMENT_MAX_FILES = 1
    files = [SimpleUploadedFile(f"{n}.txt", f"Note {n}".encode()) for n in (1, 2)]
    answer = signed_in(cast.officer).post(LOG, typed | {"files": files}, follow=True)
    assert Attachment.objects.count() == 1
    assert "2.txt" in answer.content.decode()


def test_the_script_gets_errors_by_field_and_where_to_go(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    client, headers = signed_in(cast.officer), {"accept": "application/json"}
    wrong = client.post(LOG, typed | {"narrative": "short"}, headers=headers)
    assert wrong.status_code == 422
    assert list(wrong.json()["errors"]) == ["narrative"]
    right = client.post(LOG, typed, headers=headers).json()
    assert right["url"] == reverse("incidents:detail", args=[right["id"]])
    again = client.post(LOG, typed, headers=headers).json()
    assert again == right


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ({"when": "now"}, NOW),
        ({"when": "now", "date": "1999-01-01", "time": "99:99"}, NOW),
        ({"when": "today", "time": "07:10"}, NOW.replace(hour=7, minute=10)),
        ({"when": "today", "time": "០៧:១០", "date": "2027-01-01"}, NOW.replace(hour=7, minute=10)),
        ({"when": "other", "date": "2027-05-24", "time": "23:59"}, NOW.replace(day=24, hour=23, minute=59)),
        ({"when": "other", "date": "24/05/2027", "time": "23:59"}, NOW.replace(day=24, hour=23, minute=59)),
        ({"when": "other", "date": "2027-05-24", "time": "", "time_precision": "day"}, NOW.replace(day=24, hour=12)),
        ({"when": "other", "date": "2027-05-25", "time": "", "time_precision": "day"}, NOW),
    ],
)
def test_when_it_happened(
    cast: Any, signed_in: Any, typed: dict[str, Any], at_now: dt.datetime, given: dict[str, str], moment: dt.datetime
) -> None:
    answer = signed_in(cast.officer).post(LOG, typed | given, headers={"accept": "application/json"})
    if given["when"] == "now" and "time" in given:
        # What stands in a field that is not asked for does not hinder.
        assert answer.status_code in (200, 422)
        if answer.status_code == 422:
            pytest.fail(answer.content.decode())
    assert answer.status_code == 200, answer.content
    assert Incident.objects.get().occurred_at == moment


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (NOW - dt.timedelta(hours=5), True),
        (NOW - dt.timedelta(days=8), False),
        (NOW + dt.timedelta(hours=1), False),
        ("yesterday", False),
    ],
)
def test_a_report_that_waited_on_the_phone_keeps_its_moment(
    cast: Any, signed_in: Any, typed: dict[str, Any], at_now: dt.datetime, written: Any, kept: bool
) -> None:
    text = written.isoformat() if isinstance(written, dt.datetime) else written
    signed_in(cast.officer).post(LOG, typed | {"written_at": text})
    assert Incident.objects.get().occurred_at == (written if kept else NOW)


def test_a_time_before_the_election_is_asked_once(
    cast: Any, signed_in: Any, typed: dict[str, Any], at_now: dt.datetime
) -> None:
    client = signed_in(cast.officer)
    long_ago = typed | {"when": "other", "date": "2020-02-02", "time": "10:00"}
    asked = client.post(LOG, long_ago)
    assert asked.status_code == 422
    assert asked.context["form"].asks_early
    assert "before the election began" in asked.content.decode()
    assert client.post(LOG, long_ago | {"confirmed_early": "1"}).status_code == 302
    assert Incident.objects.get().occurred_at.year == 2020


def test_numbers_that_name_a_person_are_asked_once(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    client = signed_in(cast.officer)
    named = typed | {"narrative": "The man who saw it can be called at 012 345 678 in the evening."}
    asked = client.post(LOG, named)
    assert asked.status_code == 422
    assert "«012 345 678» looks like a phone or ID number" in asked.content.decode()
    assert client.post(LOG, named | {"confirmed_writing": "1"}).status_code == 302


def test_the_severity_follows_the_category_until_somebody_chooses(
    cast: Any, signed_in: Any, typed: dict[str, Any]
) -> None:
    client = signed_in(cast.officer)
    client.post(LOG, typed | {"severity": "high"})
    assert Incident.objects.get().severity == "high"


def test_alleged_incitement_is_not_rated_by_anybody(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    signed_in(cast.officer).post(LOG, typed | {"category": "INF-01", "severity": "critical"})
    assert Incident.objects.get().severity == "unrated"


def test_not_sure_is_an_answer(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    signed_in(cast.officer).post(LOG, typed | {"category": "UNK-00"})
    assert (Incident.objects.get().category_id, Incident.objects.get().severity) == ("UNK-00", "medium")


def test_a_report_about_the_own_unit_ends_with_a_receipt(cast: Any, signed_in: Any, typed: dict[str, Any]) -> None:
    """In the fictional province: the unit concerned is the officer's own, so the officer sees no case afterwards."""
    client = signed_in(cast.demo_officer)
    unit = cast.command("demo_duty").code
    given = typed | {
        "province": DEMO_COMMUNE[:4], "district": DEMO_COMMUNE[:6], "commune": DEMO_COMMUNE, "category": "INT-01",
        "concerns": "command", "concerned": [unit],
    }  # fmt: skip
    answer = client.post(LOG, given, follow=True)
    case = Incident.objects.get()
    assert case.is_sealed
    assert answer.redirect_chain[0][0] == reverse("incidents:receipt")
    assert case.reference in answer.content.decode()
    assert str(case.pk) not in answer.content.decode()
    assert client.get(case.get_absolute_url()).status_code == 404
    # Sent again by the phone that missed the answer: the same receipt, no second case.
    again = client.post(LOG, given, follow=True)
    assert Incident.objects.count() == 1
    assert case.reference in again.content.decode()


def test_a_receipt_is_only_for_who_got_one(cast: Any, signed_in: Any) -> None:
    assert signed_in(cast.officer).get(reverse("incidents:receipt")).status_code == 302


def test_somebody_else_on_the_same_phone_finds_no_receipt(cast: Any, signed_in: Any) -> None:
    client = signed_in(cast.officer)
    session = client.session
    session["receipt"] = {"reference": "CC27-X-000001", "at": NOW.isoformat()}
    session.save()
    client.logout()
    client.force_login(cast.duty_commander, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("incidents:receipt")).status_code == 302


@pytest.mark.parametrize("language", ["en", "km"])
def test_the_page_works_without_a_script(cast: Any, signed_in: Any, language: str) -> None:
    page = signed_in(cast.officer, language=language).get(LOG).content.decode()
    assert page.count('name="category"') >= 36
    assert 'value="check"' in page
    assert 'value="places"' in page
    assert "<script>" not in page
    assert 'style="' not in page


def test_categories_of_the_phase_come_first(cast: Any, signed_in: Any, at_now: dt.datetime) -> None:
    groups = signed_in(cast.officer).get(LOG).context["form"].groups
    in_campaign = next(g for g in groups if g.code == "CAM")
    assert in_campaign.choices[0].is_of_phase
    kinds = [any(c.is_of_phase for c in g.choices) for g in groups]
    assert kinds == sorted(kinds, reverse=True)
