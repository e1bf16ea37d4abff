"""`check_escalation` finds each kind of broken state when it is planted, and nothing where nothing is broken."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from commands.models import Delegation
from incidents import actions, journal
from incidents.choices import Act, Channel
from incidents.escalation import engine
from incidents.escalation.audit import CHECKS, audit
from incidents.models import (
    Clock,
    Custody,
    EngineState,
    Entry,
    Escalation,
    Incident,
    Notice,
    Policy,
    PolicyStep,
    Quarantine,
    Referral,
    ResponseTarget,
    Tally,
)
from tests.cast import NOW, Cast
from tests.factories import make_incident, make_sealed

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
LATER = NOW + dt.timedelta(minutes=10)
#: Plants one broken state around the acts, as a fault in them or a bad restore would.
Plant = Callable[[Cast, Incident], Any]


def clocks(case: Incident, **of: Any) -> Any:
    return Clock.objects.filter(incident=case, **of)


def acknowledged(cast: Cast, case: Incident) -> Incident:
    return actions.perform(Act.ACKNOWLEDGE, case, by=cast.duty_commander, version=None, now=NOW)


def escalated(cast: Cast, case: Incident) -> Incident:
    """Moved up by the rule, with an entry, a custody and notices."""
    engine.tick(NOW + 13 * HOUR)
    return Incident.objects.get(pk=case.pk)


def without_entry(cast: Cast, case: Incident) -> None:
    step = Escalation.objects.filter(incident=escalated(cast, case)).latest("pk")
    Escalation.objects.filter(pk=step.pk).update(fired_at=step.fired_at + dt.timedelta(seconds=3))


def without_step(cast: Cast, case: Incident) -> None:
    Entry.objects.create(
        incident=case, act=Act.AUTO_ESCALATE, at=NOW, channel=Channel.ENGINE, command=case.owner, version=case.version
    )


def untold(cast: Cast, case: Incident) -> None:
    Notice.objects.filter(entry__incident=escalated(cast, case), entry__act=Act.AUTO_ESCALATE).delete()


def stuck_message(cast: Cast, case: Incident) -> None:
    Notice.objects.create(
        entry=Entry.objects.filter(incident=case).latest("pk"), incident=case, recipient=cast.psc, channel="email",
        kind="report", created_at=NOW, next_try_at=NOW, lease_until=NOW - 2 * HOUR,
    )  # fmt: skip


def unpublished(cast: Cast, case: Incident) -> None:
    draft = Policy.objects.create(number=99, created_at=NOW)
    for step in PolicyStep.objects.filter(policy=case.policy):
        PolicyStep.objects.create(
            policy=draft, clock=step.clock, number=step.number, percent=step.percent, deed=step.deed, rung=step.rung
        )
    Incident.objects.filter(pk=case.pk).update(policy=draft)


def gap(cast: Cast, case: Incident) -> None:
    """A version that was published around the checks: one target and the steps of one clock are all it has."""
    made = Policy.objects.create(number=99, created_at=NOW)
    ResponseTarget.objects.create(
        policy=made, phase="campaign", severity="low", acknowledge_minutes=1, first_update_minutes=2,
        contain_minutes=3, resolve_minutes=4,
    )  # fmt: skip
    PolicyStep.objects.create(policy=made, clock="acknowledge", number=1, percent=100, deed="tell")
    Policy.objects.filter(pk=made.pk).update(published_at=NOW - HOUR)


def circle(cast: Cast, case: Incident) -> None:
    names = ("duty_commander", "neighbour", "provincial")
    ring = [cast.command(name) for name in names]
    for command, acting in zip(ring, ring[1:] + ring[:1], strict=True):
        Delegation.objects.create(
            command=command, acting=acting, starts_at=NOW - HOUR, ends_at=NOW + HOUR, reason="Leave.",
            made_by=cast.psc, made_at=NOW,
        )  # fmt: skip


def referral(cast: Cast, case: Incident) -> None:
    Referral.objects.create(incident=case, body="court", sent_at=NOW - HOUR, due_at=NOW + HOUR, by=cast.psc)


def journal_changed(cast: Cast, case: Incident) -> None:
    """The last entry of a case has no longer the version that the case has."""
    Incident.objects.filter(pk=case.pk).update(version=F("version") + 5)


def policy_moments(cast: Cast, case: Incident) -> None:
    clocks(case, kind="contain").update(fires_at=F("fires_at") + HOUR)


PLANTED: dict[str, Plant] = {
    "open_without_clock": lambda cast, case: clocks(case).update(state="met"),
    "ended_with_clock": lambda cast, case: Incident.objects.filter(pk=case.pk).update(
        state="closed", next_due_at=None, next_due_kind=""
    ),
    "clock_off_policy": policy_moments,
    "not_fired": lambda cast, case: clocks(case, kind="acknowledge").update(
        anchor_at=NOW - 30 * HOUR, deadline_at=NOW - 18 * HOUR, fires_at=NOW - 21 * HOUR
    ),
    "wrong_deadline": lambda cast, case: Incident.objects.filter(pk=case.pk).update(next_due_at=NOW + 9 * HOUR),
    "pause_without_end": lambda cast, case: Incident.objects.filter(pk=case.pk).update(snoozed_until=NOW + HOUR),
    "stopped_without_pause": lambda cast, case: clocks(case, kind="contain").update(state="paused", paused_at=NOW),
    "referral_unwatched": referral,
    "owner_unexplained": lambda cast, case: Incident.objects.filter(pk=case.pk).update(
        owner=cast.command("neighbour")
    ),
    "custody_broken": lambda cast, case: Custody.objects.filter(incident=escalated(cast, case)).filter(
        from_command__isnull=False
    ).update(from_command=cast.command("neighbour")),
    "acceptance_unlike": lambda cast, case: Incident.objects.filter(pk=acknowledged(cast, case).pk).update(
        is_accepted=False
    ),
    "step_without_entry": without_entry,
    "entry_without_step": without_step,
    "nobody_told": untold,
    "message_forgotten": stuck_message,
    "policy_unpublished": unpublished,
    "policy_gap": gap,
    "delegation_cycle": circle,
    "quarantine_forgotten": lambda cast, case: Quarantine.objects.create(
        clock=clocks(case).first(), next_try_at=NOW - 3 * HOUR, error="a fault"
    ),
    "hold_forgotten": lambda cast, case: EngineState.objects.create(pk=1, held_at=NOW - 2 * HOUR, held_count=80),
    "tallies": lambda cast, case: Tally.objects.update(count=F("count") + 1),
    "journal": journal_changed,
}  # fmt: skip


def kinds(now: dt.datetime) -> set[str]:
    """What is found at `now`, where the sealer and the senders have done their part."""
    journal.seal_backlog(now)
    Notice.objects.exclude(channel="inbox").update(status="sent")
    return {finding.check.kind for finding in audit(now)}


def test_every_check_is_planted_here() -> None:
    assert set(PLANTED) == {check.kind for check in CHECKS}


@pytest.mark.parametrize("kind", sorted(PLANTED))
def test_it_is_found_where_it_is_planted(kind: str, cast: Cast) -> None:
    case = make_incident(now=NOW)
    assert audit(LATER, only=[kind]) == []
    PLANTED[kind](cast, case)
    found = audit(LATER, only=[kind])
    assert [f.check.kind for f in found] == [kind]
    assert found[0].total >= 1 and all(found[0].shown)
    about_a_case = kind not in (
        "message_forgotten", "policy_unpublished", "policy_gap", "delegation_cycle", "hold_forgotten", "tallies",
        "journal",
    )  # fmt: skip
    assert (case.reference in found[0].shown[0]) == about_a_case


def test_a_life_of_acts_and_ticks_leaves_nothing_to_find(cast: Cast) -> None:
    """Everything the product does by itself is in order: acts, moves up, a sealed case, a referral, an end."""
    for severity, category in (("low", "CRM-06"), ("medium", "CRM-02"), ("high", "INT-01")):
        make_incident(now=NOW, category=category, severity=severity)
    make_sealed(now=NOW)
    taken = acknowledged(cast, make_incident(now=NOW))
    actions.perform(Act.UPDATE, taken, by=cast.duty_commander, version=None, now=NOW, note="Two are asked.")
    for hours in (1, 13, 26, 60, 200):
        engine.tick(NOW + hours * HOUR)
        assert kinds(NOW + hours * HOUR) == set(), hours


def test_a_case_of_a_closed_record_is_left_alone(cast: Cast) -> None:
    case = make_incident(now=NOW)
    case.election.is_locked = True
    case.election.save(update_fields=["is_locked"])
    assert kinds(NOW + 100 * HOUR) == set()


def test_it_costs_the_same_number_of_statements_with_one_case_and_with_many(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for _case in range(12):
        make_incident(now=NOW)
    audit(LATER)
    with django_assert_max_num_queries(60):
        audit(LATER)


def test_as_a_command_it_names_what_to_do_and_fails(cast: Cast) -> None:
    case = make_incident(now=NOW)
    PLANTED["stopped_without_pause"](cast, case)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_escalation", only=["stopped_without_pause"], stdout=out)
    assert ended.value.code == 1
    said = out.getvalue()
    assert f"- {case.reference} contain" in said and "What to do: Wake the case by hand" in said
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("check_escalation", only=["stopped_without_pause"], json=True, stdout=out)
    assert json.loads(out.getvalue())[0]["total"] == 1
    with pytest.raises(CommandError, match="no check called nonsense"):
        call_command("check_escalation", only=["nonsense"])


def test_as_a_command_it_says_that_all_is_well(cast: Cast) -> None:
    out = StringIO()
    call_command("check_escalation", stdout=out)
    assert "Escalation is in order." in out.getvalue()


def test_many_of_a_kind_are_counted_and_the_first_named(cast: Cast) -> None:
    for _case in range(4):
        make_incident(now=NOW)
    Clock.objects.update(state="met")
    (found,) = audit(LATER, only=["open_without_clock"], most=3)
    assert (found.total, len(found.shown)) == (4, 3)
