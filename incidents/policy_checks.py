"""What is wrong with a version of a policy before it may be kept or published: a sentence beside each value.

Pure. Errors refuse; warnings are for a second look. Sources: domain 3.2, 3.3 and the failures listed in
docs/decisions/0013-policies.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from django.utils.translation import gettext as _

from elections.choices import IN_USE, Phase
from incidents.choices import ClockKind, Deed, Severity
from incidents.deadlines import Step, Targets
from incidents.policy_content import CLOCKS, OPTIONAL, PHASES, RATED, TIMES, Content, written

#: Ninety days: longer than any phase, so a longer time is a slip of the finger.
LONGEST = 90 * 1440
MOST_STEPS = 6
MOST_PERCENT = 1000
#: What nobody takes up has moved by then at the latest: twice its deadline, as late as domain 3.3 moves anything.
MOST_PERCENT_TAKEN_UP = 200
#: Of the times that hold for all cases, in minutes: the least and the most. Medium cases of the silence day have half a
#: working day; an alarm at the top that comes less often than every two hours calls nobody.
GENERAL_TIMES = {"tight_medium": (1, 240), "repeat": (5, 120)}
_H, _D = 60, 1440
#: No version may give more, in minutes: two signatures change a policy, and may not switch it off. Generous multiples,
#: four to twelve times, of the slowest phase of domain 3.2; why these: docs/decisions/0013-policies.md.
CEILINGS: dict[Severity, dict[str, int]] = {
    Severity.CRITICAL: {"acknowledge": 60, "first_update": 6 * _H, "update_every": 24 * _H, "contain": 7 * _D},
    Severity.HIGH: {"acknowledge": 8 * _H, "first_update": 24 * _H, "contain": 21 * _D},
    Severity.MEDIUM: {"acknowledge": 48 * _H, "first_update": 7 * _D, "contain": 45 * _D},
    Severity.LOW: {"acknowledge": 7 * _D, "first_update": 21 * _D, "contain": LONGEST},
}
#: While people vote and votes are counted: the polls are open for eight hours, and what comes up later comes too late.
CEILINGS_IN_USE: dict[Severity, dict[str, int]] = {
    Severity.CRITICAL: {"acknowledge": 30, "first_update": 2 * _H, "update_every": 4 * _H, "contain": 12 * _H},
    Severity.HIGH: {"acknowledge": 60, "first_update": 4 * _H, "contain": 24 * _H},
    Severity.MEDIUM: {"acknowledge": 4 * _H, "first_update": 12 * _H, "contain": 7 * _D},
    Severity.LOW: {"acknowledge": 8 * _H, "first_update": 48 * _H, "contain": 21 * _D},
}
#: Slower than this, in minutes, a version is looked at twice: four times the slowest phase of the first one, twice for
#: critical cases.
UNSEEN = {Severity.CRITICAL: 30, Severity.HIGH: 240, Severity.MEDIUM: 960, Severity.LOW: 5760}
#: Where the time is over.
DEADLINE = {"percent": 100}
LOWEST_RUNG, HIGHEST_RUNG = 2, 3
#: What nobody took up must go up: a chain that stops at a word of warning is how cases are lost.
_MUST_MOVE = (ClockKind.ACKNOWLEDGE, ClockKind.ACCEPT)
#: A person verifies and a body decides by law: a move makes neither of them quicker.
_SELDOM_MOVE = (ClockKind.VERIFY, ClockKind.LEGAL)

Found = tuple[str, str]


def errors(content: Content) -> dict[str, list[str]]:
    """Sentences by place; empty where the version may be kept and published."""
    found: dict[str, list[str]] = {}
    for place, sentence in (*_general(content), *_all_targets(content), *_all_steps(content)):
        found.setdefault(place, []).append(sentence)
    return found


def warnings(content: Content) -> dict[str, list[str]]:
    """What deserves a second look, by place; nothing of it refuses."""
    found: dict[str, list[str]] = {}
    for place, sentence in (*_slower_than_milder(content), *_unusual(content)):
        found.setdefault(place, []).append(sentence)
    return found


# ---- General ----


def _general(content: Content) -> Iterator[Found]:
    if not 0 <= content.tight_from_hour <= 23:
        yield "tight_from_hour", _("Write a full hour from 0 to 23.")
    for place, (least, most) in GENERAL_TIMES.items():
        if not least <= getattr(content, place) <= most:
            values = {"least": written(least), "most": written(most)}
            yield place, _("Write a time from %(least)s to %(most)s.") % values


# ---- Times ----


def _all_targets(content: Content) -> Iterator[Found]:
    moves_at = _taken_up_at(content)
    for phase in PHASES:
        for severity in RATED:
            target = content.targets.get((phase, severity))
            where = f"{phase}.{severity}"
            if target is None:
                values = {"phase": phase.label, "severity": severity.label}
                yield f"{where}.acknowledge", _("There is no time for «%(phase)s», «%(severity)s». Write one.") % values
            else:
                yield from _target(where, target, ceilings(phase, severity))
                yield from _move(where, target.acknowledge, moves_at, ceilings(phase, severity)["acknowledge"])
                if severity == Severity.CRITICAL and phase in IN_USE and target.update_every is None:
                    text = _(
                        "Write a time: while people vote and votes are counted, critical cases are reported on again."
                    )
                    yield f"{where}.update_every", text


def _taken_up_at(content: Content) -> int:
    """The percent of its time at which the slower of the clocks that must move moves the case; 100 where none does."""
    last = [content.steps[clock][-1] for clock in _MUST_MOVE if content.steps.get(clock)]
    return max((step.percent for step in last if step.deed == Deed.MOVE), default=100)


def _move(where: str, minutes: int, percent: int, most: int) -> Iterator[Found]:
    """The ceiling is for what it does: a deadline that is kept below it and a move long after call nobody in time."""
    if minutes <= most < minutes * percent / 100 and percent <= MOST_PERCENT_TAKEN_UP:
        values = {"time": written(minutes * percent // 100), "percent": percent, "most": written(most)}
        text = _(
            "What nobody takes up would move only after %(time)s, at %(percent)d %% of this. At most %(most)s:"
            " shorten the time, or let it move sooner."
        )
        yield f"{where}.acknowledge", text % values


def ceilings(phase: str, severity: str) -> dict[str, int]:
    """The most minutes a version may give for each time of a case like this; a time that is not there has LONGEST."""
    return (CEILINGS_IN_USE if phase in IN_USE else CEILINGS)[Severity(severity)]


def _target(where: str, target: Targets, most: Mapping[str, int]) -> Iterator[Found]:
    sound = True
    for time in TIMES:
        minutes = getattr(target, time)
        if minutes is None and time in OPTIONAL:
            continue
        if minutes is None or minutes < 1:
            sound = False
            yield f"{where}.{time}", _("Write a time of one minute or more, as 90 m, 2 h or 3 d.")
        elif minutes > LONGEST:
            sound = False
            yield (
                f"{where}.{time}",
                _("At most %(most)s. Look at the number and its unit.") % {"most": written(LONGEST)},
            )
        elif minutes > most.get(time, LONGEST):
            yield (
                f"{where}.{time}",
                _("At most %(most)s for such a case: a longer deadline would call nobody in time.")
                % {"most": written(most[time])},
            )
    if not sound:
        return
    if target.first_update < target.acknowledge:
        values = {"time": written(target.acknowledge)}
        yield (
            f"{where}.first_update",
            _("The first update cannot be due before the acknowledgement (%(time)s).") % values,
        )
    if target.contain < target.first_update:
        values = {"time": written(target.first_update)}
        yield f"{where}.contain", _("Containment cannot be due before the first update (%(time)s).") % values


# ---- Steps ----


def _all_steps(content: Content) -> Iterator[Found]:
    for clock in CLOCKS:
        yield from _steps(clock, content.steps.get(clock, ()))


def _steps(clock: ClockKind, steps: Sequence[Step]) -> Iterator[Found]:
    first = f"{clock}.0.percent"
    if not steps:
        yield first, _("This clock has no step, so nobody would ever be told. Write one at %(percent)d %%.") % DEADLINE
        return
    if len(steps) > MOST_STEPS:
        yield f"{clock}.{MOST_STEPS}.percent", _("At most %(most)d steps on one clock.") % {"most": MOST_STEPS}
    yield from _moments(clock, steps)
    yield from _deeds(clock, steps)
    yield from _rungs(clock, steps)


def _moments(clock: ClockKind, steps: Sequence[Step]) -> Iterator[Found]:
    before, most = 0, MOST_PERCENT_TAKEN_UP if clock in _MUST_MOVE else MOST_PERCENT
    for number, step in enumerate(steps):
        place = f"{clock}.{number}.percent"
        if not 1 <= step.percent <= most:
            yield place, _("Write a whole number from 1 to %(most)d.") % {"most": most}
        elif step.percent <= before:
            yield place, _("This must be more than %(before)d %%: steps follow each other.") % {"before": before}
        before = max(before, step.percent)
    if not any(step.percent == 100 for step in steps):
        at = next((n for n, step in enumerate(steps) if step.percent > 100), len(steps) - 1)
        yield (
            f"{clock}.{at}.percent",
            _("No step is at %(percent)d %%: the deadline itself would pass unseen.") % DEADLINE,
        )


def _deeds(clock: ClockKind, steps: Sequence[Step]) -> Iterator[Found]:
    last = len(steps) - 1
    for number, step in enumerate(steps):
        place = f"{clock}.{number}.deed"
        if step.deed not in Deed.values:
            yield place, _("Choose one from the list.")
        elif step.deed == Deed.WARN and step.percent >= 100:
            yield (
                place,
                _("From %(percent)d %% on a warning is too late. Tell the next command or move the case.") % DEADLINE,
            )
        elif step.deed == Deed.MOVE and number < last:
            yield place, _("After a move the clock ends: the steps below would never come. Move the case last.")
    if clock in _MUST_MOVE and steps[last].deed in (Deed.WARN, Deed.TELL):
        yield f"{clock}.{last}.deed", _("A case that nobody takes up must move: let the last step move it up.")


def _rungs(clock: ClockKind, steps: Sequence[Step]) -> Iterator[Found]:
    reached, has_spoken = 0, False
    for number, step in enumerate(steps):
        # Whoever stands next above was told or owns the case; a warning went no further than its owner.
        skips = step.deed == Deed.TELL and step.rung == HIGHEST_RUNG and not has_spoken
        has_spoken = has_spoken or step.deed in (Deed.TELL, Deed.MOVE)
        if step.rung is None:
            continue
        place = f"{clock}.{number}.rung"
        if step.deed == Deed.WARN:
            yield place, _("A warning goes to the owner. Leave the level empty.")
        elif not LOWEST_RUNG <= step.rung <= HIGHEST_RUNG:
            yield place, _("That leads nowhere: only the province (2) and the PSC (3) stand above a command.")
        elif step.rung < reached:
            yield place, _("That leads down again: an earlier step reaches level %(rung)d.") % {"rung": reached}
        elif skips:
            yield place, _("The province would not hear of it. Leave the level empty, or let a step before tell it.")
        reached = max(reached, step.rung)


# ---- Second looks ----


def _slower_than_milder(content: Content) -> Iterator[Found]:
    for phase in PHASES:
        for graver, milder in pairwise(RATED):
            first, second = content.targets.get((phase, graver)), content.targets.get((phase, milder))
            for time in TIMES if first and second else ():
                slow, quick = getattr(first, time), getattr(second, time)
                if slow is not None and quick is not None and slow > quick:
                    values = {"severity": milder.label, "time": written(quick)}
                    text = _("Slower than «%(severity)s» (%(time)s). Is that meant?") % values
                    yield f"{phase}.{graver}.{time}", text


def _unusual(content: Content) -> Iterator[Found]:
    for phase in PHASES:
        for severity in RATED:
            target = content.targets.get((phase, severity))
            if target and target.acknowledge > UNSEEN[severity]:
                text = _("For %(time)s nobody need look at such a case, and nobody above hears of it. Is that meant?")
                yield f"{phase}.{severity}.acknowledge", text % {"time": written(target.acknowledge)}
            every = f"{phase}.{severity}.update_every"
            if target and severity == Severity.CRITICAL and phase not in IN_USE and target.update_every is None:
                yield every, _("No further updates are asked for a critical case. Is that meant?")
            elif target and severity != Severity.CRITICAL and target.update_every is not None:
                yield every, _("Only critical cases are asked for further updates; this has no effect.")
    for clock in _SELDOM_MOVE:
        for number, step in enumerate(content.steps.get(clock, ())):
            if step.deed == Deed.MOVE:
                yield (
                    f"{clock}.{number}.deed",
                    _("A move makes nobody verify or decide by law any sooner. Is it meant?"),
                )
    yield from _tight(content)


def _tight(content: Content) -> Iterator[Found]:
    target = content.targets.get((Phase.POLLING, Severity.MEDIUM))
    if target and target.acknowledge > content.tight_medium:
        values = {"time": written(content.tight_medium)}
        text = _("The rule of the silence day is tighter and holds: %(time)s.") % values
        yield f"{Phase.POLLING}.{Severity.MEDIUM}.acknowledge", text
