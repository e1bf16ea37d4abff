"""What happens when a clock fires: pure decisions, used by the engine, the preview and the planned steps of a case.

`decide` is one step of one clock; a `Course` is one case played forward, clock by clock, until nothing of it is due.
Source: domain 3.3 as the case's policy has it. A command with nobody is left out at once; nobody left above is said
loudly, to the top and the NEC, again and again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from incidents.choices import ClockKind, Deed
from incidents.deadlines import Step, Targets, fires_at
from incidents.models import Clock, EscalationKind
from incidents.policies import Rules


@dataclass(frozen=True, slots=True)
class Level:
    """A command as a decision sees it: its primary key, how high it stands, and whether anybody is there.

    `height`: 1 district, 2 province, 3 PSC, 4 NEC's integrity desk; an integrity desk has that of its body.
    """

    key: int
    height: int
    is_staffed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A due clock, as plain values; `chain` is what stands above the owner for this case, nearest first."""

    kind: str
    step: int
    steps: Sequence[Step]
    anchor_at: dt.datetime
    target_minutes: int
    chain: Sequence[Level]
    now: dt.datetime
    owner_is_staffed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`kind` None: nothing to say (a warning that came after its own deadline). `next_step` None: the clock ends.

    `target`: who is told or owns now. `left_out`: commands on the way to it with nobody there, nearest first.
    """

    kind: EscalationKind | None
    next_step: int | None
    target: Level | None = None
    left_out: tuple[Level, ...] = ()


_SAYS = {Deed.TELL: EscalationKind.NEXT_TOLD, Deed.MOVE: EscalationKind.OWNER_MOVED}


def decide(firing: Firing) -> Decision:
    """What this step does. The same for any frequency of ticks: it depends on the moments, not on who looked when."""
    if firing.kind == ClockKind.SNOOZE:
        return Decision(kind=EscalationKind.RESUMED, next_step=None)
    last = len(firing.steps) - 1
    # Past the last step there was nobody above: that step is tried again, until it finds somebody.
    step = firing.steps[min(firing.step, last)]
    after = firing.step + 1 if firing.step < last else None
    target, left_out = nearest(firing.chain, step.rung)
    deed = step.deed
    if deed == Deed.WARN:
        if firing.owner_is_staffed or firing.kind == ClockKind.LEGAL:
            late = after is not None and firing.now >= fires_at(
                firing.anchor_at, firing.target_minutes, firing.steps, after
            )
            return Decision(kind=None if late else EscalationKind.WARNING, next_step=after)
        # There is nobody to warn: to wait for the deadline would only lose the time that is left. The same when looked
        # at late, or the next owner's time would depend on who looked when.
        deed = Deed.MOVE
    if firing.kind == ClockKind.LEGAL:
        # A body decides by law, also about a case that is resolved: whoever owns it cannot do so faster.
        deed = Deed.TELL
    if target is None:
        return Decision(
            kind=EscalationKind.EXHAUSTED,
            next_step=firing.step + 1,
            left_out=left_out if firing.step <= last else (),
        )
    # A case that moved has a new owner with a clock of its own: this one is at its end.
    return Decision(
        kind=_SAYS[Deed(deed)], next_step=None if deed == Deed.MOVE else after, target=target, left_out=left_out
    )


def nearest(chain: Sequence[Level], rung: int | None = None) -> tuple[Level | None, tuple[Level, ...]]:
    """The nearest command of `chain` with somebody there, not below `rung` where one stands so high; and who is not.

    None, and everybody left out, where nobody is anywhere.
    """
    reach = [level for level in chain if rung is None or level.height >= rung] or list(chain[-1:])
    left_out: list[Level] = []
    for level in reach:
        if level.is_staffed:
            return level, tuple(left_out)
        left_out.append(level)
    # Nobody so high: what was passed over for its rung is better than nobody at all.
    lower = [level for level in chain if level not in reach and level.is_staffed]
    return (lower[-1] if lower else None), tuple(left_out)


def moves_at_deadline(steps: Sequence[Step]) -> bool:
    """Whether a missed deadline of a clock with these steps moves the case at once; else the next command is told."""
    return any(step.deed == Deed.MOVE and step.percent <= 100 for step in steps)


def above_of(chain: Sequence[Level], owner: Level) -> Sequence[Level]:
    """What stands above `owner`, which is in `chain`: further on and higher, so no second command of its own rung."""
    return [level for level in chain[chain.index(owner) + 1 :] if level.height > owner.height]


# ---- One case, played forward ----


@dataclass(slots=True, kw_only=True)
class Ticking:
    """A clock in play. `key` is its row's, None for one that began in this play; `is_changed` says it must be written.

    `state` as in `ClockState`, in its stored words.
    """

    kind: str
    anchor_at: dt.datetime
    target_minutes: int
    deadline_at: dt.datetime
    fires_at: dt.datetime
    step: int = 0
    about: int = 0
    episode: int = 1
    state: str = "running"
    key: int | None = None
    stopped_at: dt.datetime | None = None
    paused_at: dt.datetime | None = None
    paused_seconds: int = 0
    is_held: bool = False
    is_changed: bool = False


def run_on(clock: Ticking | Clock, at: dt.datetime) -> None:
    """A paused clock runs on from `at`, all its moments moved on by the time it stood. Pure: a row is left unsaved."""
    assert clock.paused_at is not None  # noqa: S101  a constraint of the table
    stood = max(at - clock.paused_at, dt.timedelta())
    clock.anchor_at += stood
    clock.deadline_at += stood
    clock.fires_at += stood
    clock.paused_seconds += round(stood.total_seconds())
    clock.state, clock.paused_at = "running", None


def tighten(clock: Ticking, since: dt.datetime, minutes: int, rules: Rules) -> bool:
    """Let `clock` end `minutes` after `since` where that is sooner; whether it was. Pure, of one clock.

    One that was started later, because nobody had timed the case anew yet, has them from its own start. One that stands
    paused keeps at most `minutes` for when it runs on.
    """
    if clock.state not in ("running", "paused"):
        return False
    anchor = clock.paused_at or max(since, clock.anchor_at)
    deadline = anchor + dt.timedelta(minutes=minutes)
    if deadline >= clock.deadline_at:
        return False
    clock.anchor_at, clock.target_minutes, clock.deadline_at = anchor, minutes, deadline
    steps = rules.steps(clock.kind)
    if clock.step < len(steps):
        clock.fires_at = fires_at(anchor, minutes, steps, clock.step)
    clock.is_changed = True
    return True


def shown(clocks: Iterable[Ticking]) -> Ticking | None:
    """Of a case's clocks the one whose deadline it shows as its next: as `timekeeping.in_turn` puts them. Pure."""
    standing = (c for c in clocks if c.state in ("running", "exhausted"))
    return min(standing, key=lambda c: (c.kind == ClockKind.LEGAL, c.deadline_at), default=None)


@dataclass(slots=True, kw_only=True)
class Happening:
    """One step that fired, as it is to be kept; `step`, `episode` and `due_at` are those of the clock as it fired.

    `act` is what it did, `kind` how it is kept: a move to a command whose own time was over too is one it only passed.
    """

    kind: EscalationKind
    act: EscalationKind
    clock: str
    about: int
    episode: int
    step: int
    due_at: dt.datetime
    sender: Level
    target: Level | None = None
    left_out: tuple[Level, ...] = ()


_STANDING = ("running", "exhausted", "paused")


@dataclass(slots=True, kw_only=True)
class Course:
    """One case in play: who owns it, what stands above, its clocks in the order they were started.

    `take_over` is the clock a new owner gets, of `minutes`: to acknowledge where nobody has yet, else to accept.
    """

    owner: Level
    chain: Sequence[Level]
    clocks: list[Ticking]
    rules: Rules
    take_over: str
    minutes: int
    has_moved: bool = False
    is_resumed: bool = False

    def due(self, until: dt.datetime | None = None) -> Ticking | None:
        """The running clock that fires next, at `until` or before it; of two the one started first."""
        first = None
        for clock in self.clocks:
            if clock.state == "running" and not clock.is_held and (first is None or clock.fires_at < first.fires_at):
                first = clock
        return first if first is not None and (until is None or first.fires_at <= until) else None

    def fire(self, clock: Ticking, now: dt.datetime) -> Happening | None:
        """Play one step at `now`; None where it has nothing to say. The case stands as after it."""
        steps = self.rules.steps(clock.kind)
        decision = decide(
            Firing(
                kind=clock.kind,
                step=clock.step,
                steps=steps,
                anchor_at=clock.anchor_at,
                target_minutes=clock.target_minutes,
                chain=self.chain,
                now=now,
                owner_is_staffed=self.owner.is_staffed,
            )
        )
        happening = decision.kind and Happening(
            kind=decision.kind,
            act=decision.kind,
            clock=clock.kind,
            about=clock.about,
            episode=clock.episode,
            step=clock.step,
            due_at=clock.fires_at,
            sender=self.owner,
            target=decision.target,
            left_out=decision.left_out,
        )
        due_at = clock.fires_at
        self._advance(clock, decision, steps, now)
        if decision.kind == EscalationKind.RESUMED:
            self._resume(clock, due_at)
        elif decision.kind == EscalationKind.OWNER_MOVED and decision.target:
            self._move(decision.target, due_at, now)
        return happening or None

    def _advance(self, clock: Ticking, decision: Decision, steps: Sequence[Step], now: dt.datetime) -> None:
        clock.is_changed = True
        if decision.next_step is None:
            clock.state, clock.stopped_at = "exhausted", now
        elif decision.next_step < len(steps):
            clock.step = decision.next_step
            clock.fires_at = fires_at(clock.anchor_at, clock.target_minutes, steps, decision.next_step)
        else:
            # From when it was due, so it never drifts; those missed meanwhile are said once.
            pause = dt.timedelta(minutes=self.rules.repeat_every(clock.kind))
            clock.step = decision.next_step
            clock.fires_at += pause * (max(now - clock.fires_at, dt.timedelta()) // pause + 1)

    def _move(self, to: Level, due_at: dt.datetime, now: dt.datetime) -> None:
        """The next owner's own clock to take over runs from the moment it was due, not from when we looked."""
        self.owner, self.chain, self.has_moved = to, above_of(self.chain, to), True
        episode = 0
        for clock in self.clocks:
            if clock.kind == self.take_over:
                episode = max(episode, clock.episode)
                if clock.state in _STANDING:
                    clock.state, clock.stopped_at, clock.paused_at = "cancelled", now, None
                    clock.is_changed = True
        self.clocks.append(self.new_clock(self.take_over, self.minutes, due_at, episode + 1))

    def new_clock(self, kind: str, minutes: int, anchor: dt.datetime, episode: int = 1) -> Ticking:
        """A clock that begins in this play."""
        steps = self.rules.steps(kind)
        return Ticking(
            kind=kind,
            anchor_at=anchor,
            target_minutes=minutes,
            deadline_at=anchor + dt.timedelta(minutes=minutes),
            fires_at=fires_at(anchor, minutes, steps),
            episode=episode,
        )

    def enter(self, since: dt.datetime, targets: Targets) -> None:
        """A phase begins: what it asks for sooner is due sooner, and new owners have its time to take over."""
        self.minutes = targets.acknowledge
        for clock in self.clocks:
            minutes = targets.of(clock.kind)
            if minutes is not None:
                tighten(clock, since, minutes, self.rules)

    def _resume(self, pause: Ticking, at: dt.datetime) -> None:
        """What stood still runs on from the end of the pause."""
        self.is_resumed = True
        pause.state = "met"
        for clock in self.clocks:
            if clock.state == "paused":
                run_on(clock, at)
                clock.is_changed = True


def played(course: Course, until: dt.datetime, now: dt.datetime, at_most: int) -> list[Happening]:
    """Fire what is due at `until`, stamped `now`: up to `at_most` steps, what is left is claimed again.

    Raises RuntimeError where a step leaves its clock as it was: it would fire for ever.

    Of several moves at once the last is the one that counts: what went to a command whose own time was over as well has
    PASSED it, and with it what such a command would have been warned or told of.
    """
    found: list[Happening] = []
    for _step in range(at_most):
        clock = course.due(until)
        if clock is None:
            break
        before = (clock.state, clock.step, clock.fires_at)
        happening = course.fire(clock, now)
        if before == (clock.state, clock.step, clock.fires_at):
            raise RuntimeError(f"step {clock.step} of {clock.kind} does not end")
        if happening is not None:
            found.append(happening)
    return _collapsed(found, course.owner)


_TO_SENDER = (EscalationKind.WARNING,)
_TO_TARGET = (EscalationKind.OWNER_MOVED, EscalationKind.NEXT_TOLD)


def _collapsed(found: list[Happening], owner: Level) -> list[Happening]:
    moves = [h for h in found if h.kind == EscalationKind.OWNER_MOVED]
    if len(moves) < 2:
        return found
    through = {h.target.key for h in moves[:-1] if h.target} - {owner.key}
    for happening in found:
        hears = happening.target if happening.kind in _TO_TARGET else happening.sender
        if happening.kind in (*_TO_SENDER, *_TO_TARGET) and hears is not None and hears.key in through:
            happening.kind = EscalationKind.PASSED
    return found
