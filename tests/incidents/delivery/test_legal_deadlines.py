"""A time by law runs on while the case is resolved, and so do the messages about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from incidents import actions
from incidents.delivery import validity
from incidents.escalation import engine
from incidents.models import Incident, LegalDeadline, Notice
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def judged(case: Incident, at: dt.datetime) -> validity.Verdict:
    rows = Notice.objects.filter(incident=case, channel="email", kind__in=["warn", "inform"])
    return validity.judge(list(rows.select_related("entry", "incident", "contact", "recipient").order_by("pk")), at)


def test_the_owner_of_a_resolved_case_is_warned_outside_too(cast: Cast, make_incident: Callable[..., Incident]) -> None:
    LegalDeadline.objects.update_or_create(body="cec", defaults={"minutes": 48 * 60})
    case = make_incident(severity="medium")
    for act, data in (
        ("acknowledge", {}),
        ("refer", {"body": "cec", "sent_at": NOW}),
        ("contain", {}),
        ("resolve", {"outcome": "referred_pending", "verification": "verified"}),
    ):
        actions.perform(act, case, by=cast.duty_commander, version=None, now=NOW, **data)
    engine.tick(NOW + 37 * HOUR)
    engine.tick(NOW + 49 * HOUR)
    assert [n.kind for n in judged(case, NOW + 49 * HOUR).send] == ["warn", "inform"]
    actions.perform(
        "conclude_referral", case, by=cast.duty_commander, version=None, now=NOW + 50 * HOUR, referral=1,
        outcome="settled",
    )  # fmt: skip
    assert [n.kind for n in judged(case, NOW + 50 * HOUR).drop] == ["warn"]
