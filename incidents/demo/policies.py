"""Policies of the demonstration: a version of the running election, tighter than the general one, and a draft."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from elections.choices import Phase
from elections.models import Election
from incidents import policy_actions
from incidents.choices import Deed, Severity
from incidents.deadlines import Step
from incidents.demo.stage import Stage, void
from incidents.models import Policy
from incidents.policies import content_of, policy_for
from incidents.policy_content import Content

#: How long before the end of the stage the version was published, and the draft last written.
PUBLISHED, DRAFTED = dt.timedelta(days=60), dt.timedelta(days=2)
Change = Callable[[Content], Content]
_WHY = (
    "ក្រោយសមយុទ្ធនៅតាមខេត្ត៖ ករណីធ្ងន់ធ្ងរក្នុងយុទ្ធនាការឃោសនាត្រូវទទួលជ្រាបក្នុងរយៈពេល 20 នាទី "
    "ហើយករណីដែលមិនទាន់ទប់ស្កាត់ត្រូវបញ្ជូនទៅថ្នាក់លើ នៅពាក់កណ្តាលរយៈពេលកំណត់ក្រោយហួសកាលកំណត់។"
)
_WHY_NEXT = "សំណើសម្រាប់ថ្ងៃបោះឆ្នោត៖ រាយការណ៍រៀងរាល់ 20 នាទី ហើយករណីដែលគ្មានអ្នកទទួល ត្រូវបញ្ជូនទៅ គ.ស.អ នៅលើកទីពីរ។"


def plan(stage: Stage, election: Election) -> None:
    """Plan both on the stage: drafted by the PSC's watch, published by the NEC's secretariat a day later."""
    before = stage.end - PUBLISHED - dt.timedelta(days=1)
    stage.at(before, lambda now: void(_draft(stage, election, now, _WHY, _tighter)))
    stage.at(stage.end - PUBLISHED, lambda now: _publish(stage, election, now))
    stage.at(stage.end - DRAFTED, lambda now: void(_draft(stage, election, now, _WHY_NEXT, _next)))


def _draft(stage: Stage, election: Election, now: dt.datetime, why: str, change: Change) -> Policy:
    psc = stage.person("psc-watch")
    made = policy_actions.draft(policy_for(election, now), election=election, by=psc, now=now)
    content = content_of(made)
    return policy_actions.edit(made, replace(change(content), note=why), mark=content.mark(), by=psc, now=now)


def _publish(stage: Stage, election: Election, now: dt.datetime) -> None:
    made = Policy.objects.get(election=election, published_at=None)
    policy_actions.publish(made, mark=content_of(made).mark(), by=stage.person("nec-secretariat"), now=now)


def _tighter(content: Content) -> Content:
    targets = dict(content.targets)
    high = targets[Phase.CAMPAIGN, Severity.HIGH]
    targets[Phase.CAMPAIGN, Severity.HIGH] = replace(high, acknowledge=20, first_update=90)
    low = targets[Phase.BETWEEN, Severity.LOW]
    targets[Phase.BETWEEN, Severity.LOW] = replace(low, contain=10 * 1440, resolve=20 * 1440)
    steps = dict(content.steps)
    steps["contain"] = (Step(75, Deed.WARN), Step(100, Deed.TELL), Step(150, Deed.MOVE))
    return replace(content, targets=targets, steps=steps)


def _next(content: Content) -> Content:
    targets = dict(content.targets)
    for phase in (Phase.POLLING, Phase.COUNTING):
        critical = targets[phase, Severity.CRITICAL]
        targets[phase, Severity.CRITICAL] = replace(critical, update_every=20, contain=90)
    steps = dict(content.steps)
    steps["accept"] = (Step(75, Deed.WARN), Step(100, Deed.MOVE, 3))
    return replace(content, targets=targets, steps=steps, tight_from_hour=16)
