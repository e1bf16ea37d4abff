"""What stands beside the map: how fast commands answer, what waits for the NEC, how far the figures can be trusted."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commands.choices import Role
from elections.calendar import phase_at
from elections.models import Election
from incidents import classification
from incidents.choices import Classification, Severity, Verification
from incidents.dashboards import breakdowns, charts, measures
from incidents.dashboards.cards import SLOW_SECONDS
from incidents.dashboards.question import Period, Question
from incidents.dashboards.trend import DAYS
from incidents.dashboards.waits import SMALLEST_BASE
from incidents.models import Block, Entry, Policy, PublicNotice, PublicNoticeState, ResponseTarget
from incidents.policies import policy_for

#: Acts are sealed each minute; waiting longer than this, they are told to wait.
SEAL_PATIENCE = dt.timedelta(minutes=5)


def _targets(election: Election | None, phase: str, now: dt.datetime) -> dict[str, int]:
    """Minutes to acknowledge by severity, of the policy in force for the election, or of the general one."""
    policy = policy_for(election, now) if election else Policy.objects.filter(election=None).order_by("-number").first()
    return {t.severity: t.acknowledge_minutes for t in ResponseTarget.objects.filter(policy=policy, phase=phase)}


def response(question: Question) -> dict[str, Any]:
    """Time to acknowledge by severity against the target of the phase, over the last seven days."""
    kept: dict[str, Any] = question.remembered(
        "response",
        lambda: {"at": question.now, "times": breakdowns.acknowledge_times(question)},
        seconds=SLOW_SECONDS,
    )
    election = question.election
    phase = phase_at(election, question.now) if election else "between"
    targets = _targets(election, phase, question.now)
    bullets = [
        charts.Bullet(
            name=str(severity.label),
            code=severity.value,
            half=found.half,
            most=found.most,
            target=targets[severity],
            base=found.base,
            in_time=found.in_time,
            is_enough=found.base >= SMALLEST_BASE,
        )
        for severity in Severity
        if severity in kept["times"] and severity in targets
        for found in [kept["times"][severity]]
    ]
    has_bars = any(b.is_enough for b in bullets)
    return {"title": _finding(bullets), "bullets": bullets, "has_bars": has_bars, "at": kept["at"]}


def _finding(bullets: list[charts.Bullet]) -> str:
    """What the bars say, of as many cases as a share needs; never more than the severities they are of."""
    if not bullets:
        return _("No critical or high case was due to be acknowledged in the last 7 days")
    enough = [b for b in bullets if b.is_enough]
    if not enough:
        return _("Too few critical and high cases to say how fast they are acknowledged")
    slow = next((b for b in enough if b.is_late), None)
    if slow and slow.code == Severity.CRITICAL:
        return _("More than one in ten critical cases were not acknowledged in time")
    if slow:
        return _("More than one in ten high cases were not acknowledged in time")
    if len(enough) > 1:
        return _("At least nine of ten critical and high cases were acknowledged in time")
    if enough[0].code == Severity.CRITICAL:
        return _("At least nine of ten critical cases were acknowledged in time")
    return _("At least nine of ten high cases were acknowledged in time")


def trust(question: Question) -> dict[str, Any]:
    """How much of what is open is known to be true, and how sound the record is."""
    kept: dict[str, Any] = question.remembered(
        "trust",
        lambda: {
            "at": question.now,
            "mix": dict(breakdowns.by_verification(question)),
            **measures.of_period(question, "late_entries", "duplicates", "undetermined", "reported"),
        },
        seconds=SLOW_SECONDS,
    )
    mix: dict[str, int] = kept["mix"]
    whole, verified = sum(mix.values()), mix.get(Verification.VERIFIED, 0)
    title = (
        ngettext("%(verified)d of %(n)d open case is verified", "%(verified)d of %(n)d open cases are verified", whole)
        % {"verified": verified, "n": whole}
        if whole
        else _("No open case to verify")
    )
    return {
        **kept,
        "title": title,
        "parts": charts.parts([(v.value, str(v.label), mix.get(v, 0)) for v in Verification]),
        "counts": [(v.value, mix.get(v, 0)) for v in Verification if mix.get(v)],
        "sealed_at": sealed_up_to(question.now),
    }


def sealed_up_to(now: dt.datetime) -> dt.datetime | None:
    """The moment up to which the record is sealed; None while nothing is.

    `now` while no act waits longer than is usual: the moment of the last block would tell of acts out of sight.
    """
    last = Block.objects.order_by("-pk").values_list("last_id", flat=True).first()
    if last is None:
        return None
    oldest = Entry.objects.filter(pk__gt=last).order_by("pk").values_list("at", flat=True).first()
    return oldest if oldest is not None and now - oldest > SEAL_PATIENCE else now


def waiting_for_nec(question: Question) -> dict[str, int] | None:
    """What the NEC owes others; only for its own people."""
    if not question.user.has_role(Role.NEC_SECRETARIAT):
        return None
    return question.remembered(
        "nec",
        lambda: {
            **_to_classify(question),
            "notices": PublicNotice.objects.filter(state=PublicNoticeState.DRAFT).count(),
            "requests": question.cases().open().exclude(request_act="").count(),
        },
    )


def _to_classify(question: Question) -> dict[str, int]:
    """What waits for a classification and what of it is late; what is not late is young, and that is soon counted."""
    waiting = classification.waiting_for(question.user)
    all_of_them = measures.standing(
        question,
        state__in=classification.CLASSIFIABLE,
        classification=Classification.UNDETERMINED,
        election__is_locked=False,
    )
    mine = question.asked.apply(waiting, question.user, question.now)
    young = mine.filter(reported_at__gte=question.now - classification.WITHIN)
    counted = young.aggregate(n=Count("*"), late=Count("reported_at", filter=classification.is_late(question.now)))
    return {"classify": all_of_them, "late": all_of_them - counted["n"] + counted["late"]}


def sealed(question: Question) -> int | None:
    """How many sealed cases of 28 days there are, for those who may count them; one number, no place."""
    if not measures.MEASURES["sealed"].is_for(question.user):
        return None
    value = measures.answer("sealed", question.over(Period.last_days(DAYS, question.now))).value
    return None if value is None else int(value)
