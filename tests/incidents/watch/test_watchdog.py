"""What is wrong with the engine is told apart, said on every page to those whose work it is, and kept on record."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from config.celery import app
from incidents.escalation import doorbell, watchdog
from incidents.models import ChannelState, Clock, EngineState, Entry, Notice, Quarantine
from tests.cast import NOW, ROLES, Cast
from tests.factories import make_incident, make_sealed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MINUTE = dt.timedelta(minutes=1)
Sign = Callable[..., Client]
Put = Callable[[str], None]


def overdue_case(minutes: int = 30, make: Callable[..., Any] = make_incident) -> Any:
    case = make(now=NOW - dt.timedelta(days=1))
    Clock.objects.filter(incident=case).update(
        anchor_at=NOW - dt.timedelta(days=1), deadline_at=NOW - minutes * MINUTE, fires_at=NOW - minutes * MINUTE
    )
    return case


# ---- What is wrong ----


@pytest.mark.parametrize(
    ("condition", "state"),
    [
        ("ok", "ok"),
        ("beat_dead", "stopped"),
        ("worker_dead", "stopped"),
        ("broker_away", "stopped"),
        ("failing", "stopped"),
        ("held", "held"),
    ],
)
def test_each_condition_has_its_own_reason(condition: str, state: str, engine_is: Put) -> None:
    engine_is(condition)
    seen = watchdog.pulse(NOW)
    assert (seen.state, seen.reason) == (state, "" if condition == "ok" else condition)


def test_ticks_that_succeed_while_steps_wait_are_slow(cast: Cast, engine_is: Put) -> None:
    overdue_case()
    engine_is("slow")
    seen = watchdog.pulse(NOW)
    assert (seen.state, seen.reason, seen.backlog) == ("late", "slow", 900)
    assert seen.since == NOW - 30 * MINUTE


def test_a_new_system_is_not_late_until_something_is_due(cast: Cast, engine_is: Put) -> None:
    EngineState.objects.all().delete()
    assert watchdog.pulse(NOW).state == "never"
    overdue_case()
    assert watchdog.pulse(NOW).state == "late"


@pytest.mark.parametrize("act", ["rebase", "raise_severity", "retime"])
def test_a_deadline_put_into_the_past_is_late_from_when_it_was_put_there(cast: Cast, engine_is: Put, act: str) -> None:
    """No red bar in the seconds until the next tick; and one, if that tick never comes."""
    case = overdue_case()
    engine_is("ok")
    Entry.objects.create(incident=case, act=act, at=NOW - MINUTE / 2, channel="browser", version=2)
    assert watchdog.pulse(NOW).is_ok
    EngineState.objects.update(last_ok_at=NOW + 5 * MINUTE)
    seen = watchdog.pulse(NOW + 5 * MINUTE)
    assert (seen.state, seen.overdue) == ("late", 3)


def test_a_case_timed_anew_hides_no_other_that_waits(cast: Cast, engine_is: Put) -> None:
    case, other = overdue_case(60), overdue_case(20)
    engine_is("ok")
    Entry.objects.create(incident=case, act="rebase", at=NOW, channel="browser", version=2)
    # What people say of a case times nothing.
    Entry.objects.create(incident=other, act="update", at=NOW, channel="browser", version=2)
    seen = watchdog.pulse(NOW)
    assert (seen.state, seen.overdue, seen.oldest_due_at) == ("late", 3, NOW - 20 * MINUTE)


def test_the_broker_is_asked_only_when_the_engine_is_late(engine_is: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    engine_is("ok")
    monkeypatch.setattr(doorbell, "waiting", lambda: pytest.fail("asked"))
    assert watchdog.pulse(NOW).is_ok


def test_while_all_is_well_it_costs_three_reads(engine_is: Put, django_assert_num_queries: Any) -> None:
    engine_is("ok")
    with django_assert_num_queries(3):
        watchdog.pulse(NOW)


def test_a_tick_of_a_page_does_not_make_the_engine_well(engine_is: Put) -> None:
    engine_is("worker_dead")
    EngineState.objects.update(last_ok_at=NOW, last_source="web", alarm_since=NOW - 7 * MINUTE)
    seen = watchdog.pulse(NOW)
    assert (seen.state, seen.reason, seen.is_stood_in) == ("stopped", "worker_dead", True)
    assert seen.since == NOW - 7 * MINUTE
    EngineState.objects.update(last_source="celery")
    assert watchdog.pulse(NOW).is_ok


def test_the_alarm_stands_on_record_while_it_lasts(engine_is: Put) -> None:
    engine_is("beat_dead")
    watchdog.watch(NOW)
    watchdog.watch(NOW + MINUTE)
    row = EngineState.objects.get()
    assert (row.alarm_since, row.alarm_reason) == (NOW, "beat_dead")
    engine_is("ok")
    watchdog.watch(NOW)
    row.refresh_from_db()
    assert (row.alarm_since, row.alarm_reason) == (None, "")


# ---- The broker ----


def use_folder(settings: Settings, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder / "control")}
    monkeypatch.setitem(app.conf, "broker_transport_options", options)
    monkeypatch.setitem(app.conf, "broker_url", "folder://")


def test_calls_that_wait_are_counted_in_a_folder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_folder(settings, monkeypatch, tmp_path)
    (tmp_path / "control").mkdir()
    assert doorbell.waiting() == 0
    with app.connection_for_write() as broker:
        for _call in range(3):
            app.send_task("incidents.escalation_tick", queue="escalation", connection=broker)
    doorbell.forget()
    assert doorbell.waiting() == 3


def test_a_folder_that_is_gone_is_a_broker_that_is_away(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_folder(settings, monkeypatch, tmp_path / "gone")
    assert doorbell.waiting() is None


def test_calls_that_wait_are_counted_in_redis(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    monkeypatch.setitem(app.conf, "broker_transport_options", {})
    monkeypatch.setitem(app.conf, "broker_url", redis_url)
    monkeypatch.setattr(doorbell, "PATIENCE_SECONDS", 10.0)
    assert doorbell.waiting() == 0
    with app.connection_for_write() as broker:
        app.send_task("incidents.escalation_tick", queue="escalation", connection=broker)
    doorbell.forget()
    assert doorbell.waiting() == 1


def test_a_redis_that_is_away_keeps_no_page_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float | None] = []
    join = threading.Thread.join

    def noted(thread: threading.Thread, timeout: float | None = None) -> None:
        asked.append(timeout)
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", noted)
    monkeypatch.setitem(app.conf, "broker_transport_options", {})
    monkeypatch.setitem(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    assert doorbell.waiting() is None
    assert asked[0] == doorbell.PATIENCE_SECONDS
    assert doorbell.waiting() is None and len(asked) == 1, "the answer is kept some seconds"


# ---- What people are told ----


SAID = {
    "beat_dead": "Nothing calls the engine any more.",
    "worker_dead": "The engine is called and nobody answers.",
    "broker_away": "what carries the calls is away",
    "failing": "begins its round and breaks off with a fault",
    "slow": "more comes due than it gets done",
    "held": "The clock leapt ahead.",
}


#: What it means for cases, for whoever runs no machine.
PLAIN = {
    "held": "No case moves up until a person has looked at it. Look at what is held",
    "slow": "The escalation engine is 30 min behind. Cases may be late. Press «Escalate now»",
}
RAN = "The escalation engine has not run by itself for 7 min. Cases may be late. Press «Escalate now»"
#: Names of processes and of what they run on.
JARGON = re.compile(r"worker|broker|\bbeat\b|redis|celery|queue «|manage\.py|database|calls? the engine|round", re.I)


def bar_of(page: str) -> str:
    """The words of the bar."""
    (part,) = re.findall(r'<section class="engine-late".*?</section>', page, re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part))


@pytest.mark.parametrize("condition", sorted(SAID))
def test_who_runs_the_machines_reads_what_is_wrong_and_since_when(
    condition: str, cast: Cast, signed_in: Sign, engine_is: Put
) -> None:
    overdue_case()
    engine_is(condition)
    seen = signed_in(cast.administrator).get(reverse("start")).content.decode()
    assert 'class="engine-late" role="alert"' in seen and SAID[condition] in bar_of(seen)
    since = {"held": "07:57", "slow": "07:30"}.get(condition, "07:53")
    assert f"Since {since}." in bar_of(seen)


@pytest.mark.parametrize("condition", sorted(SAID))
@pytest.mark.parametrize("name", ["psc", "nec", "provincial", "duty_commander", "nec_integrity"])
def test_officers_read_in_plain_words_for_how_long_and_what_to_do(
    condition: str, name: str, cast: Cast, signed_in: Sign, engine_is: Put
) -> None:
    overdue_case()
    engine_is(condition)
    seen = signed_in(getattr(cast, name)).get(reverse("start")).content.decode()
    may_release = name in ("psc", "nec")
    said = PLAIN.get(condition, RAN)
    if condition == "held" and not may_release:
        said = "No case moves up until a person has looked at it. The PSC watch or the NEC secretariat lets it go on."
    assert said in bar_of(seen) and "technical desk" in bar_of(seen)
    assert not JARGON.search(bar_of(seen))
    assert ("data-engine-tick" in seen) == (condition != "held")
    assert (reverse("escalation:held") in seen) == (condition == "held" and may_release)


def test_a_well_engine_has_no_bar(cast: Cast, signed_in: Sign, engine_is: Put) -> None:
    engine_is("ok")
    assert "engine-late" not in signed_in(cast.psc).get(reverse("start")).content.decode()


def test_it_counts_only_what_the_person_may_know_of(cast: Cast, signed_in: Sign, engine_is: Put) -> None:
    overdue_case()
    sealed = make_sealed(now=NOW - dt.timedelta(days=1))
    Clock.objects.filter(incident=sealed).update(
        anchor_at=NOW - dt.timedelta(days=1), deadline_at=NOW - MINUTE, fires_at=NOW - MINUTE
    )
    engine_is("worker_dead")

    def overdue(name: str) -> str:
        cache.clear()
        seen = signed_in(getattr(cast, name)).get(reverse("start")).content.decode()
        return seen.split("?show=overdue")[1].split("</a>")[0]

    assert "1 overdue" in overdue("nec_integrity")
    assert "1 overdue" in overdue("psc") and "1 overdue" in overdue("duty_commander")
    client = signed_in(cast.demo_duty)
    cache.clear()
    assert "No step of yours is overdue." in client.get(reverse("start")).content.decode()


def test_the_bar_leads_to_the_cases_it_counts(cast: Cast, signed_in: Sign, engine_is: Put) -> None:
    late, fresh = overdue_case(), make_incident(now=NOW)
    engine_is("worker_dead")
    seen = signed_in(cast.psc).get(reverse("escalation:board") + "?show=overdue").content.decode()
    assert late.reference in seen and fresh.reference not in seen and "Show all next steps" in seen


def test_a_page_that_stays_open_learns_of_it(cast: Cast, signed_in: Sign, engine_is: Put) -> None:
    client, url = signed_in(cast.psc), reverse("escalation:bar") + "?from=/incidents/%3Fstate%3Dlate"
    engine_is("ok")
    assert client.get(url).content.strip() == b""
    assert 'data-engine-bar="/escalation/engine/bar"' in client.get(reverse("start")).content.decode()
    cache.clear()
    engine_is("worker_dead")
    seen = client.get(url).content.decode()
    assert "data-engine-tick" in seen and 'name="next" value="/incidents/?state=late"' in seen


def test_who_has_no_part_in_it_gets_a_sentence_and_no_button(cast: Cast, signed_in: Sign, engine_is: Put) -> None:
    engine_is("beat_dead")
    officer = signed_in(cast.officer).get(reverse("start")).content.decode()
    assert "call the next command by telephone" in officer and "data-engine-tick" not in officer
    administrator = signed_in(cast.administrator).get(reverse("start")).content.decode()
    assert "manage.py escalate --loop" in administrator and "data-engine-tick" in administrator


def test_mail_that_does_not_leave_is_another_matter(cast: Cast, signed_in: Sign, engine_is: Put) -> None:
    engine_is("ok")
    ChannelState.objects.create(channel="sms", failures=9, opened_at=NOW - 20 * MINUTE, last_error="refused")
    case = make_incident(now=NOW - MINUTE)
    entry = Entry.objects.filter(incident=case).latest("pk")
    Notice.objects.filter(channel="email").delete()
    Notice.objects.create(
        entry=entry, incident=case, recipient=cast.psc, channel="email", kind="report",
        created_at=NOW - 40 * MINUTE, next_try_at=NOW - 40 * MINUTE,
    )  # fmt: skip
    assert [s.channel for s in watchdog.stuck(NOW)] == ["email", "sms"]
    seen = signed_in(cast.psc).get(reverse("start")).content.decode()
    assert "engine-late" not in seen
    assert "No message leaves by e-mail since 07:20." in seen and "No message leaves by SMS since 07:40." in seen
    assert "No message leaves" not in signed_in(cast.officer).get(reverse("start")).content.decode()


def test_a_message_under_way_is_not_stuck(cast: Cast) -> None:
    case = make_incident(now=NOW - MINUTE)
    entry = Entry.objects.filter(incident=case).latest("pk")
    Notice.objects.filter(channel="email").delete()
    Notice.objects.create(
        entry=entry, incident=case, recipient=cast.psc, channel="email", kind="report", created_at=NOW - 40 * MINUTE,
        next_try_at=NOW - 40 * MINUTE, lease_until=NOW + MINUTE,
    )  # fmt: skip
    assert watchdog.stuck(NOW) == []


def test_every_role_reads_its_start_page_while_the_engine_is_late(cast: Cast, signed_in: Sign, engine_is: Put) -> None:
    engine_is("worker_dead")
    for name in ROLES:
        assert signed_in(getattr(cast, name)).get(reverse("start")).status_code == 200, name


# ---- Single cases that cannot fire ----


def set_aside(case: Any) -> None:
    for clock in case.clocks.all():
        Quarantine.objects.create(clock=clock, next_try_at=NOW + MINUTE, error="a row that nobody can read")


def test_a_deadline_that_cannot_be_fired_is_no_good_health(
    cast: Cast, client: Client, engine_is: Put, signed_in: Sign
) -> None:
    """The engine goes on without the case; the case does not move up, so nothing says that all is well."""
    engine_is("ok")
    case = overdue_case()
    set_aside(case)
    seen = watchdog.pulse(NOW)
    assert (seen.state, seen.reason, seen.is_ok, seen.is_alarm) == ("set_aside", "set_aside", False, False)
    answer = client.get(reverse("engine_health"))
    assert answer.status_code == 503 and answer.json()["reason"] == "set_aside"
    said = "A deadline of these cases failed"
    mine = signed_in(cast.provincial).get(reverse("incidents:inbox")).content.decode()
    assert said in mine and case.reference in mine.split(said)[1].split("</div>")[0]
    assert "Escalation engine on time" in mine, "it goes on for all others"
    assert said not in signed_in(cast.demo_provincial).get(reverse("incidents:inbox")).content.decode()
    assert said not in signed_in(cast.officer).get(reverse("incidents:inbox")).content.decode()
    for person, where in ((cast.psc, "escalation:engine"), (cast.administrator, "start")):
        page = signed_in(person).get(reverse(where)).content.decode()
        assert "Single cases may not move up by themselves." in page and "Yes, on time." not in page


def test_a_sealed_case_that_cannot_be_fired_is_named_to_nobody_of_the_unit(
    cast: Cast, engine_is: Put, signed_in: Sign
) -> None:
    engine_is("ok")
    case = overdue_case(make=make_sealed)
    set_aside(case)
    for person in (cast.demo_duty, cast.demo_provincial):
        page = signed_in(person).get(reverse("incidents:inbox")).content.decode()
        assert "A deadline of these cases" not in page and case.reference not in page


def test_one_that_is_not_overdue_yet_or_of_a_closed_record_alarms_nobody(cast: Cast, engine_is: Put) -> None:
    engine_is("ok")
    case = overdue_case(minutes=1)
    set_aside(case)
    assert watchdog.pulse(NOW).is_ok
    Clock.objects.filter(incident=case).update(fires_at=NOW - 30 * MINUTE)
    assert not watchdog.pulse(NOW).is_ok
    case.election.is_locked = True
    case.election.save()
    assert watchdog.pulse(NOW).is_ok


def test_of_a_sealed_case_that_fails_nobody_reads_who_may_not_know_of_it(
    cast: Cast, engine_is: Put, signed_in: Sign, client: Client
) -> None:
    engine_is("ok")
    case = overdue_case(make=make_sealed)
    set_aside(case)
    page = signed_in(cast.psc).get(reverse("escalation:engine")).content.decode()
    assert "Yes, on time." in page and "Single cases" not in page
    stranger = client.get(reverse("engine_health"), REMOTE_ADDR="203.0.113.9")
    assert (stranger.status_code, stranger.json()["reason"]) == (200, "")
    assert client.get(reverse("engine_health")).status_code == 503
    assert "Single cases" in signed_in(cast.administrator).get(reverse("escalation:engine")).content.decode()


def test_a_fault_that_passed_is_not_told_when_the_engine_is_late_afterwards(cast: Cast, engine_is: Put) -> None:
    engine_is("ok")
    case = overdue_case()
    set_aside(case)
    Quarantine.objects.update(next_try_at=NOW - 60 * MINUTE)
    seen = watchdog.pulse(NOW)
    assert (seen.state, seen.has_set_aside) == ("ok", False)


def test_many_cases_that_fail_are_not_all_named(cast: Cast, engine_is: Put, signed_in: Sign) -> None:
    engine_is("ok")
    cases = [overdue_case() for _number in range(7)]
    for case in cases:
        set_aside(case)
    page = signed_in(cast.psc).get(reverse("incidents:inbox")).content.decode()
    line = page.split("A deadline of these cases failed")[1].split("</div>")[0]
    assert sum(case.reference in line for case in cases) == 5 and "and more" in line
