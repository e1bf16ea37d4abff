"""The life of an escalation policy: a draft made from a version, edited, published by a second person or given up.

The only writer of policies besides the importer of the first one. Who may: domain 5.2, "Taxonomy, targets, phases":
the PSC and the NEC propose, the NEC approves. Every act is in the journal, and a published version never changes again,
which the database holds too (incidents/frozen.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from commands.authority import judge_roles
from commands.choices import Role
from commands.models import Posting, User
from elections.models import Election
from incidents import entries
from incidents.choices import Act
from incidents.delivery.outbox import tell
from incidents.limits import clean_words
from incidents.models import Entry, Policy, PolicyStep, ResponseTarget
from incidents.policies import content_of
from incidents.policy_checks import errors
from incidents.policy_content import CLOCKS, Content, differences
from incidents.routing import holders

DRAFTERS = (Role.NEC_SECRETARIAT, Role.PSC_WATCH)
APPROVERS = (Role.NEC_SECRETARIAT,)
NOTE_MAX = 2000


class StaleDraft(ValidationError):
    """Somebody saved the draft since it was read; nothing of either is lost."""

    def __init__(self) -> None:
        super().__init__(
            _("Somebody else changed this draft meanwhile. Compare with what it says now, then save again."), "stale"
        )


def may_draft(user: User) -> bool:
    return user.has_role(*DRAFTERS)


def may_publish(user: User, policy: Policy) -> bool:
    """Whether `user` is the second person for this draft."""
    return user.has_role(*APPROVERS) and policy.published_at is None and policy.created_by_id != user.pk


def note_errors(note: str) -> list[str]:
    """What is wrong with the words that say what changes and why; empty where they will do."""
    found: dict[str, str] = {}
    clean_words(note, "note", found, NOTE_MAX)
    if not note.strip():
        found["note"] = _("Say in a sentence what changes and why. Whoever publishes it reads this first.")
    return list(found.values())


@transaction.atomic
def draft(base: Policy, *, election: Election | None, by: User, now: dt.datetime) -> Policy:
    """A new draft that says what `base` says, for `election`, None for all that have no policy of their own.

    Raises PermissionDenied; ValidationError where the election's record is closed or `base` is of another election.
    """
    posting = judge_roles(DRAFTERS, by.current_postings)
    if election is not None and election.is_locked:
        raise ValidationError(_("The record of this election is closed. It can be read and not changed."), "locked")
    if base.election_id not in (None, election.pk if election else None):
        raise ValidationError(_("Start from a version of the same election, or from the general one."), "choice")
    # Two drafts at once would count the same last number.
    _lock_line(election)
    last = Policy.objects.filter(election=election).aggregate(last=Max("number"))["last"] or 0
    made = Policy.objects.create(
        election=election,
        number=last + 1,
        based_on=base,
        tight_from_hour=base.tight_from_hour,
        tight_medium_minutes=base.tight_medium_minutes,
        repeat_minutes=base.repeat_minutes,
        created_by=by,
        created_at=now,
    )
    _write_rows(made, content_of(base))
    _record("drafted", made, by, posting, now, after={"from": str(base)})
    return made


@transaction.atomic
def edit(policy: Policy, content: Content, *, mark: str, by: User, now: dt.datetime) -> Policy:
    """Replace what a draft says. `mark` is that of the content its editor read; `by` becomes who wrote it.

    Raises PermissionDenied; StaleDraft; ValidationError with a sentence for each place, and then nothing is written.
    """
    posting = judge_roles(DRAFTERS, by.current_postings)
    policy, before = _open_draft(policy, mark)
    wrong: dict[str, Any] = dict(errors(content))
    if unfit := note_errors(content.note):
        wrong["note"] = unfit
    if wrong:
        raise ValidationError(wrong)
    changed = differences(before, content)
    if not changed and content.note.strip() == before.note:
        return policy
    policy.note = content.note.strip()
    policy.tight_from_hour = content.tight_from_hour
    policy.tight_medium_minutes = content.tight_medium
    policy.repeat_minutes = content.repeat
    policy.created_by, policy.created_at = by, now
    policy.save(
        update_fields=[
            *("note", "tight_from_hour", "tight_medium_minutes", "repeat_minutes"),
            *("created_by", "created_at"),
        ]
    )
    policy.targets.all().delete()
    policy.steps.all().delete()
    _write_rows(policy, content)
    _record(
        "edited", policy, by, posting, now,
        before={place: old for place, (old, _new) in changed.items()},
        after={place: new for place, (_old, new) in changed.items()},
    )  # fmt: skip
    return policy


@transaction.atomic
def publish(policy: Policy, *, mark: str, by: User, now: dt.datetime, note: str = "") -> Policy:
    """Put a draft in force for cases reported from `now` on: by somebody of the NEC secretariat who did not write it.

    Raises PermissionDenied; StaleDraft where it is not what was read; ValidationError where it is not sound or not new.
    """
    posting = judge_roles(APPROVERS, by.current_postings)
    # Two publications at once would not see each other. Before the draft itself, or who drafts could wait for us and we
    # for them.
    _lock_line(policy.election)
    policy, content = _open_draft(policy, mark)
    if policy.created_by_id == by.pk:
        raise PermissionDenied(_("You wrote this draft, so somebody else of the NEC secretariat must publish it."))
    if not content.note:
        raise ValidationError(_("The draft does not say what changes and why. Write that first."), code="note")
    if errors(content) or _has_gap(policy):
        raise ValidationError(
            _("This draft is not sound yet. Open it to change it: a sentence stands beside each value."), code="unsound"
        )
    # Also an earlier draft that was published since this one was last written: what it changed is not in here.
    meanwhile = Q(number__gt=policy.number) | Q(published_at__gt=policy.created_at)
    newer = Policy.objects.filter(meanwhile, election=policy.election).exclude(published_at=None)
    if found := newer.order_by("-number").first():
        text = _("Version %(number)d was published meanwhile. Make a new draft from it, so that nothing of it is lost.")
        raise ValidationError(text % {"number": found.number}, code="overtaken")
    policy.published_by, policy.published_at = by, now
    policy.save(update_fields=["published_by", "published_at"])
    entry = _record("published", policy, by, posting, now, after={"mark": mark}, note=note)
    tell(entry, holders(DRAFTERS, now), "policy")
    return policy


@transaction.atomic
def discard(policy: Policy, *, mark: str, by: User, now: dt.datetime) -> None:
    """Give a draft up; the journal keeps that there was one. Raises as `edit`."""
    posting = judge_roles(DRAFTERS, by.current_postings)
    policy, content = _open_draft(policy, mark)
    _record("discarded", policy, by, posting, now, before={k: v for k, v in content.values().items() if v is not None})
    policy.targets.all().delete()
    policy.steps.all().delete()
    policy.delete()


# ---- Parts ----


def _lock_line(election: Election | None) -> None:
    """Whoever comes second to the versions of an election, or to the general ones, waits here for the first.

    `no_key`: a report that names one of these versions, or its election, does not wait.
    """
    versions = Policy.objects.select_for_update(of=("self",), no_key=True).filter(election=election)
    list(versions.order_by("pk").values_list("pk"))
    if election is not None:
        # An election's first draft has no version before it to wait at.
        list(Election.objects.select_for_update(no_key=True).filter(pk=election.pk).values_list("pk"))


def _open_draft(policy: Policy, mark: str) -> tuple[Policy, Content]:
    """The draft, locked, and what it says; it must be what somebody read."""
    locked = Policy.objects.select_for_update(of=("self",)).select_related("election").filter(pk=policy.pk).first()
    if locked is None:
        raise ValidationError(_("This draft was given up meanwhile. Make a new one."), code="gone")
    if locked.published_at is not None:
        raise ValidationError(
            _("This version is published and never changes again. Make a new draft from it."), code="published"
        )
    content = content_of(locked)
    if content.mark() != mark:
        raise StaleDraft
    return locked, content


def _has_gap(policy: Policy) -> bool:
    """Whether the stored numbers of a clock's steps leave one out; no page can write that, a database shell can."""
    numbers: dict[str, list[int]] = {}
    for clock, number in policy.steps.order_by("clock", "number").values_list("clock", "number"):
        numbers.setdefault(clock, []).append(number)
    return any(found != list(range(len(found))) for found in numbers.values())


def _write_rows(policy: Policy, content: Content) -> None:
    ResponseTarget.objects.bulk_create(
        ResponseTarget(
            policy=policy,
            phase=phase,
            severity=severity,
            acknowledge_minutes=t.acknowledge,
            first_update_minutes=t.first_update,
            contain_minutes=t.contain,
            update_every_minutes=t.update_every,
            resolve_minutes=t.resolve,
            verify_minutes=t.verify,
        )
        for (phase, severity), t in content.targets.items()
    )
    PolicyStep.objects.bulk_create(
        PolicyStep(policy=policy, clock=clock, number=number, percent=s.percent, deed=s.deed, rung=s.rung)
        for clock in CLOCKS
        for number, s in enumerate(content.steps.get(clock, ()))
    )


def _record(
    what: str,
    policy: Policy,
    by: User,
    posting: Posting,
    now: dt.datetime,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
) -> Entry:
    """One entry about no case; `after` names the version as its address does, "CC27/2"."""
    after = {"policy": str(policy), **(after or {})}
    return entries.record(Act.POLICY, what, by=by, posting=posting, now=now, before=before, after=after, note=note)
