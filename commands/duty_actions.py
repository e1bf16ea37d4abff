"""The only writer of duty rosters: shifts, covers, swaps, whether a roster is in use. Checked, locked, whole or not.

Nothing here asks who may: that is `commands.duty_authority`, and the journaled acts are `incidents.duty`. What has been
served is never rewritten: a shift that has begun is ended and a new one takes its place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commands import duty
from commands.models import Cover, Roster, SecurityCommand, Shift, Swap, SwapState, User
from commands.rosters import Plan, moment_of, name_of, pattern, plan_of

#: What was typed as now may be some minutes old when it arrives.
LENIENCY = dt.timedelta(minutes=15)
#: A cover longer than this is a change of the roster.
COVER_LONGEST = dt.timedelta(days=31)
#: Nobody plans further ahead than this.
FURTHEST = dt.timedelta(days=2 * 366)
#: Minutes.
SHORTEST_SHIFT = 30
WEEK = dt.timedelta(days=7)
#: On one roster, not over yet. Every page and calendar of duty works through all of them; 1,000 shifts are 20 a week,
#: each entered for itself, for a year.
MOST_SHIFTS, MOST_COVERS = 1_000, 100


# ---- The roster ----


def roster_of(command: SecurityCommand) -> Roster:
    """The roster, locked; made, not in use, where the command has none. Only inside a transaction."""
    Roster.objects.get_or_create(command=command, defaults={"is_on": False})
    return Roster.objects.select_for_update(of=("self",)).get(command=command)


@transaction.atomic
def switch(command: SecurityCommand, is_on: bool, *, now: dt.datetime) -> Roster:
    """Take the roster into use, or out of it: then everybody who answers at the command is told of everything."""
    roster = roster_of(command)
    if roster.is_on == is_on:
        raise _refused(_("The roster is in use already.") if is_on else _("The roster is not in use."))
    if is_on and not any(s.people for s in plan_of(command, now, now + WEEK).hours(now, now + WEEK)):
        # In use and empty it would send every case of the command up at once.
        raise _refused(_("Nobody is on this roster in the next 7 days. Add shifts first, then take it into use."))
    roster.is_on = is_on
    roster.save(update_fields=["is_on"])
    return roster


# ---- Shifts ----


@transaction.atomic
def add_shifts(
    command: SecurityCommand,
    *,
    person: User,
    weekdays: Collection[int],
    starts: dt.time,
    minutes: int,
    first: dt.date,
    last: dt.date | None,
    now: dt.datetime,
) -> list[Shift]:
    """The same hours on some weekdays (0 Monday), from the `first` to the `last` day, or until changed."""
    if not weekdays:
        raise ValidationError({"weekdays": _("Choose one day of the week or more.")})
    if not SHORTEST_SHIFT <= minutes <= 1440:
        raise ValidationError({"until": _("A shift lasts at least 30 minutes and at most 24 hours.")})
    _check_first_day(first, now)
    roster = roster_of(command)
    _must_have_room_for_shifts(roster, len(set(weekdays)), now)
    since = _day_begins(first, now)
    plan = plan_of(command, now - duty.DAY, since + FURTHEST)
    if last is not None and last < first:
        raise ValidationError({"last_on": _("The last day must not come before the first.")})
    _must_answer(plan, person, max(since, now), None, "person")
    made = [
        Shift(
            roster=roster, person=person, weekday=day, starts=starts, minutes=minutes, valid_from=first, valid_to=last
        )
        for day in sorted(set(weekdays))
    ]
    kept = [s for s in plan.shifts if s.person_id == person.pk]
    for number, shift in enumerate(made):
        for other in [*kept, *made[:number]]:
            if at := duty.clash(pattern(shift), pattern(other), plan.zone):
                text = _("«%(person)s» has another shift at that time already, first on %(moment)s.")
                raise ValidationError({"starts": text % {"person": name_of(person), "moment": moment_of(at)}})
    for shift in made:
        shift.full_clean(validate_unique=False)
    return Shift.objects.bulk_create(made)


@transaction.atomic
def change_shift(
    shift: Shift, *, person: User, starts: dt.time, minutes: int, first: dt.date, last: dt.date | None, now: dt.datetime
) -> Shift:
    """From the day `first` on these hours instead, on the same weekday; until the day before it stays as it was."""
    _check_first_day(first, now)
    shift = _locked_shift(shift)
    day_before = first - duty.DAY
    if day_before < _earliest_end(shift, now):
        raise ValidationError({"first_on": _("Hours of this shift have begun by then. Choose a later day.")})
    _cut(shift, day_before)
    made = add_shifts(
        shift.roster.command, person=person, weekdays=[shift.weekday], starts=starts, minutes=minutes, first=first,
        last=last, now=now,
    )  # fmt: skip
    return made[0]


@transaction.atomic
def end_shift(shift: Shift, *, last: dt.date, now: dt.datetime) -> Shift:
    """The shift holds up to the day `last`, and not after. One that has never held is taken away."""
    shift = _locked_shift(shift)
    if shift.valid_to is not None and last > shift.valid_to:
        raise ValidationError({"last_on": _("This shift ends before that day already.")})
    if last < _earliest_end(shift, now):
        raise ValidationError({"last_on": _("Hours of this shift have begun by then. Choose a later day.")})
    _cut(shift, last)
    return shift


def _locked_shift(shift: Shift) -> Shift:
    roster_of(shift.roster.command)
    found = Shift.objects.select_related("roster__command", "person").filter(pk=shift.pk).first()
    if found is None:
        raise _refused(_("Somebody else took this shift away. Look at the roster again."))
    return found


def _cut(shift: Shift, last: dt.date) -> None:
    if last < shift.valid_from:
        Shift.objects.filter(pk=shift.pk).delete()
        return
    shift.valid_to = last
    shift.save(update_fields=["valid_to"])


def _earliest_end(shift: Shift, now: dt.datetime) -> dt.date:
    """The last day a shift can be given at `now`: today where today's hours have begun, else yesterday."""
    zone = timezone.get_default_timezone()
    today = now.astimezone(zone).date()
    begun = shift.weekday == today.weekday() and dt.datetime.combine(today, shift.starts, zone) <= now
    return today if begun else today - duty.DAY


# ---- Covers ----


@transaction.atomic
def add_cover(
    command: SecurityCommand,
    *,
    person: User | None,
    replaces: User | None,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    by: User,
    now: dt.datetime,
) -> Cover:
    """Somebody in place of somebody else (`replaces`), besides whoever is on duty (none), or nobody in their place."""
    if person is None and replaces is None:
        raise ValidationError({"person": _("Choose who is on duty then, or in whose place nobody is.")})
    starts_at = checked_hours(starts_at, ends_at, now, longest=COVER_LONGEST)
    if person == replaces:
        raise ValidationError({"person": _("Choose two different people.")})
    roster = roster_of(command)
    _must_have_room_for_covers(roster, 1, now)
    plan = plan_of(command, starts_at, ends_at)
    spans = plan.hours(starts_at, ends_at)
    if replaces is not None and not any(replaces.pk in s.people for s in spans):
        text = _("«%(person)s» is not on duty in these hours, so nobody can stand in.")
        raise ValidationError({"replaces": text % {"person": name_of(replaces)}})
    if person is not None:
        _must_answer(plan, person, starts_at, ends_at, "person")
        _must_be_free(person, spans, replaces)
    return Cover.objects.create(
        roster=roster, person=person, replaces=replaces, starts_at=starts_at, ends_at=ends_at, reason=reason.strip(),
        made_by=by, made_at=now,
    )  # fmt: skip


@transaction.atomic
def end_cover(cover: Cover, *, now: dt.datetime) -> Cover:
    """Taken away where it has not begun, else over from now on."""
    roster_of(cover.roster.command)
    found = Cover.objects.filter(pk=cover.pk).first()
    if found is None or found.ends_at <= now:
        raise _refused(_("This cover is over already."))
    if found.starts_at >= now:
        Cover.objects.filter(pk=cover.pk).delete()
    else:
        found.ends_at = now
        found.save(update_fields=["ends_at"])
    return cover


# ---- Swaps ----


@transaction.atomic
def ask_swap(
    command: SecurityCommand,
    *,
    asked_by: User,
    asked_of: User,
    hours: tuple[dt.datetime, dt.datetime],
    back: tuple[dt.datetime, dt.datetime] | None,
    now: dt.datetime,
) -> Swap:
    """Ask a colleague to take hours of yours, and offer to take some of theirs (`back`). Changes nothing yet."""
    roster = roster_of(command)
    if asked_by == asked_of:
        raise ValidationError({"colleague": _("Choose a colleague, not yourself.")})
    _must_be_swappable(command, asked_by, asked_of, hours, back, now)
    waiting = Swap.objects.filter(roster=roster, asked_by=asked_by, state=SwapState.ASKED)
    if waiting.filter(starts_at__lt=hours[1], ends_at__gt=hours[0]).exists():
        raise ValidationError({"mine": _("You have asked for these hours already. Withdraw that first.")})
    return Swap.objects.create(
        roster=roster, asked_by=asked_by, asked_of=asked_of, starts_at=hours[0], ends_at=hours[1],
        back_at=back[0] if back else None, back_until=back[1] if back else None, made_at=now,
    )  # fmt: skip


@transaction.atomic
def answer_swap(swap: Swap, state: SwapState, *, by: User, now: dt.datetime) -> Swap:
    """Agreed or declined by who was asked, withdrawn by who asked. Agreed, it becomes one cover or two.

    Raises ValidationError where it was answered already, or where the roster has changed so that it cannot be any more.
    """
    roster = roster_of(swap.roster.command)
    swap = Swap.objects.select_related("roster__command", "asked_by", "asked_of").get(pk=swap.pk)
    if swap.state != SwapState.ASKED:
        text = _("This swap is «%(state)s» already.")
        raise _refused(text % {"state": swap.get_state_display()})
    if state == SwapState.AGREED:
        back = (swap.back_at, swap.back_until) if swap.back_at and swap.back_until else None
        hours = (swap.starts_at, swap.ends_at)
        try:
            _must_be_swappable(swap.roster.command, swap.asked_by, swap.asked_of, hours, back, now)
            _must_have_room_for_covers(roster, 2 if back else 1, now)
        except ValidationError as changed:
            raise _refused(" ".join([_("This swap is not possible any more."), *changed.messages])) from changed
        _cover_of(roster, swap.asked_of, swap.asked_by, *hours, by=by, now=now)
        if back:
            _cover_of(roster, swap.asked_by, swap.asked_of, *back, by=by, now=now)
    swap.state, swap.decided_at = state, now
    swap.save(update_fields=["state", "decided_at"])
    return swap


def _cover_of(
    roster: Roster, person: User, replaces: User, start: dt.datetime, end: dt.datetime, *, by: User, now: dt.datetime
) -> None:
    Cover.objects.create(
        roster=roster, person=person, replaces=replaces, starts_at=start, ends_at=end, reason=_("Swap"), made_by=by,
        made_at=now,
    )  # fmt: skip


def _must_be_swappable(
    command: SecurityCommand,
    asked_by: User,
    asked_of: User,
    hours: tuple[dt.datetime, dt.datetime],
    back: tuple[dt.datetime, dt.datetime] | None,
    now: dt.datetime,
) -> None:
    """Each gives hours they have, in the future, and takes hours in which they answer there and are free."""
    for owner, taker, (start, end), beside in [
        (asked_by, asked_of, hours, "mine"),
        *([(asked_of, asked_by, back, "back")] if back else []),
    ]:
        if end <= start:
            raise ValidationError({beside: _("The end must come after the beginning.")})
        if start <= now:
            raise ValidationError({beside: _("These hours have begun. Choose hours that are still to come.")})
        plan = plan_of(command, start, end)
        spans = plan.hours(start, end)
        if not all(owner.pk in s.people for s in spans):
            text = _("«%(person)s» is not on duty in all of these hours, so they cannot be given away.")
            raise ValidationError({beside: text % {"person": name_of(owner)}})
        _must_answer(plan, taker, start, end, "colleague" if taker == asked_of else beside)
        _must_be_free(taker, spans, owner, "colleague" if taker == asked_of else beside)


# ---- What every act asks ----


def checked_hours(
    starts_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime, *, longest: dt.timedelta
) -> dt.datetime:
    """The beginning, not before `now`. Raises ValidationError beside starts_at or ends_at."""
    if ends_at <= starts_at:
        raise ValidationError({"ends_at": _("The end must come after the beginning.")})
    if ends_at <= now:
        raise ValidationError({"ends_at": _("These hours are over. Choose an end that is still to come.")})
    if starts_at < now - LENIENCY:
        raise ValidationError({"starts_at": _("This is in the past. Begin now or later.")})
    starts_at = max(starts_at, now)
    if ends_at - starts_at > longest:
        text = _("That is longer than %(days)d days. Choose an earlier end.")
        raise ValidationError({"ends_at": text % {"days": longest.days}})
    if starts_at > now + FURTHEST:
        raise ValidationError({"starts_at": _("Choose a day within the next two years.")})
    return starts_at


def _must_answer(plan: Plan, person: User, since: dt.datetime, until: dt.datetime | None, beside: str) -> None:
    """The person answers at the command from `since`, all the way to `until` where that is given."""
    for start, end in plan.held.get(person.pk, ()):
        if start <= since and (end is None or end > since) and (until is None or end is None or end >= until):
            return
    text = _("«%(person)s» holds no posting at %(command)s that answers for its cases in these hours.")
    raise ValidationError({beside: text % {"person": name_of(person), "command": plan.command.name}})


def _must_be_free(person: User, spans: Sequence[duty.Span], replaces: User | None, beside: str = "person") -> None:
    """Not on duty already when needed: in any hour of `replaces`, or with none, in all hours."""
    needed = [s for s in spans if replaces is None or replaces.pk in s.people]
    busy = [s for s in needed if person.pk in s.people]
    if busy and (replaces is not None or len(busy) == len(needed)):
        text = _("«%(person)s» is on duty already then, from %(moment)s.")
        raise ValidationError({beside: text % {"person": name_of(person), "moment": moment_of(busy[0].starts_at)}})


def _must_have_room_for_shifts(roster: Roster, more: int, now: dt.datetime) -> None:
    going = Shift.objects.filter(Q(valid_to=None) | Q(valid_to__gte=timezone.localdate(now)), roster=roster)
    if going.count() + more > MOST_SHIFTS:
        text = _("One roster has at most %(limit)d shifts that are not over. End some that are not needed first.")
        raise _refused(text % {"limit": MOST_SHIFTS})


def _must_have_room_for_covers(roster: Roster, more: int, now: dt.datetime) -> None:
    if Cover.objects.filter(roster=roster, ends_at__gt=now).count() + more > MOST_COVERS:
        text = _("One roster has at most %(limit)d covers that are not over. End some of them, or change the shifts.")
        raise _refused(text % {"limit": MOST_COVERS})


def _refused(text: str) -> ValidationError:
    return ValidationError(text, code="not_possible")


def _check_first_day(first: dt.date, now: dt.datetime) -> None:
    """Before anything is counted from it: at the ends of the calendar there is no day before or after."""
    today = timezone.localdate(now)
    if first < today:
        raise ValidationError({"first_on": _("This day is over. Begin today or later.")})
    if first > today + FURTHEST:
        raise ValidationError({"first_on": _("Choose a day within the next two years.")})


def _day_begins(day: dt.date, now: dt.datetime) -> dt.datetime:
    return max(dt.datetime.combine(day, dt.time(), timezone.get_default_timezone()), now)
