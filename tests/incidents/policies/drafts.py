"""Versions of policies for tests, made the way people make them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace

from elections.choices import IN_USE
from elections.models import Election
from incidents import policy_actions
from incidents.choices import Severity
from incidents.deadlines import Step, Targets
from incidents.models import Policy
from incidents.policies import content_of
from incidents.policy_content import PHASES, RATED, Content
from tests.cast import NOW, Cast


def general() -> Policy:
    """The version the reference data brings: in force where an election has none of its own."""
    return Policy.objects.filter(election=None).order_by("number")[0]


def election(code: str = "CC27") -> Election:
    return Election.objects.get(code=code)


def drafted(base: Policy | None = None, *, now: dt.datetime = NOW, code: str = "CC27") -> Policy:
    """A draft of the PSC's watch for the election."""
    return policy_actions.draft(base or general(), election=election(code), by=Cast().psc, now=now)


def edited(draft: Policy, change: Callable[[Content], Content], *, now: dt.datetime = NOW) -> Policy:
    content = content_of(draft)
    new = change(replace(content, note=content.note or "Tighter, after the exercise in May."))
    return policy_actions.edit(draft, new, mark=content.mark(), by=Cast().psc, now=now)


def published(
    change: Callable[[Content], Content] = lambda content: content,
    base: Policy | None = None,
    *,
    now: dt.datetime = NOW,
    code: str = "CC27",
) -> Policy:
    """A version of the election that differs from `base` by `change`, in force from `now` on."""
    draft = edited(drafted(base, now=now, code=code), change, now=now)
    return policy_actions.publish(draft, mark=content_of(draft).mark(), by=Cast().nec, now=now)


def faster(times: int) -> Callable[[Content], Content]:
    """Every target in a fraction of its time."""

    def quick(target: Targets) -> Targets:
        return Targets(
            acknowledge=max(target.acknowledge // times, 1),
            first_update=max(target.first_update // times, 1),
            contain=max(target.contain // times, 1),
            resolve=max(target.resolve // times, 1),
            verify=target.verify,
            update_every=target.update_every,
        )

    return lambda content: replace(content, targets={k: quick(t) for k, t in content.targets.items()})


def with_steps(**steps: tuple[Step, ...]) -> Callable[[Content], Content]:
    return lambda content: replace(content, steps={**content.steps, **steps})


def with_target(phase: str, severity: str, **minutes: int | None) -> Callable[[Content], Content]:
    def changed(content: Content) -> Content:
        targets = dict(content.targets)
        targets[phase, severity] = replace(targets[phase, severity], **minutes)  # type: ignore[arg-type]
        return replace(content, targets=targets)

    return changed


def even(acknowledge: int, first_update: int, contain: int) -> Mapping[tuple[str, str], Targets]:
    """The same targets everywhere, in minutes; further updates of critical cases only where they must be asked for."""
    same = Targets(acknowledge=acknowledge, first_update=first_update, contain=contain, resolve=contain * 2, verify=120)
    asked = replace(same, update_every=60)
    return {(p, s): asked if p in IN_USE and s == Severity.CRITICAL else same for p in PHASES for s in RATED}
