"""A published policy never changes: not by an action, and not by the database's own doors."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase

from incidents import frozen, policy_actions
from incidents.models import Policy, PolicyStep, ResponseTarget
from incidents.policies import content_of
from tests.cast import NOW, Cast
from tests.incidents.policies.drafts import drafted, general

pytestmark = pytest.mark.django_db


def test_the_triggers_are_there() -> None:
    assert frozen.missing(connection) == []


WRITES: dict[str, Callable[[Policy], object]] = {
    "a value": lambda p: Policy.objects.filter(pk=p.pk).update(repeat_minutes=5),
    "its note": lambda p: Policy.objects.filter(pk=p.pk).update(note="x"),
    "who published it": lambda p: Policy.objects.filter(pk=p.pk).update(published_by=Cast().nec),
    "to a draft again": lambda p: Policy.objects.filter(pk=p.pk).update(published_at=None),
    "a target": lambda p: ResponseTarget.objects.filter(policy=p).update(acknowledge_minutes=1),
    "a target away": lambda p: ResponseTarget.objects.filter(policy=p).delete(),
    "a target to another policy": lambda p: ResponseTarget.objects.filter(policy=p).update(policy=drafted()),
    "a target from a draft": lambda p: ResponseTarget.objects.filter(policy=drafted()).update(policy=p),
    "a step": lambda p: PolicyStep.objects.filter(policy=p).update(percent=1000),
    "a step away": lambda p: PolicyStep.objects.filter(policy=p, number=1).delete(),
    "a step more": lambda p: PolicyStep.objects.create(policy=p, clock="contain", number=9, percent=900, deed="move"),
    "a step away, in SQL": lambda p: connection.cursor().execute(
        "DELETE FROM incidents_policystep WHERE policy_id = %s", [p.pk]
    ),
    "the version away, in SQL": lambda p: connection.cursor().execute(
        "DELETE FROM incidents_policy WHERE id = %s", [p.pk]
    ),
}


@pytest.mark.parametrize("what", WRITES)
def test_the_database_refuses_to_change(what: str, cast: Cast) -> None:
    policy = general()
    before = content_of(policy).mark()
    with pytest.raises(DatabaseError, match="published policy"), transaction.atomic():
        WRITES[what](policy)
    assert content_of(policy).mark() == before
    assert Policy.objects.get(pk=policy.pk).published_at is not None


def test_an_insert_that_replaces_is_refused(cast: Cast) -> None:
    if connection.vendor != "sqlite":
        # PostgreSQL knows no such statement; its upsert is an UPDATE, which is refused above.
        return
    row = PolicyStep.objects.filter(policy=general())[0]
    with pytest.raises(DatabaseError, match="published policy"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT OR REPLACE INTO incidents_policystep (id, policy_id, clock, number, percent, deed) "
            "VALUES (%s, %s, 'contain', 7, 700, 'warn')",
            [row.pk, drafted().pk],
        )


@pytest.mark.parametrize("act", ["edit", "publish", "discard"])
def test_the_actions_refuse_in_words(act: str, cast: Cast) -> None:
    policy = general()
    content = content_of(policy)
    more = {"content": content} if act == "edit" else {}
    with pytest.raises(ValidationError, match="never changes again"):
        getattr(policy_actions, act)(policy, mark=content.mark(), by=cast.nec, now=NOW, **more)


def test_a_draft_may_be_written_and_given_up(cast: Cast) -> None:
    draft = drafted()
    ResponseTarget.objects.filter(policy=draft).update(verify_minutes=77)
    policy_actions.discard(draft, mark=content_of(draft).mark(), by=cast.psc, now=NOW)
    assert not Policy.objects.filter(pk=draft.pk).exists()


class AfterTheMigrationIsUndone(TransactionTestCase):
    def test_nothing_is_left_and_it_can_be_made_again(self) -> None:
        frozen.remove(connection)
        assert len(frozen.missing(connection)) >= 7
        frozen.install(connection)
        assert frozen.missing(connection) == []
