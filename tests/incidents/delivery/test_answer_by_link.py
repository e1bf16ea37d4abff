"""Taking a case by the link of its message: only by pressing, by whom it was sent to, while that makes sense."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from commands.models import Posting
from incidents import actions
from incidents.delivery import links, outbox
from incidents.delivery.links import LINK_FOR, WrongLink
from incidents.models import Entry, Incident, Notice
from tests.cast import NOW, Cast
from tests.incidents.delivery.sinks import MailSink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def case(cast: Cast, make_incident: Any, only_mail_to: Any) -> Incident:
    only_mail_to(cast.duty_commander)
    incident: Incident = make_incident(severity="medium")
    return incident


@pytest.fixture
def path(case: Incident, mail_sink: MailSink) -> str:
    """The address in the letter to the duty commander, as it arrived."""
    return sent_path(mail_sink)


def sent_path(sink: MailSink, now: dt.datetime = NOW) -> str:
    outbox.deliver(now)
    text = sink.letters[-1].get_content()
    found = re.search(r"https?://[^/\s]+(/escalation/answer/\S+)", text)
    assert found, text
    return found[1]


def state(case: Incident) -> str:
    return Incident.objects.get(pk=case.pk).state


def test_looking_changes_nothing_and_tells_nothing(path: str, case: Incident, cast: Cast) -> None:
    for _scanner in range(3):
        answer = Client().get(path)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert case.reference in page
    assert "I have it" in page
    for secret in (case.narrative, case.category.name, case.owner.name, case.place.name, cast.duty_commander.username):
        assert secret not in page
    assert state(case) == "reported"
    assert Client().head(path).status_code == 200
    assert state(case) == "reported"


def test_pressing_takes_the_case_in_the_name_of_the_recipient(path: str, case: Incident, cast: Cast) -> None:
    page = Client().post(path).content.decode()
    assert "You have it." in page
    case.refresh_from_db()
    assert (case.state, case.is_accepted) == ("acknowledged", True)
    entry = Entry.objects.get(incident=case, act="acknowledge")
    assert (entry.by, entry.channel, entry.posting.user) == (cast.duty_commander, "link", cast.duty_commander)  # type: ignore[union-attr]
    assert case.custodies.get().accepted_by == cast.duty_commander


def test_a_second_press_does_nothing_and_says_so(path: str, case: Incident) -> None:
    Client().post(path)
    entries = case.entries.count()
    assert "You have it." in Client().post(path).content.decode()
    assert "You have this case already." in Client().get(path).content.decode()
    assert case.entries.count() == entries


def test_a_press_without_the_form_of_the_page_is_refused(path: str, case: Incident) -> None:
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403
    assert state(case) == "reported"


def test_taken_by_somebody_else(path: str, case: Incident, cast: Cast) -> None:
    actions.acknowledge(case, by=cast.provincial, version=None, now=NOW)
    page = Client().post(path).content.decode()
    assert "Somebody else has taken this case." in page
    assert case.entries.filter(act="acknowledge").count() == 1


def test_ended(path: str, case: Incident, cast: Cast) -> None:
    Incident.objects.filter(pk=case.pk).update(state="withdrawn", next_due_at=None, next_due_kind="", closed_at=NOW)
    assert "This case has ended." in Client().post(path).content.decode()


def test_a_day_later_one_signs_in(path: str, case: Incident, clock: Any) -> None:
    clock.move_to(NOW + LINK_FOR + HOUR)
    answer = Client().post(path)
    assert answer.status_code == 410
    assert "counts for 24 hours" in answer.content.decode()
    assert state(case) == "reported"


def test_a_hand_over_is_accepted_by_link(case: Incident, cast: Cast, mail_sink: MailSink, add_contact: Any) -> None:
    add_contact(cast.provincial, "email", "p@example.org")
    actions.acknowledge(case, by=cast.duty_commander, version=None, now=NOW)
    actions.escalate(case, by=cast.duty_commander, version=None, now=NOW, reason="Too big for us.")
    path = sent_path(mail_sink, NOW + HOUR / 60)
    assert "You have it." in Client().post(path).content.decode()
    entry = Entry.objects.filter(incident=case).order_by("-pk")[0]
    assert (entry.act, entry.by, entry.channel) == ("accept", cast.provincial, "link")


def test_a_case_that_moved_on_is_not_taken_from_below(path: str, case: Incident, cast: Cast) -> None:
    actions.escalate(case, by=cast.duty_commander, version=None, now=NOW, reason="Too big for us.")
    entries = case.entries.count()
    assert "You do not answer for this any more" in Client().post(path).content.decode()
    assert case.entries.count() == entries


def test_who_moved_to_another_post_takes_nothing(path: str, case: Incident, cast: Cast) -> None:
    Posting.objects.filter(user=cast.duty_commander).update(command=cast.command("neighbour"))
    page = Client().post(path).content.decode()
    assert "You do not answer for this any more" in page
    assert case.reference not in page
    assert state(case) == "reported"


def test_a_link_of_somebody_else_counts_for_nobody_signed_in(
    path: str, case: Incident, cast: Cast, signed_in: Callable[..., Client]
) -> None:
    answer = signed_in(cast.provincial).post(path)
    assert answer.status_code == 403
    assert case.reference not in answer.content.decode()
    assert state(case) == "reported"
    assert "You have it." in signed_in(cast.duty_commander).post(path).content.decode()


@pytest.mark.parametrize("change", ["cut", "other_case", "other_person", "none"])
def test_a_link_that_was_changed_is_none(
    path: str, case: Incident, cast: Cast, change: str, make_incident: Any
) -> None:
    token = path.rsplit("/", 1)[1]
    packed, _sep, signed = token.partition(":")
    other = make_incident(narrative="Another thing was taken from the market today.")
    of_other = links.link_to(other.pk, cast.neighbour.pk, 1, NOW).rsplit("/", 1)[1].partition(":")[0]
    wrong = {
        "cut": token[:-3],
        "other_case": f"{of_other}:{signed}",
        "other_person": packed[:-6] + "AAAAAA:" + signed,
        "none": "x",
    }[change]  # fmt: skip
    assert Client().get(f"/escalation/answer/{wrong}").status_code == 404
    with pytest.raises(WrongLink):
        links.read(wrong)
    assert state(case) == "reported"


def test_a_well_made_link_to_somebody_who_was_never_told_is_none(case: Incident, cast: Cast) -> None:
    url = links.link_to(case.pk, cast.neighbour.pk, case.version, NOW)
    assert Client().get(url[url.index("/escalation") :]).status_code == 404


def test_a_sealed_case_has_neither_link_nor_code(cast: Cast, make_sealed: Any, mail_sink: MailSink) -> None:
    make_sealed()
    outbox.deliver(NOW)
    assert mail_sink.letters
    for letter in mail_sink.letters:
        assert "/escalation/answer/" not in letter.get_content()
        assert "code" not in letter.get_content()


def test_who_is_only_informed_has_neither_link_nor_code(
    cast: Cast, make_incident: Any, mail_sink: MailSink, only_mail_to: Any
) -> None:
    only_mail_to(cast.nec)
    make_incident(severity="critical")
    outbox.deliver(NOW)
    assert Notice.objects.filter(recipient=cast.nec, channel="email", status="sent").exists()
    assert "/escalation/answer/" not in mail_sink.letters[0].get_content()


def test_the_page_is_in_the_language_of_its_recipient(path: str, cast: Cast) -> None:
    type(cast.duty_commander).objects.filter(pk=cast.duty_commander.pk).update(language="km")
    assert '<html lang="km"' in Client().get(path).content.decode()
    chosen = Client()
    chosen.cookies["language"] = "en"
    assert '<html lang="en"' in chosen.get(path).content.decode()
