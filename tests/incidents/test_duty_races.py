"""Two people change duty at the same moment: one of them is told no, and nothing is done twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from commands import contacts
from commands.models import ContactPoint, Cover, Delegation, Shift, Swap
from incidents import duty
from tests.at_once import at_once
from tests.cast import NOW
from tests.incidents.duty_stage import plan_duty

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
DAY = dt.timedelta(days=1)


def said_of(*calls: Callable[[], Any]) -> list[str]:
    """What became of each: "done", or the refusal in words."""
    given = at_once(*calls)
    return [
        " ".join(g.messages) if isinstance(g, ValidationError) else "" if isinstance(g, Exception) else "done"
        for g in given
    ]


def test_a_swap_is_agreed_or_withdrawn_and_not_both(cast: Any) -> None:
    planned = plan_duty(cast)
    Cover.objects.all().delete()
    Swap.objects.update(asked_by=cast.duty_commander, asked_of=planned.second)
    swap = Swap.objects.select_related("asked_by", "asked_of", "roster__command").get()
    said = said_of(
        lambda: duty.answer_swap(swap, "agreed", by=planned.second, now=NOW),
        lambda: duty.answer_swap(swap, "withdrawn", by=cast.duty_commander, now=NOW),
        lambda: duty.answer_swap(swap, "agreed", by=planned.second, now=NOW),
    )
    assert said.count("done") == 1, said
    assert Cover.objects.count() == (Swap.objects.get().state == "agreed")


def test_the_same_shift_is_put_on_the_roster_once(cast: Any) -> None:
    command, person, by = cast.command("duty_commander"), cast.duty_commander, cast.provincial

    def add() -> None:
        duty.add_shifts(command, person=person, weekdays=[0], starts=dt.time(8), minutes=60, first=NOW.date(),
                        last=None, by=by, now=NOW)  # fmt: skip

    said = said_of(add, add, add)
    assert said.count("done") == 1 and Shift.objects.count() == 1, said


def test_two_commands_do_not_come_to_act_for_each_other(cast: Any) -> None:
    here, there, by = cast.command("duty_commander"), cast.command("neighbour"), cast.provincial

    def act(command: Any, acting: Any) -> Callable[[], Any]:
        return lambda: duty.delegate(
            command, acting, starts_at=NOW, ends_at=NOW + DAY, reason="Flood", by=by, now=NOW
        )  # fmt: skip

    said = said_of(act(here, there), act(there, here))
    assert said.count("done") == 1 and Delegation.objects.count() == 1


def test_tries_of_a_code_are_all_counted(cast: Any) -> None:
    contact = contacts.add(cast.officer, channel="sms", address="012345678", now=NOW)
    code = contacts.start_verification(contact, NOW)
    wrong = str((int(code) + 1) % 10**6).zfill(6)
    at_once(*[lambda: contacts.verify(contact, wrong, NOW)] * 8)
    assert ContactPoint.objects.get(pk=contact.pk).code_tries == contacts.TRIES
    with pytest.raises(ValidationError, match="too often"):
        contacts.verify(contact, code, NOW)
