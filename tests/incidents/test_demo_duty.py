"""Duty of the demonstration: rosters, a gap, a delegation, a swap and quiet hours, made once."""

from __future__ import annotations

import datetime as dt

import pytest

from commands.models import ContactPoint, Cover, Delegation, Roster, SecurityCommand, Shift, Swap
from commands.rosters import AHEAD, plan_of, plans_of
from incidents.demo.duty import OWN, make_duty
from incidents.demo.people import make_accounts, make_demo_province, staff_the_ladder
from tests.cast import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("moment", [NOW, NOW + dt.timedelta(hours=13), NOW + dt.timedelta(days=5)])
def test_the_demonstration_has_duty_of_every_kind(moment: dt.datetime) -> None:
    make_demo_province()
    make_accounts()
    staff_the_ladder()
    make_duty(moment)
    counts = [m.objects.count() for m in (Roster, Shift, Cover, Swap, Delegation)]
    make_duty(moment)
    assert [m.objects.count() for m in (Roster, Shift, Cover, Swap, Delegation)] == counts, "made once"
    plans = {
        p.command.code: p
        for p in plans_of(SecurityCommand.objects.filter(roster__isnull=False), moment, moment + AHEAD)
    }
    assert not plans[OWN].is_on and plans[OWN].gaps(moment, moment + AHEAD), "a plan with a hole"
    in_use = [p for p in plans.values() if p.is_on]
    kinds = {bool(p.gaps(moment + dt.timedelta(days=1), moment + AHEAD)) for p in in_use}
    assert kinds == {True, False}, "one covered, one with gaps"
    acting = Delegation.objects.select_related("command").get()
    assert plan_of(acting.command, moment, moment + AHEAD).delegations == [acting]
    assert Swap.objects.filter(roster__command__code=OWN, asked_of__username="demo-duty-daunkeo").exists()
    assert ContactPoint.objects.exclude(quiet_from=None).filter(user__username="demo-duty-daunkeo").exists()
