"""After the engine was away the case is where it belongs; who has it now is told of it, who was passed of all once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from incidents import bell
from incidents.delivery.inbox import lines, notices_of
from incidents.escalation import engine, outage
from incidents.models import EngineState, Entry, Incident, Notice, Outage
from tests.cast import NOW, Cast
from tests.factories import make_sealed
from tests.incidents.escalation.tools import DAY, HOUR, MINUTE, kept, told

Make = Callable[..., Incident]
pytestmark = pytest.mark.django_db
BACK = NOW + 2 * DAY


def away(make: Make, number: int = 3) -> list[Incident]:
    """Low cases of a quiet morning, an engine that saw it and then nothing for two days."""
    made = [make(severity="low", narrative=f"Motorbike number {n} was taken.") for n in range(number)]
    engine.tick(NOW + MINUTE, "celery")
    return made


def test_every_crossed_step_is_kept_and_the_last_alone_is_where_it_is(cast: Cast, make_incident: Make) -> None:
    case = away(make_incident, 1)[0]
    engine.tick(BACK, "celery")
    case.refresh_from_db()
    district, province = cast.command("duty_commander").code, cast.command("provincial").code
    assert case.owner == cast.command("psc")
    assert kept(case)[:2] == [("passed", 0, district, province), ("owner_moved", 0, province, "PSC")]
    assert [c.command.code for c in case.custodies.order_by("pk")] == [district, province, "PSC"]
    versions = list(case.entries.order_by("pk").values_list("version", flat=True))
    assert versions == list(range(1, len(versions) + 1))


def test_one_notice_to_who_has_it_and_one_digest_to_who_was_passed(cast: Cast, make_incident: Make) -> None:
    made = away(make_incident)
    engine.tick(BACK, "celery")
    for case in made:
        assert told(case, cast.psc).count("auto_escalate") == 1
        assert told(case, cast.provincial) == []
        assert told(case, cast.duty_commander) == ["report", "moved_up"]
    assert told(None, cast.provincial) == ["passed_digest"]
    text = next(line.text for line in lines(notices_of(cast.provincial)) if line.notice.kind == "passed_digest")
    assert "3 cases passed" in text
    assert cast.command("provincial").name in text
    # Not again with the next tick.
    engine.tick(BACK + MINUTE, "celery")
    assert told(None, cast.provincial) == ["passed_digest"]


def test_the_digest_rings_the_doorbell(
    cast: Cast,
    make_incident: Make,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """Who was passed reads of it by e-mail at once, as of anything else."""
    settings.EMAIL_CONFIGURED = True
    away(make_incident)
    with monkeypatch.context() as untold:
        untold.setattr(outage, "tell_passed", lambda *_args: 0)
        engine.tick(BACK, "celery")
    rung: list[str] = []
    monkeypatch.setattr(bell, "wake", rung.append)
    with django_capture_on_commit_callbacks(execute=True):
        assert outage.tell_passed(Outage.objects.get(), BACK)
    assert Notice.objects.filter(kind="passed_digest", recipient=cast.provincial, channel="email").exists()
    assert rung == ["incidents.deliver"]


def test_the_outage_is_on_record_and_explains_what_came_late(cast: Cast, make_incident: Make) -> None:
    case = away(make_incident)[0]
    engine.tick(BACK, "celery")
    row = Outage.objects.get()
    assert (row.started_at, row.ended_at) == (NOW + MINUTE, BACK)
    assert row.cases == 3
    assert row.steps >= 6
    entries = case.entries.filter(act__in=["auto_escalate", "inform"])
    spans = {entry.pk: BACK - dt.datetime.fromisoformat(entry.after["due_at"]) for entry in entries}
    late = {key: outage.Late(span, row) for key, span in spans.items() if span > 2 * MINUTE}
    assert len(late) > 2
    assert outage.late_steps(case.entries.all()) == late


def step(case: Incident, due: dt.datetime, at: dt.datetime, clock: str = "acknowledge") -> Entry:
    """An entry of a step due at `due` that fired at `at`."""
    after = {"clock": clock, "due_at": due.isoformat()}
    return Entry.objects.create(incident=case, act="inform", at=at, channel="engine", after=after, version=9)


def test_an_outage_explains_what_was_to_fire_while_it_lasted_alone(cast: Cast, make_incident: Make) -> None:
    case = make_incident()
    row = Outage.objects.create(started_at=NOW + HOUR, ended_at=NOW + 2 * HOUR)
    due = {
        "within": step(case, NOW + HOUR + 9 * MINUTE, NOW + 2 * HOUR + MINUTE),
        "before": step(case, NOW + 30 * MINUTE, NOW + 2 * HOUR + MINUTE),
        "after": step(case, NOW + 2 * HOUR + MINUTE, NOW + 3 * HOUR),
        "in time": step(case, NOW + HOUR, NOW + HOUR + MINUTE),
    }
    late = outage.late_steps(due.values())
    assert late[due["within"].pk] == outage.Late(52 * MINUTE, row)
    assert late[due["before"].pk] == outage.Late(91 * MINUTE, None)
    assert late[due["after"].pk] == outage.Late(59 * MINUTE, None)
    assert due["in time"].pk not in late


def test_where_nothing_is_late_nothing_is_asked(
    cast: Cast, make_incident: Make, django_assert_num_queries: Any
) -> None:
    case = make_incident()
    rows = [step(case, NOW, NOW + MINUTE), *case.entries.all()]
    with django_assert_num_queries(0):
        assert outage.late_steps(rows) == {}


def test_a_catch_up_in_several_ticks_is_one_outage_with_one_digest(cast: Cast, make_incident: Make) -> None:
    away(make_incident, 5)
    engine.tick(BACK, "celery", limit=2)
    assert EngineState.objects.get().backlog
    assert told(None, cast.provincial) == []
    engine.tick(BACK + MINUTE / 4, "celery")
    row = Outage.objects.get()
    assert row.cases == 5
    assert told(None, cast.provincial) == ["passed_digest"]
    digest = Entry.objects.get(act="engine", incident=None)
    assert (digest.after["cases"], digest.command) == (5, cast.command("provincial"))


def test_of_a_sealed_case_no_count_tells(cast: Cast, make_incident: Make) -> None:
    """It is between integrity desks only, and each is told of it by name of the case."""
    case = make_sealed(severity="critical")
    engine.tick(NOW + MINUTE, "celery")
    engine.tick(BACK, "celery")
    assert not Entry.objects.filter(incident=None, act="engine").exists()
    for name in ("demo_duty", "demo_officer", "demo_provincial", "provincial", "psc", "nec"):
        assert told(case, getattr(cast, name)) == [], name
        assert told(None, getattr(cast, name)) == [], name


def test_a_short_pause_is_no_outage(cast: Cast, make_incident: Make) -> None:
    away(make_incident)
    engine.tick(NOW + 2 * MINUTE, "celery")
    assert not Outage.objects.exists()


def test_without_an_outage_who_is_passed_reads_of_each_case(cast: Cast, make_incident: Make) -> None:
    """Two levels at once in an ordinary tick: nobody writes a digest, so nobody may be left without a word."""
    case = make_incident(severity="low")
    EngineState.objects.all().delete()
    engine.tick(BACK, "celery")
    assert told(case, cast.provincial) == ["moved_up"]
