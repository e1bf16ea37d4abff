"""S9: a police escort joins a convoy in party shirts. The province it is about tries every door and learns nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from commands.models import Posting, SecurityCommand, User
from incidents import duplicates
from incidents.choices import Act
from incidents.escalation import engine
from incidents.models import Incident, Notice
from tests.cast import DEMO_COMMUNE, DEMO_PROVINCE, PHNOM_PENH, POSTED_AT
from tests.journeys.day import API, Day

pytestmark = pytest.mark.django_db
T0 = dt.datetime(2027, 5, 30, 8, 30, tzinfo=PHNOM_PENH)
WORDS = "Members of an escort wore party shirts and marched along."
#: All of the provincial unit the report is about, and what stands under it.
CONCERNED = ("demo_provincial", "demo_duty", "demo_second_duty", "demo_officer")
#: The ladder and the NEC's secretariat: a sealed case is for the desks alone.
BESIDE = ("psc", "nec", "ministry", "auditor", "administrator", "provincial", "duty_commander")


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def post_at(code: str, name: str, role: str = "integrity") -> User:
    """A person of that name in the cast, posted there; made where there is none yet."""
    person, made = User.objects.get_or_create(username=f"cast-{name.replace('_', '-')}", defaults={"language": "en"})
    if made:
        person.set_unusable_password()
        person.save()
    Posting.objects.create(
        user=person, role=role, command=SecurityCommand.objects.get(code=code), starts_at=POSTED_AT,
        conduct_accepted_at=POSTED_AT,
    )  # fmt: skip
    return person


def filed(day: Day) -> Incident:
    day.cast.__dict__["desk"] = post_at("PSC-ID", "desk")
    return day.report(
        "demo_liaison", category="NEU-01", place=DEMO_COMMUNE, narrative=WORDS,
        concerned=[DEMO_PROVINCE], actor_type="police",
    )  # fmt: skip


def everything(day: Day, name: str, signed_in: Callable[..., Client]) -> str:
    """Every list, count, map and page this person gets, as one text without the time of asking."""
    api = ["incidents/", "incidents/?state=all", "incidents.geojson", "map/areas", "measures/"]
    api += ["map/points?bbox=100,8,108,16&zoom=9", f"incidents/?q={WORDS.split()[0]}", "incidents/?state=late"]
    api += ["reports/weekly?week=2027-W21&election=CC27"]
    bodies = [_timeless(_body(day.get(name, path))) for path in api]
    browser = signed_in(getattr(day.cast, name))
    inbox = sorted(Notice.objects.filter(recipient=getattr(day.cast, name)).values_list("pk", flat=True))
    page = browser.get(reverse("incidents:list"))
    listed = sorted(str(row.incident.pk) for row in page.context["page"].rows) if page.status_code == 200 else []
    return json.dumps([bodies, inbox, page.status_code, listed], sort_keys=True)


def _body(answer: Any) -> Any:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return [answer.status_code, json.loads(content)]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: _timeless(v)
            for k, v in value.items()
            if k not in ("as_of", "generated_at", "until", "from", "export_mark", "made_at")
        }
    return [_timeless(v) for v in value] if isinstance(value, list) else value


def test_the_desk_of_the_psc_has_it_and_the_province_learns_nothing_by_any_door(
    day: Callable[[dt.datetime], Day], signed_in: Callable[..., Client]
) -> None:
    morning = day(T0)
    morning.report("demo_officer", category="CRM-06", place=DEMO_COMMUNE, narrative="A bicycle was taken.")
    before = {name: everything(morning, name, signed_in) for name in CONCERNED}
    case = filed(morning)
    assert morning.owner(case) == "PSC-ID"
    assert morning.told(case) == {"desk", "nec_integrity"}
    for name in CONCERNED:
        assert everything(morning, name, signed_in) == before[name], name

    # The week after counts it by who acted, for those who may know that there are such cases, without a place.
    morning.until(24 * 60, every=60)
    made = {name: morning.weekly(name, weeks_ago=1) for name in ("nec", "ministry", "auditor")}
    for found in made.values():
        conduct = {row["who_acted"]: row["value"] for row in found["conduct"]}
        assert conduct == {"police": 1, "gendarmerie": 0, "armed_forces": 0, "civil_authority": 0, "others": 0}
        assert sum(place["reported"]["value"] for place in found["provinces"]) == 1, "the bicycle alone has a place"
        assert found["escalation"]["handed_over"]["value"] == 1, "and it alone went up the ladder"
    for name in (*CONCERNED, "psc", "provincial", "duty_commander"):
        answer = morning.get(name, "reports/weekly?week=2027-W21&election=CC27")
        assert answer.status_code == 404 or "conduct" not in answer.json(), name

    doors = ["", "timeline/", "attachments/"]
    for name in (*CONCERNED, *BESIDE):
        for path in doors:
            assert morning.get(name, f"incidents/{case.pk}/{path}").status_code == 404, (name, path)
        browser = signed_in(getattr(morning.cast, name))
        assert browser.get(case.get_absolute_url()).status_code == 404
        for act in Act:
            form = browser.get(reverse("incidents:acts", args=[case.pk]), {"act": act.value})
            assert form.status_code == 404, (name, act)


#: What somebody of the province might do who has got hold of the case's address: act, and what it asks.
BREAKING: tuple[tuple[Act, dict[str, Any]], ...] = (
    (Act.ACKNOWLEDGE, {}),
    (Act.UPDATE, {"note": "We look into it."}),
    (Act.ESCALATE, {"reason": "For us."}),
    (Act.HAND_BACK, {"reason": "It is ours."}),
    (Act.LOWER_SEVERITY, {"severity": "low", "reason": "It is nothing."}),
    (Act.SNOOZE, {"until": (T0 + dt.timedelta(hours=5)).isoformat(), "reason": "Later."}),
    (Act.WAKE, {}),
    (Act.REFER, {"body": "court", "sent_at": T0.isoformat()}),
    (Act.CONCLUDE_REFERRAL, {"referral": 1, "outcome": "no_offence"}),
    (Act.VERIFY, {"verification": "refuted"}),
    (Act.DISMISS, {"dismiss_reason": "lawful", "reason": "It is nothing."}),
    (Act.WITHDRAW, {"reason": "It is nothing."}),
    (Act.COUNTERSIGN, {}),
    (Act.DECLINE, {"reason": "No."}),
    (Act.CLOSE, {}),
    (Act.CORRECT, {"fields": {"injured": 0}, "reason": "It is nothing."}),
)


def test_every_attempt_of_the_province_is_answered_as_if_there_were_no_such_case(
    day: Callable[[dt.datetime], Day],
) -> None:
    morning = day(T0)
    case = filed(morning)
    version = case.version
    for name in (*CONCERNED, "psc", "nec"):
        for act, content in BREAKING:
            there, nowhere = (_attempt(morning, name, act, key, content) for key in (case.pk, uuid.uuid4()))
            assert there.status_code == 404, (name, act)
            assert _told(there) == _told(nowhere), (name, act)
    # To join a case of one's own to it, by its key: the same words as for a key that is nobody's.
    own = morning.report("demo_officer", category="ORD-01", place=DEMO_COMMUNE, narrative="A convoy passed the market.")
    answers = [morning.try_to("demo_provincial", Act.MERGE, own, survivor=str(key)) for key in (case.pk, uuid.uuid4())]
    assert answers[0].status_code == answers[1].status_code, answers[0].content
    assert _told(answers[0]) == _told(answers[1])
    case.refresh_from_db()
    assert case.version == version, "nothing was written"


def _attempt(day: Day, name: str, act: Act, key: uuid.UUID, content: dict[str, Any]) -> Any:
    body = {"act": act.value, "version": 1, **content}
    return day.client(name).post(f"{API}incidents/{key}/acts/", body, content_type="application/json")


def _told(answer: Any) -> dict[str, Any]:
    return {k: v for k, v in answer.json().items() if k != "instance"}


def test_who_serves_there_stays_out_though_posted_to_the_desk_as_well(
    day: Callable[[dt.datetime], Day], signed_in: Callable[..., Client]
) -> None:
    morning = day(T0)
    post_at("PSC-ID", "demo_provincial")
    case = filed(morning)
    assert "demo_provincial" not in morning.told(case)
    assert morning.get("demo_provincial", f"incidents/{case.pk}/").status_code == 404
    engine.tick(morning.at(60 * 24 * 30), "test")
    assert "demo_provincial" not in morning.told(case)
    assert signed_in(morning.cast.demo_provincial).get(case.get_absolute_url()).status_code == 404


def test_a_later_report_of_the_same_event_is_offered_nothing(day: Callable[[dt.datetime], Day]) -> None:
    morning = day(T0)
    case = filed(morning)
    for name in ("demo_officer", "demo_provincial", "demo_liaison", "desk"):
        person = getattr(morning.cast, name)
        for group in ("NEU", "ORD", "CAM", "UNK"):
            near = duplicates.candidates(person, group=group, place=DEMO_COMMUNE, occurred_at=case.occurred_at)
            assert case.pk not in {found.pk for found in near}


def test_from_the_video_to_the_end_it_is_the_desks_and_the_nec_s(day: Callable[[dt.datetime], Day]) -> None:
    morning = day(T0)
    case = filed(morning)
    photo = _photo_with_a_place()
    answer = morning.client("demo_liaison").post(
        f"{API}incidents/{case.pk}/attachments/",
        {"file": SimpleUploadedFile("convoy.jpg", photo, content_type="image/jpeg"), "version": case.version},
    )
    assert answer.status_code == 201, answer.content
    kept = case.attachments.get()
    assert kept.sha256 == hashlib.sha256(photo).hexdigest()
    with kept.derived.open() as copy:
        assert not Image.open(copy).getexif(), "others see it without its place"

    morning.until(20)
    # Whoever is concerned leaves it to somebody else.
    refused = morning.try_to("desk", Act.ACKNOWLEDGE, case, not_concerned=False)
    assert refused.status_code == 409
    morning.do("desk", Act.ACKNOWLEDGE, case)
    morning.until(100)
    morning.do("desk", Act.UPDATE, case, note="The picture was compared with the duty list.")
    morning.until(1000, every=20)
    assert morning.try_to("desk", Act.CLASSIFY, case, classification="electoral").status_code == 403
    assert morning.try_to("desk", Act.SNOOZE, case, until=morning.at(1200).isoformat(), reason="-").status_code == 403
    morning.do("desk", Act.CONTAIN, case, note="The escort was relieved.")
    morning.until(1440, every=20)
    morning.do("nec_integrity", Act.CLASSIFY, case, classification="electoral")
    sent = morning.now.isoformat()
    morning.do("desk", Act.REFER, case, body="inspectorate", document="7/27", sent_at=sent)
    morning.do("desk", Act.RESOLVE, case, outcome="referred_pending", verification="verified")
    assert morning.try_to("desk", Act.CLOSE, case).status_code == 403, "the desk does not close it alone"
    waits = morning.try_to("nec_integrity", Act.CLOSE, case)
    assert waits.status_code == 409
    assert "Inspectorate (7/27)" in waits.json()["detail"]
    morning.until(3000, every=60)
    morning.do("desk", Act.CONCLUDE_REFERRAL, case, referral=1, outcome="concluded")
    morning.do("nec_integrity", Act.CLOSE, case)
    assert (case.state, case.outcome) == ("closed", "referred_concluded")
    assert morning.told(case) <= {"desk", "nec_integrity", "demo_liaison"}


def _photo_with_a_place() -> bytes:
    picture, out = Image.new("RGB", (60, 40), "teal"), io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "A phone"
    exif.get_ifd(0x8825)[1] = "N"
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()
