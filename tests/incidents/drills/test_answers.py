"""Answers in a drill: by people of the command, by the link of their message, by an operator who heard them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import translation

from commands.models import Delegation, Posting
from incidents import drills
from incidents.choices import Channel
from incidents.delivery import drills as texts
from incidents.delivery import messages
from incidents.drill_results import Cell, Standing
from incidents.escalation import rehearsal
from incidents.models import Entry, Notice
from tests.cast import NOW, Cast
from tests.incidents.drills.stage import MINUTES, at, call_of, called, hold, relieve

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(at(2), tick=False):
        yield


def test_an_answer_is_kept_with_person_moment_and_door(cast: Cast) -> None:
    drill = hold("KH2108")
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(3))
    call = call_of(drill, "KH2108")
    assert (call.answered_at, call.answered_by, call.channel) == (at(3), cast.duty_commander, "browser")
    entry = Entry.objects.get(act="drill", after__what="answered")
    assert (entry.by, entry.command, entry.incident) == (cast.duty_commander, cast.command("duty_commander"), None)


@pytest.mark.parametrize("person", ["officer", "relieved", "neighbour", "provincial", "psc", "nec", "auditor"])
def test_nobody_else_answers_for_a_command(person: str, cast: Cast) -> None:
    drill = hold("KH2108")
    with pytest.raises(PermissionDenied):
        drills.answer(call_of(drill, "KH2108"), by=getattr(cast, person), now=at(3))
    assert call_of(drill, "KH2108").answered_at is None


def test_who_acts_for_a_command_is_called_and_answers_for_it(cast: Cast) -> None:
    relieve("KH2108")
    with time_machine.travel(at(0), tick=False):
        Delegation.objects.create(
            command=cast.command("officer"), acting=cast.command("neighbour"), starts_at=at(-60), ends_at=at(600),
            reason="Flood", made_by=cast.provincial, made_at=at(-60),
        )  # fmt: skip
        drill = hold("KH2108")
        assert call_of(drill, "KH2108").people == 1
        drills.answer(call_of(drill, "KH2108"), by=cast.neighbour, now=at(1))
    assert call_of(drill, "KH2108").answered_by == cast.neighbour


def test_the_same_call_is_answered_once(cast: Cast) -> None:
    drill = hold("KH2108")
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(3))
    with pytest.raises(ValidationError, match="has answered already"):
        drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(4))
    assert call_of(drill, "KH2108").answered_at == at(3)
    assert Entry.objects.filter(act="drill", after__what="answered").count() == 1


def test_before_its_turn_a_command_cannot_answer(cast: Cast) -> None:
    drill = hold("KH2108")
    with pytest.raises(ValidationError, match="not called yet"):
        drills.answer(call_of(drill, "KH21"), by=cast.provincial, now=at(3))


def test_a_late_answer_counts_and_holds_up_nobody(cast: Cast) -> None:
    drill = hold("KH2108")
    rehearsal.advance(at(MINUTES))
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(MINUTES + 2))
    assert call_of(drill, "KH2108").answered_at == at(MINUTES + 2)
    assert called(drill)["KH21"] == at(MINUTES)


def test_after_the_end_nothing_is_answered(cast: Cast) -> None:
    drill = hold("KH2108")
    drills.cancel(drill, by=cast.psc, now=at(1))
    with pytest.raises(ValidationError, match="is over"):
        drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(3))


# ---- By an operator ----


@pytest.mark.parametrize("operator", ["duty_commander", "provincial", "psc", "nec"])
def test_what_was_heard_by_radio_is_entered_with_both_names(operator: str, cast: Cast) -> None:
    drill = hold("KH2108")
    by = getattr(cast, operator)
    drills.answer_for(call_of(drill, "KH2108"), cast.duty_commander, by=by, now=at(3), channel=Channel.RADIO)
    assert Cell(call_of(drill, "KH2108"), Standing.ANSWERED, None).heard == "radio"
    call = call_of(drill, "KH2108")
    assert (call.answered_by, call.channel) == (cast.duty_commander, "radio")
    entry = Entry.objects.get(act="drill", after__what="answered")
    assert (entry.by, entry.channel) == (by, "radio")
    assert entry.after.get("on_behalf_of") == (None if by == cast.duty_commander else cast.duty_commander.username)


def test_whose_answer_somebody_else_entered_reads_by_whom(
    cast: Cast, clock: None, signed_in: Callable[..., Client]
) -> None:
    drill = hold("KH2108")
    drills.answer_for(call_of(drill, "KH2108"), cast.duty_commander, by=cast.provincial, now=at(2), channel="phone")
    told = Notice.objects.filter(entry__after__what="answered")
    assert [(n.recipient, n.channel) for n in told] == [(cast.duty_commander, "inbox")]
    page = signed_in(cast.duty_commander).get(reverse("incidents:inbox")).content.decode()
    assert f"{texts.MARK}: {cast.provincial.username} entered in your name that" in page
    assert "Heard by: phone to desk." in page and "If you did not say so, tell your command." in page


def test_nobody_is_told_of_an_answer_they_gave_themselves(cast: Cast) -> None:
    drill = hold("KH2108")
    call = call_of(drill, "KH2108")
    drills.answer_for(call, cast.duty_commander, by=cast.duty_commander, now=at(2), channel="phone")
    assert not Notice.objects.filter(entry__after__what="answered").exists()


@pytest.mark.parametrize("operator", ["officer", "neighbour", "other_province", "auditor", "ministry", "liaison"])
def test_who_stands_beside_the_command_enters_nothing(operator: str, cast: Cast) -> None:
    drill = hold("KH2108")
    with pytest.raises(PermissionDenied):
        drills.answer_for(
            call_of(drill, "KH2108"), cast.duty_commander, by=getattr(cast, operator), now=at(3), channel="radio"
        )


@pytest.mark.parametrize(
    ("person", "channel"), [("neighbour", "radio"), ("relieved", "radio"), ("duty_commander", "api")]
)
def test_a_name_or_a_way_that_cannot_be_is_refused_at_its_field(person: str, channel: str, cast: Cast) -> None:
    drill = hold("KH2108")
    with pytest.raises(ValidationError) as refused:
        drills.answer_for(call_of(drill, "KH2108"), getattr(cast, person), by=cast.psc, now=at(3), channel=channel)
    assert set(refused.value.message_dict) == {"channel" if channel == "api" else "person"}
    assert call_of(drill, "KH2108").answered_at is None


def test_the_operators_page_keeps_what_was_chosen_and_records_it(cast: Cast, clock: None, signed_in: Any) -> None:
    drill = hold("KH2108")
    url = reverse("escalation:drill_heard", args=[call_of(drill, "KH2108").pk])
    client: Client = signed_in(cast.psc)
    refused = client.post(url, {"person": "", "channel": "phone"})
    assert refused.status_code == 422 and "Say who answered." in refused.content.decode()
    assert re.search(r'<input[^>]*value="phone"[^>]*checked', refused.content.decode())
    client.post(url, {"person": cast.duty_commander.pk, "channel": "phone"})
    assert call_of(drill, "KH2108").channel == "phone"


# ---- By the link of a message, and from the notices ----


def link_of(drill: Any, code: str, person: Any) -> str:
    return texts.answer_path(call_of(drill, code).pk, person.pk)


def test_the_link_shows_a_button_and_only_the_button_answers(cast: Cast, clock: None, client: Client) -> None:
    drill = hold("KH2108")
    url = link_of(drill, "KH2108", cast.duty_commander)
    page = client.get(url)
    assert page.status_code == 200 and "I am here" in page.content.decode()
    assert call_of(drill, "KH2108").answered_at is None
    assert "your answer is recorded" in client.post(url).content.decode()
    call = call_of(drill, "KH2108")
    assert (call.answered_by, call.channel) == (cast.duty_commander, "link")
    assert "has answered already" in client.get(url).content.decode()


@pytest.mark.parametrize("other", ["neighbour", "provincial", "psc"])
def test_a_link_is_refused_while_somebody_else_is_signed_in(
    other: str, cast: Cast, clock: None, signed_in: Callable[..., Client]
) -> None:
    drill = hold("KH2108")
    url = link_of(drill, "KH2108", cast.duty_commander)
    client = signed_in(getattr(cast, other))
    for page in (client.get(url), client.post(url)):
        assert page.status_code == 403 and "This link was sent to somebody else" in page.content.decode()
        assert "I am here" not in page.content.decode()
    assert call_of(drill, "KH2108").answered_at is None
    signed_in(cast.duty_commander).post(url)
    assert call_of(drill, "KH2108").answered_by == cast.duty_commander


def test_the_page_of_a_link_is_kept_nowhere_and_named_to_nobody(cast: Cast, clock: None, client: Client) -> None:
    page = client.get(link_of(hold("KH2108"), "KH2108", cast.duty_commander))
    assert page["Referrer-Policy"] == "same-origin" and "no-store" in page["Cache-Control"]


def test_a_link_of_somebody_who_was_moved_answers_nothing(cast: Cast, clock: None, client: Client) -> None:
    drill = hold("KH2108")
    url = link_of(drill, "KH2108", cast.duty_commander)
    Posting.objects.filter(user=cast.duty_commander).update(ends_at=NOW)
    for page in (client.get(url), client.post(url)):
        assert "Only people of" in page.content.decode()
    assert call_of(drill, "KH2108").answered_at is None


def test_a_link_of_a_person_who_left_is_not_there(cast: Cast, clock: None, client: Client) -> None:
    drill = hold("KH2108")
    url = link_of(drill, "KH2108", cast.duty_commander)
    type(cast.duty_commander).objects.filter(pk=cast.duty_commander.pk).update(is_active=False)
    assert client.post(url).status_code == 404
    assert call_of(drill, "KH2108").answered_at is None


@pytest.mark.parametrize("change", ["forged", "old", "over"])
def test_a_link_that_is_not_good_says_so(change: str, cast: Cast, client: Client) -> None:
    drill = hold("KH2108")
    with time_machine.travel(at(2), tick=False):
        url = link_of(drill, "KH2108", cast.duty_commander)
    when = at(2)
    if change == "forged":
        url = url[:-4] + "abc/"
    if change == "old":
        when = at(2) + texts.LINK_FOR + dt.timedelta(minutes=1)
    if change == "over":
        drills.cancel(drill, by=cast.psc, now=at(1))
    with time_machine.travel(when, tick=False):
        said = client.post(url).content.decode()
    assert ("This drill is over." if change == "over" else "not, or no longer, good") in said
    assert call_of(drill, "KH2108").answered_at is None


def test_one_press_among_the_notices_answers(cast: Cast, clock: None, signed_in: Callable[..., Client]) -> None:
    drill = hold("KH2108")
    client = signed_in(cast.duty_commander)
    url = reverse("escalation:drill_answer", args=[call_of(drill, "KH2108").pk])
    assert url in client.get(reverse("incidents:inbox")).content.decode()
    client.post(url)
    assert call_of(drill, "KH2108").answered_by == cast.duty_commander
    assert url not in client.get(reverse("incidents:inbox")).content.decode()


def test_a_call_of_a_drill_that_is_over_asks_nothing_and_is_not_new(
    cast: Cast, clock: None, signed_in: Callable[..., Client]
) -> None:
    drill = hold("KH2108")
    client = signed_in(cast.duty_commander)
    before = client.get(reverse("incidents:inbox")).content.decode()
    assert "Please answer by" in before and before.count("is-new") == 1 and "1 unread" in before
    drills.cancel(drill, by=cast.nec, now=at(1))
    after = client.get(reverse("incidents:inbox")).content.decode()
    assert "Please answer by" not in after
    assert "Nothing is to be done now." in after
    # New is only that it was cancelled.
    assert after.count("is-new") == 1 and "1 unread" in after


# ---- What is said ----


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("what", ["called", "ended", "cancelled"])
def test_every_message_says_first_that_it_is_a_drill_in_both_languages(what: str, language: str, cast: Cast) -> None:
    drill = hold("KH2108")
    if what == "ended":
        rehearsal.advance(at(MINUTES))
        rehearsal.advance(at(2 * MINUTES))
        rehearsal.advance(at(3 * MINUTES))
    if what == "cancelled":
        drills.cancel(drill, by=cast.nec, now=at(1))
    notice = Notice.objects.filter(kind="drill", entry__after__what=what).select_related("entry").first()
    assert notice is not None
    with translation.override(language):
        subject, body = texts.message(notice)
    for text in (subject, body, texts.sentence(notice.entry)):
        assert text.startswith("DRILL · សមយុទ្ធ")
    assert "http" in body


@pytest.mark.parametrize("site", ["https://esi.gov.kh", "https://election-security.secretariat.interior.gov.kh"])
@pytest.mark.parametrize("language", ["km", "en"])
def test_an_sms_of_a_call_fits_and_says_by_when_and_how_to_answer(
    language: str, site: str, cast: Cast, settings: Any
) -> None:
    settings.SITE_URL = site
    hold("KH2108")
    notice = Notice.objects.filter(kind="drill", recipient=cast.duty_commander).select_related("entry")[0]
    notice.channel = "sms"
    with translation.override(language):
        forms = texts.short_forms(notice)
        _none, said = messages.written(notice, at(2))
    assert all(form.startswith(texts.MARK) for form in forms)
    assert said in forms and messages.sms_parts(said) <= messages.MOST_PARTS
    assert "08:10" in said
    link = f"{site}{texts.answer_path(notice.entry.after['call'], cast.duty_commander.pk)}"
    assert link in said or "radio" in said or "វិទ្យុ" in said


def test_a_short_address_leaves_room_for_the_link_and_the_radio(cast: Cast, settings: Any) -> None:
    settings.SITE_URL = "https://esi.gov.kh"
    hold("KH2108")
    notice = Notice.objects.filter(kind="drill", recipient=cast.duty_commander).select_related("entry")[0]
    notice.channel = "sms"
    said = messages.written(notice, at(2))[1]
    assert said.startswith(f"{texts.MARK}: ")
    assert "https://esi.gov.kh/escalation/drills/" in said
    assert "radio" in said and "phone" in said


@pytest.mark.parametrize("language", ["km", "en"])
def test_the_sms_of_an_end_is_marked_and_short(language: str, cast: Cast) -> None:
    drill = hold("KH2108")
    drills.cancel(drill, by=cast.nec, now=at(1))
    notice = Notice.objects.filter(kind="drill", entry__after__what="cancelled").select_related("entry")[0]
    notice.channel = "sms"
    with translation.override(language):
        said = messages.written(notice, at(2))[1]
    assert said.startswith(texts.MARK) and messages.sms_parts(said) <= messages.MOST_PARTS


def test_a_call_that_was_answered_is_not_sent_any_more(cast: Cast) -> None:
    drill = hold("KH2108")
    notice = Notice.objects.filter(kind="drill", recipient=cast.duty_commander).select_related("entry").first()
    assert notice is not None and texts.is_wanted(notice)
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(1))
    assert not texts.is_wanted(notice)
