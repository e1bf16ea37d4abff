"""Policies, people and commands change while the engine works and people act: what is running stays accounted for."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from django.utils import timezone

from commands.choices import BodyKind
from commands.models import Posting
from incidents import policies
from incidents.models import Clock, Escalation, EscalationKind, Incident, Policy, ResponseTarget
from tests.cast import TAKEO, Cast, command_at
from tests.chaos import cases
from tests.chaos.counts import Counts
from tests.chaos.stage import SCALE, Stage
from tests.factories import make_incident

Report = Callable[[str, Counts], None]


def test_a_policy_is_published_while_cases_run_under_the_one_before(stage: Stage, report_counts: Report) -> None:
    stage.seed(80)
    kept = dict(Incident.objects.values_list("pk", "policy"))
    stage.start_engines(3)
    stage.start_people(2)
    time.sleep(2 * SCALE)
    # Ten times as much time as before, from now on.
    newer = cases.short_policy(timezone.now(), times=10)
    fresh = [make_incident(now=timezone.now()) for _number in range(10)]
    time.sleep(3 * SCALE)
    stage.stop()
    policies.forget()
    assert dict(Incident.objects.filter(pk__in=kept).values_list("pk", "policy")) == kept
    assert {Incident.objects.get(pk=case.pk).policy_id for case in fresh} == {newer.pk}
    # Every clock has the time of its own case's version, also those that began after the publication.
    assert Policy.objects.count() > 2
    for policy in Policy.objects.filter(note="chaos"):
        said = set(ResponseTarget.objects.filter(policy=policy).values_list("acknowledge_minutes", flat=True))
        clocks = Clock.objects.filter(incident__policy=policy, kind__in=("acknowledge", "accept"))
        assert set(clocks.values_list("target_minutes", flat=True)) <= said
    report_counts("policy published", stage.count())


def test_people_are_posted_elsewhere_while_they_act(stage: Stage, report_counts: Report) -> None:
    stage.seed(80)
    cast = Cast()
    stage.start_engines(3)
    stage.start_people(3)
    elsewhere = command_at(BodyKind.DISTRICT, "KH2001")
    for name in ("duty_commander", "provincial"):
        time.sleep(1.5 * SCALE)
        now = timezone.now()
        posting = getattr(cast, name).postings.get()
        Posting.objects.filter(pk=posting.pk).update(ends_at=now)
        Posting.objects.create(
            user=posting.user, role="duty_commander", command=elsewhere, starts_at=now, conduct_accepted_at=now
        )
    time.sleep(1.5 * SCALE)
    counts = stage.count(timezone.now() + dt.timedelta(minutes=2))
    report_counts("people posted elsewhere", counts)
    assert counts.fired > counts.cases / 2


def test_a_command_is_dissolved_while_cases_are_on_their_way_to_it(stage: Stage, report_counts: Report) -> None:
    stage.seed(80, spread=dt.timedelta(seconds=30))
    province = command_at(BodyKind.PROVINCE, TAKEO)
    stage.start_engines(3)
    stage.start_people(2)
    time.sleep(2 * SCALE)
    province.dissolved_on = timezone.localdate() - dt.timedelta(days=1)
    province.save(update_fields=["dissolved_on"])
    dissolved_at = timezone.now() + dt.timedelta(seconds=2)
    time.sleep(2 * SCALE)
    counts = stage.count(timezone.now() + dt.timedelta(minutes=10))
    report_counts("command dissolved", counts)
    later = Escalation.objects.filter(fired_at__gt=dissolved_at, kind=EscalationKind.OWNER_MOVED)
    assert later.exists()
    assert not later.filter(to_command=province).exists(), "a case went to a command that is no more"
