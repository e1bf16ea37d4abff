"""What a policy says, as plain values: the targets of a phase and severity, and the steps of a clock.

A published policy never changes, so each process reads it once and keeps it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from elections import calendar
from elections.models import Election
from elections.prepared import prepared
from incidents.choices import ClockKind, Severity
from incidents.deadlines import PAUSE_STEPS, Step, Targets
from incidents.models import Incident, Policy, PolicyStep, ResponseTarget
from incidents.policy_content import RATED, Content

_DAY = 24 * 60


@dataclass(frozen=True)
class Rules:
    """One policy as values. `steps` and `targets` raise ValidationError where the policy has no row."""

    key: int
    tight_from_hour: int
    tight_medium_minutes: int
    repeat_minutes: int
    _targets: dict[tuple[str, str], Targets]
    _steps: dict[str, tuple[Step, ...]]

    def targets(self, phase: str, severity: str) -> Targets:
        """Minutes for a phase and severity; an unrated case counts as medium."""
        rated = Severity.MEDIUM if severity == Severity.UNRATED else severity
        found = self._targets.get((phase, rated))
        if found is None:
            raise ValidationError(
                _("There is no response target for this phase. Ask your administrator."), code="setup"
            )
        return found

    def repeat_every(self, clock: str) -> int:
        """Minutes after which the alarm at the top is said again; of a body's time by law no more than once a day."""
        return max(self.repeat_minutes, _DAY) if clock == ClockKind.LEGAL else self.repeat_minutes

    def steps(self, clock: str) -> tuple[Step, ...]:
        """What happens on the way of a clock, in order."""
        if clock == ClockKind.SNOOZE:
            return PAUSE_STEPS
        found = self._steps.get(clock)
        if not found:
            raise ValidationError(
                _("The escalation policy has no step for this clock. Ask your administrator."), "setup"
            )
        return found


_kept: dict[int, Rules] = {}


def rules_of(policy: Policy) -> Rules:
    """The rules of a version; of a draft they are read anew each time."""
    if policy.published_at is None:
        return _read(policy)
    if policy.pk not in _kept:
        _kept[policy.pk] = _read(policy)
    return _kept[policy.pk]


def rules_for(incident: Incident) -> Rules:
    """The rules a case runs under; no query once its policy is known here."""
    return _kept.get(incident.policy_id) or rules_of(incident.policy)


def forget() -> None:
    """Read every policy anew: for tests, which undo what they published."""
    _kept.clear()


def content_of(policy: Policy) -> Content:
    """All that a version says, read anew: for its page, to compare, to check, to start a draft from."""
    rules = _read(policy)
    return Content(
        note=policy.note,
        tight_from_hour=policy.tight_from_hour,
        tight_medium=policy.tight_medium_minutes,
        repeat=policy.repeat_minutes,
        targets={place: t for place, t in rules._targets.items() if place[1] in RATED},
        steps=dict(rules._steps),
    )


def rules_from(content: Content, key: int = 0) -> Rules:
    """The rules a version with this content would have, kept or not."""
    return Rules(
        key=key,
        tight_from_hour=content.tight_from_hour,
        tight_medium_minutes=content.tight_medium,
        repeat_minutes=content.repeat,
        _targets=dict(content.targets),
        _steps=dict(content.steps),
    )


def in_force(elections: Iterable[Election | None], now: dt.datetime) -> dict[int | None, Policy]:
    """The version in force at `now` by key of election (None: the general one); not there where it has none."""
    keys = {election.pk if election else None for election in elections}
    published = Policy.objects.filter(published_at__lte=now).order_by("number")
    return {p.election_id: p for p in published.select_related("election") if p.election_id in keys}


#: How the general policy is called in addresses, where an election's has the election's code.
GENERAL = "general"


def code_of(policy: Policy) -> str:
    """First part of a version's address: the election's code, or GENERAL."""
    return policy.election.code if policy.election else GENERAL


def numbered(code: str, number: int) -> Policy | None:
    """The version `number` of the election with that code, or of the general policy."""
    found = Policy.objects.select_related("election", "based_on__election")
    found = found.filter(election=None) if code == GENERAL else found.filter(election__code=code)
    return found.filter(number=number).first()


def policy_for(election: Election, now: dt.datetime) -> Policy:
    """The version that a case reported at `now` gets: the election's newest published one, else the general one.

    Raises ValidationError where none was ever published.
    """
    found = _in_force.first(election.pk, now)
    if found is None:
        raise ValidationError(_("There is no escalation policy. Ask your administrator."), code="setup")
    return found


@prepared
def _in_force(election: Any, now: Any) -> QuerySet[Policy]:
    published = Policy.objects.filter(Q(election=election) | Q(election=None), published_at__lte=now)
    return published.order_by(F("election").desc(nulls_last=True), "-number")[:1]


def _read(policy: Policy) -> Rules:
    steps: dict[str, list[Step]] = defaultdict(list)
    for row in PolicyStep.objects.filter(policy=policy).order_by("clock", "number"):
        steps[row.clock].append(Step(row.percent, row.deed, row.rung))
    return Rules(
        key=policy.pk,
        tight_from_hour=policy.tight_from_hour,
        tight_medium_minutes=policy.tight_medium_minutes,
        repeat_minutes=policy.repeat_minutes,
        _targets={(t.phase, t.severity): _targets_of(t) for t in ResponseTarget.objects.filter(policy=policy)},
        _steps={clock: tuple(rows) for clock, rows in steps.items()},
    )


def _targets_of(row: ResponseTarget) -> Targets:
    return Targets(
        acknowledge=row.acknowledge_minutes,
        first_update=row.first_update_minutes,
        contain=row.contain_minutes,
        resolve=row.resolve_minutes,
        verify=row.verify_minutes,
        update_every=row.update_every_minutes,
    )


def known_rules(policy: int) -> Rules | None:
    """The rules of a published version this process has read already, by key; None: ask `rules_of`."""
    return _kept.get(policy)


def targets_at(rules: Rules, election: Election, phase: str, severity: str, place: str, moment: dt.datetime) -> Targets:
    """The targets of a case at P-code `place` at `moment`: in the tight time of the silence day, a medium one is to be
    taken over sooner (domain 3.3).
    """
    found = rules.targets(phase, severity)
    if (
        severity == Severity.MEDIUM
        and found.acknowledge > rules.tight_medium_minutes
        and calendar.is_tight(election, moment, rules.tight_from_hour, place)
    ):
        return replace(found, acknowledge=rules.tight_medium_minutes)
    return found
