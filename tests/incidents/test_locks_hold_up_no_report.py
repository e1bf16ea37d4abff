"""Who delegates or drafts a policy locks commands and versions, and waits for nobody who writes of a case."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction

from commands.models import Delegation
from incidents import duty, policy_actions
from incidents.models import Entry, Incident, Policy
from incidents.policies import policy_for
from tests.cast import NOW, Cast

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def beside(act: Callable[[], object]) -> list[str]:
    """What became of an act on a connection of its own, which waits for no lock longer than a second."""
    said: list[str] = []

    def run() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            act()
            said.append("done")
        except OperationalError:
            said.append("waited")
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return said


def test_a_delegation_waits_for_no_entry_of_the_command(cast: Cast) -> None:
    province, district = cast.command("provincial"), cast.command("duty_commander")
    Delegation.objects.all().delete()
    with transaction.atomic():
        Entry.objects.create(act="duty", at=NOW, channel="engine", command=district)
        # As at the commit, when what names a command locks it.
        connection.check_constraints()
        assert beside(
            lambda: duty.delegate(
                district, province, starts_at=NOW, ends_at=NOW + dt.timedelta(days=1), reason="Leave",
                by=cast.provincial, now=NOW,
            )
        ) == ["done"]  # fmt: skip


def test_a_draft_waits_for_no_report(cast: Cast, make_incident: Callable[..., Incident]) -> None:
    base: Policy = policy_for(make_incident().election, NOW)
    with transaction.atomic():
        make_incident(narrative="Another tent burnt at the other end of the road.")
        connection.check_constraints()
        assert beside(lambda: policy_actions.draft(base, election=base.election, by=cast.psc, now=NOW)) == ["done"]
