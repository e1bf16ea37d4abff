"""A pause that waited in vain is let go once, whoever looks or acts at the same moment."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest

from incidents import actions, pauses
from incidents.choices import Act
from incidents.escalation import engine
from incidents.models import Incident
from tests.at_once import at_once
from tests.cast import NOW, Cast
from tests.factories import make_incident

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
END = NOW + dt.timedelta(hours=1)


def test_two_workers_and_a_person_who_withdraws(cast: Cast) -> None:
    assert cast.officer.current_postings
    for _round in range(5):
        case = make_incident(severity="low")
        actions.acknowledge(case, by=cast.duty_commander, version=None, now=NOW)
        pauses.snooze(case, by=cast.duty_commander, until=END, reason="He is away.", version=None, now=NOW)
        withdraw = partial(actions.withdraw, case, by=cast.officer, reason="A mistake.", version=None, now=END)
        assert not [g for g in at_once(partial(engine.tick, END), withdraw, partial(engine.tick, END))
                    if isinstance(g, BaseException)]  # fmt: skip
        now = Incident.objects.get(pk=case.pk)
        acts = list(case.entries.order_by("version").values_list("act", flat=True))
        assert now.request_act == Act.WITHDRAW
        assert [act for act in acts if act in (Act.DECLINE, Act.WITHDRAW)] in (
            [Act.WITHDRAW],
            [Act.DECLINE, Act.WITHDRAW],
        )
        assert now.version == len(acts)
        actions.decline(case, by=cast.nec, reason="Go on.", version=None, now=END)
