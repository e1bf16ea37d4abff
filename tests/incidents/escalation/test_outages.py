"""After the engine was away the case is where it belongs; who has it now is told of it, who was passed of all once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from incidents.delivery.inbox import lines, notices_of
from incidents.escalation import engine
from incidents.escalation.outage import outage_of
from incidents.models import EngineState, Entry, Incident, Outage
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


def test_the_outage_is_on_record_and_explains_what_came_late(cast: Cast, make_incident: Make) -> None:
    case = away(make_incident)[0]
    engine.tick(BACK, "celery")
    outage = Outage.objects.get()
    assert (outage.started_at, outage.ended_at) == (NOW + MINUTE, BACK)
    assert outage.cases == 3
    assert outage.steps >= 6
    for step in case.escalations.filter(kind="passed"):
        assert outage_of(step.fired_at, step.due_at) == outage
    assert outage_of(NOW + MINUTE, NOW) is None
    assert outage_of(BACK + DAY, BACK + HOUR) is None


def test_a_catch_up_in_several_ticks_is_one_outage_with_one_digest(cast: Cast, make_incident: Make) -> None:
    away(make_incident, 5)
    engine.tick(BACK, "celery", limit=2)
    assert EngineState.objects.get().backlog
    assert told(None, cast.provincial) == []
    engine.tick(BACK + MINUTE / 4, "celery")
    outage = Outage.objects.get()
    assert outage.cases == 5
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
