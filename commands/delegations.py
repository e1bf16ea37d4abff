"""The only writer of delegations: for some days a command answers for another as well. Who may: `duty_authority`."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from commands.choices import DELEGATED
from commands.duty_actions import checked_hours
from commands.duty_authority import may_act_for
from commands.models import Delegation, Posting, SecurityCommand, User
from commands.rosters import moment_of

LONGEST = dt.timedelta(days=92)


@transaction.atomic
def delegate(
    command: SecurityCommand,
    acting: SecurityCommand,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    by: User,
    now: dt.datetime,
) -> Delegation:
    """From a moment to a moment, `acting` answers for `command`. One at a time, none in a circle, none downwards."""
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": _("Say why, in a few words.")})
    starts_at = checked_hours(starts_at, ends_at, now, longest=LONGEST)
    # In the order of their keys, so that two commands that delegate to each other at once do not wait for each other;
    # `no_key`, so that nobody who writes of a case of theirs waits, or holds up, either.
    locked = {
        c.pk: c
        for c in SecurityCommand.objects.select_for_update(no_key=True)
        .filter(pk__in=[command.pk, acting.pk], dissolved_on=None)
        .order_by("pk")
    }
    if command.pk == acting.pk:
        raise ValidationError({"acting": _("A command cannot act for itself.")})
    if len(locked) < 2:
        raise ValidationError({"acting": _("This command was dissolved. Choose another.")})
    if not may_act_for(acting, command):
        raise ValidationError(
            {
                "acting": _("Only a command of the same level or above can act for %(command)s.")
                % {"command": command.name}
            }
        )
    _must_be_staffed(acting, starts_at)
    _must_be_alone(command, starts_at, ends_at)
    _must_not_circle(command, acting, starts_at, ends_at)
    return Delegation.objects.create(
        command=command, acting=acting, starts_at=starts_at, ends_at=ends_at, reason=reason[:200], made_by=by,
        made_at=now,
    )  # fmt: skip


@transaction.atomic
def end_delegation(delegation: Delegation, *, now: dt.datetime) -> Delegation:
    """Over from now on; one that has not begun is taken away."""
    found = Delegation.objects.select_for_update(of=("self",)).filter(pk=delegation.pk).first()
    if found is None or found.ends_at <= now:
        raise ValidationError(_("This delegation is over already."), code="not_possible")
    if found.starts_at >= now:
        Delegation.objects.filter(pk=found.pk).delete()
    else:
        found.ends_at = now
        found.save(update_fields=["ends_at"])
    return delegation


def _must_be_staffed(acting: SecurityCommand, at: dt.datetime) -> None:
    if not Posting.objects.current(at).filter(command=acting, role__in=DELEGATED).exists():
        text = _("Nobody answers at %(command)s then, so it cannot act for another.")
        raise ValidationError({"acting": text % {"command": acting.name}})


def _must_be_alone(command: SecurityCommand, starts_at: dt.datetime, ends_at: dt.datetime) -> None:
    other = _running(starts_at, ends_at).filter(command=command).select_related("acting").first()
    if other is not None:
        text = _("%(acting)s acts for this command already until %(moment)s. End that first.")
        raise ValidationError({"acting": text % {"acting": other.acting.name, "moment": moment_of(other.ends_at)}})


def _must_not_circle(
    command: SecurityCommand, acting: SecurityCommand, starts_at: dt.datetime, ends_at: dt.datetime
) -> None:
    """`command` must not, through others or itself, act for `acting` in the same time."""
    acts_for: dict[int, set[int]] = defaultdict(set)
    for actor, served in _running(starts_at, ends_at).values_list("acting", "command"):
        acts_for[actor].add(served)
    reached, ahead = set(), {command.pk}
    while ahead:
        reached |= ahead
        ahead = {served for actor in ahead for served in acts_for[actor]} - reached
    if acting.pk in reached:
        text = _("%(command)s acts for %(acting)s in that time, so both would wait for each other.")
        raise ValidationError({"acting": text % {"command": command.name, "acting": acting.name}})


def _running(starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[Delegation]:
    return Delegation.objects.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)
