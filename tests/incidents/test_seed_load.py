"""Made cases in bulk hold everything that real ones hold."""

import datetime as dt
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from elections import geometry
from incidents import journal, tallies
from incidents.choices import OPEN, State
from incidents.models import Clock, ClockState, Custody, Entry, Incident, ReferenceCounter
from tests.cast import NOW

COUNT = 600


@pytest.fixture
def loaded(transactional_db: None, settings: Any) -> None:
    settings.DEMO = True
    call_command("seed_load", "--incidents", str(COUNT), verbosity=0)


def test_it_refuses_where_no_demonstration_is_declared(db: None) -> None:
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("seed_load", "--incidents", "10", verbosity=0)


def test_made_cases_are_whole(loaded: None) -> None:
    cases = Incident.objects.all()
    assert cases.count() == COUNT
    assert Entry.objects.filter(act="report").count() == COUNT
    assert Custody.objects.count() == COUNT
    assert not cases.filter(place__is_fictional=True).exists()
    assert cases.values("reference").distinct().count() == COUNT
    assert sum(ReferenceCounter.objects.values_list("last", flat=True)) == COUNT
    assert not tallies.differences()
    # Every foreign key, on both databases.
    connection.check_constraints()


def test_open_cases_have_running_clocks_and_others_none(loaded: None) -> None:
    still = Incident.objects.filter(state__in=OPEN)
    assert 0 < still.count() < COUNT * 0.1
    for case in still.prefetch_related("clocks"):
        running = [c for c in case.clocks.all() if c.state == ClockState.RUNNING]
        assert min(c.deadline_at for c in running) == case.next_due_at
        assert case.next_due_kind in {c.kind for c in running}
    assert not Clock.objects.exclude(incident__in=still).exists()


def test_moments_are_in_order_and_none_is_in_the_future(loaded: None) -> None:
    now = dt.datetime.now(dt.UTC)
    for case in Incident.objects.all():
        moments = [
            case.occurred_at,
            case.reported_at,
            case.acknowledged_at,
            case.contained_at,
            case.resolved_at,
            case.closed_at,
        ]
        known = [m for m in moments if m]
        assert known == sorted(known) and known[-1] <= now, case.reference


def test_points_lie_in_their_commune(loaded: None) -> None:
    cases = list(Incident.objects.exclude(lat=None))
    assert COUNT * 0.7 < len(cases) < COUNT * 0.9
    assert geometry.places([c.lat or 0 for c in cases], [c.lon or 0 for c in cases]) == [c.place_id for c in cases]


def test_the_journal_fits_the_cases(loaded: None) -> None:
    assert not [f for f in journal.verify(NOW, backlog=dt.timedelta(days=9999)).findings if f.kind == "order"]


def test_late_entries_and_duplicates_are_among_them(loaded: None) -> None:
    assert any(case.is_late_entry for case in Incident.objects.all())
    for case in Incident.objects.filter(state=State.MERGED).select_related("merged_into"):
        assert case.merged_into and case.merged_into.state not in (State.MERGED, State.WITHDRAWN)


def test_a_second_load_adds_and_counts_on(loaded: None) -> None:
    call_command("seed_load", "--incidents", "50", "--seed", "2", verbosity=0)
    assert Incident.objects.count() == COUNT + 50
    assert Incident.objects.values("reference").distinct().count() == COUNT + 50
    assert not tallies.differences()
