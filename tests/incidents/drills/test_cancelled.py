"""A drill that was cancelled: who is told, what its page says and leaves out; and whose a drill was, never by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import translation

from commands.models import Posting, User
from incidents import drill_results, drills
from incidents.delivery import drills as texts
from incidents.delivery import messages
from incidents.escalation import rehearsal
from incidents.models import Drill, DrillCall, Entry, Notice
from tests.cast import Cast
from tests.incidents.drills.stage import MINUTES, at, call_of, hold
from tests.incidents.drills.test_holding_one import successor_of

pytestmark = pytest.mark.django_db


def told_of_cancelling() -> set[tuple[int, str]]:
    """Who was told that a drill was cancelled, and by which channel."""
    found = Notice.objects.filter(kind="drill", entry__after__what="cancelled", recipient__isnull=False)
    return {(n.recipient_id or 0, n.channel) for n in found}


Look = Callable[..., str]


@pytest.fixture
def look(signed_in: Callable[..., Client]) -> Look:
    """The page of a drill, or the list of all, as somebody sees it so many minutes after the start."""

    def shown(person: User, minute: float, drill: Drill | None = None) -> str:
        url = reverse("escalation:drill", args=[drill.pk]) if drill else reverse("escalation:drills")
        with time_machine.travel(at(minute), tick=False):
            answer = signed_in(person).get(url)
        assert answer.status_code == 200
        return answer.content.decode()

    return shown


# ---- Who is told ----


def test_a_province_reads_that_its_planned_drill_was_cancelled_and_by_which_post(
    cast: Cast, signed_in: Callable[..., Client]
) -> None:
    drill = hold("KH2108", by=cast.provincial, starts_at=at(600))
    drills.cancel(drill, by=cast.psc, now=at(5))
    assert told_of_cancelling() == {(cast.provincial.pk, "inbox")}
    post = Posting.objects.get(user=cast.psc)
    with time_machine.travel(at(6), tick=False):
        page = signed_in(cast.provincial).get(reverse("incidents:inbox")).content.decode()
    assert f"was cancelled by {post.get_role_display()} @ {post.command.name}. Nothing needs to be done." in page
    assert cast.psc.username not in page


def test_the_successor_is_told_beside_who_made_it(cast: Cast) -> None:
    drill = hold("KH2108", by=cast.provincial, starts_at=at(600))
    new = successor_of(cast.provincial, at(2))
    drills.cancel(drill, by=cast.nec, now=at(5))
    assert told_of_cancelling() == {(cast.provincial.pk, "inbox"), (new.pk, "inbox")}


def test_who_cancels_is_not_told_and_of_a_drill_of_the_psc_the_nec_is(cast: Cast) -> None:
    drills.cancel(hold("KH2108", by=cast.provincial, starts_at=at(600)), by=cast.provincial, now=at(5))
    assert not told_of_cancelling()
    drills.cancel(hold("KH2108", starts_at=at(600)), by=cast.nec, now=at(5))
    assert told_of_cancelling() == {(cast.psc.pk, "inbox"), (cast.nec_second.pk, "inbox")}


def test_who_was_called_and_could_hold_it_is_told_once(cast: Cast) -> None:
    drill = hold("KH2108", by=cast.provincial)
    rehearsal.advance(at(MINUTES))
    assert call_of(drill, "KH21").called_at
    drills.cancel(drill, by=cast.psc, now=at(MINUTES + 1))
    inbox = Notice.objects.filter(entry__after__what="cancelled", channel="inbox", recipient=cast.provincial)
    assert inbox.count() == 1


@pytest.mark.parametrize("language", ["km", "en"])
def test_no_channel_names_who_cancelled_and_the_sms_still_fits(language: str, cast: Cast) -> None:
    drills.cancel(hold("KH2108"), by=cast.nec, now=at(1))
    notice = Notice.objects.filter(kind="drill", entry__after__what="cancelled").select_related("entry")[0]
    command = Posting.objects.get(user=cast.nec).command
    with translation.override(language):
        said = [*texts.message(notice), *texts.short_forms(notice)]
        assert command.name in said[0] and command.name in said[2]
        notice.channel = "sms"
        sms = messages.written(notice, at(2))[1]
    assert not any(cast.nec.username in text for text in said)
    assert "Monday morning" in sms and messages.sms_parts(sms) <= messages.MOST_PARTS


# ---- Before it began ----


@pytest.fixture
def unbegun(cast: Cast) -> Drill:
    """One that the province planned and the PSC cancelled, after another of the same commands was held."""
    hold("KH2108", by=cast.provincial)
    for level in (1, 2, 3):
        rehearsal.advance(at(level * MINUTES))
    drill = hold("KH2108", by=cast.provincial, now=at(60), starts_at=at(600))
    return drills.cancel(drill, by=cast.psc, now=at(70))


@pytest.mark.parametrize("minute", [80, 700])
def test_one_cancelled_before_it_began_says_so_and_shows_no_result(
    minute: float, unbegun: Drill, cast: Cast, look: Look, signed_in: Callable[..., Client]
) -> None:
    page = look(cast.provincial, minute, unbegun)
    post = Posting.objects.get(user=cast.psc)
    by = f"{post.get_role_display()} @ {post.command.name}"
    assert f"at 09:10 by {by}, before it began. Nobody was called." in page
    assert "It was to start" in page
    for untrue in ("Starts ", "Started ", "Over at", "Answered in time", "no answer yet", "Beside the drill before",
                   "called in both", "Level by level", "Result as a file"):  # fmt: skip
        assert untrue not in page, untrue
    with time_machine.travel(at(minute), tick=False):
        client = signed_in(cast.provincial)
        assert client.get(reverse("escalation:drill_csv", args=[unbegun.pk])).status_code == 404
        assert "before it began" in client.get(reverse("escalation:drill_live", args=[unbegun.pk])).content.decode()
    assert not Entry.objects.filter(act="export").exists()


def test_the_one_who_cancels_reads_that_nobody_was_called(
    cast: Cast, look: Look, signed_in: Callable[..., Client]
) -> None:
    planned, running = hold("KH2108", starts_at=at(600)), hold("KH9901")
    assert "It does not begin, and nobody is called." in look(cast.psc, 2, planned)
    assert "are told that it is over" in look(cast.psc, 2, running)
    said = []
    with time_machine.travel(at(2), tick=False):
        client = signed_in(cast.psc)
        for drill in (planned, running):
            url = reverse("escalation:drill_cancel", args=[drill.pk])
            said.append(client.post(url, follow=True).content.decode())
    told = "Those who were called and had not answered are told."
    assert "The drill is cancelled before it began. Nobody was called." in said[0] and told not in said[0]
    assert told in said[1]


def test_nothing_is_compared_with_one_that_called_nobody(unbegun: Drill, cast: Cast) -> None:
    later = hold("KH2108", now=at(800))
    before = drills.previous(later, cast.psc)
    assert before and before != unbegun and DrillCall.objects.filter(drill=before).exclude(called_at=None).exists()


def test_only_what_both_drills_called_is_counted_as_called_in_both(cast: Cast) -> None:
    first, day = hold("KH2108"), 24 * 60
    for level in (1, 2, 3):
        rehearsal.advance(at(level * MINUTES))
    second = drills.cancel(hold("KH2108", now=at(day)), by=cast.psc, now=at(day + 1))
    first.refresh_from_db()
    shown = [drill_results.result(d, drills.calls_of(d, cast.psc), at(day + 2)) for d in (second, first)]
    assert drill_results.compare(*shown).commands == 1


@pytest.mark.parametrize("why", ["relieved", "vote"])
def test_one_that_the_rules_called_off_says_why(
    why: str, cast: Cast, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill = hold("KH2108", by=cast.provincial, starts_at=at(600))
    if why == "relieved":
        successor_of(cast.provincial, at(20))
    else:
        monkeypatch.setattr(rehearsal, "_meets_vote", lambda drill, now: True)
    assert rehearsal.advance(at(600)) == 0
    page = look(cast.psc, 610, drill)
    reason = {"relieved": "who planned it holds no posting for it any more.", "vote": "people vote and votes are"}[why]
    assert "Called off by rule on" in page and f"before it began: {reason}" in page and "Nobody was called." in page
    assert "Answered in time" not in page


# ---- While it ran ----


def test_one_cancelled_while_it_ran_says_when_and_by_whom_and_keeps_its_result(cast: Cast, look: Look) -> None:
    drill = hold("KH2108", by=cast.provincial)
    drills.answer(call_of(drill, "KH2108"), by=cast.duty_commander, now=at(1))
    drills.cancel(drill, by=cast.provincial, now=at(5))
    page = look(cast.psc, 6, drill)
    post = Posting.objects.get(user=cast.provincial)
    assert f"at 08:05 by {post.get_role_display()} @ {post.command.name}, while it ran." in page
    assert "Answered in time" in page and "Result as a file" in page
    assert "Nobody was called" not in page and "Over at" not in page


def test_one_that_is_over_awaits_no_answer_any_more(cast: Cast, look: Look) -> None:
    drill = hold("KH2108")
    assert "no answer yet" in look(cast.psc, 1, drill)
    drills.cancel(drill, by=cast.nec, now=at(2))
    page = look(cast.psc, 3, drill)
    assert "no answer yet" not in page and ">nobody answered<" in page


# ---- Whose it is ----


@pytest.mark.parametrize("person", ["psc", "auditor", "provincial", "duty_commander"])
def test_a_drill_names_the_post_that_planned_it_and_no_sign_in_name(person: str, cast: Cast, look: Look) -> None:
    held = hold("KH2108", by=cast.provincial)
    planned = hold("KH2108", by=cast.provincial, starts_at=at(600))
    cancelled = drills.cancel(hold("KH2108", by=cast.provincial, starts_at=at(900)), by=cast.psc, now=at(0))
    post = Posting.objects.get(user=cast.provincial)
    # Where they stand later is not what they planned it as.
    was, stands = post.command.name, cast.command("other_province")
    role = post.get_role_display()
    if person != "provincial":
        Posting.objects.filter(user=cast.provincial).update(ends_at=at(1))
        Posting.objects.create(user=cast.provincial, role=post.role, command=stands, starts_at=at(1))
    reader = getattr(cast, person)
    for drill in (held, planned, cancelled, None):
        page = look(reader, 2, drill)
        assert f"{role} @ {was}" in page
        # Their own name stands in the frame of every page they see.
        assert "cast-" not in page[page.index("<h1") : page.index("</main>")]


def test_the_list_asks_the_journal_once_however_many_drills_it_shows(
    cast: Cast, django_assert_num_queries: Callable[..., object]
) -> None:
    found = [hold("KH2108", by=cast.provincial, starts_at=at(600 + 60 * n)) for n in range(3)]
    drills.cancel(found[0], by=cast.psc, now=at(1))
    some = list(Drill.objects.all())
    with django_assert_num_queries(2):  # type: ignore[attr-defined]
        told = drill_results.told_of(some)
    assert [told[d.pk].is_unbegun for d in found] == [True, False, False]
    assert len({told[d.pk].planned_by for d in found}) == 1 and told[found[0].pk].cancelled_by


# ---- The trial on paper ----


def test_the_trial_refuses_a_name_that_planning_would_refuse_and_keeps_what_it_showed(
    cast: Cast, signed_in: Callable[..., Client]
) -> None:
    with time_machine.travel(at(0), tick=False):
        asked = {"name": "www.example.org", "minutes": "10", "starts_at": "", "command": ["KH2108"], "do": "preview"}
        answer = signed_in(cast.psc).post(reverse("escalation:drill_new"), asked)
    page = answer.content.decode()
    assert answer.status_code == 422 and "Leave web addresses out of the name" in page
    assert "3 commands would be called" in page and 'value="www.example.org"' in page
    assert not Drill.objects.exists()
