"""What a drill may be: its name, its times, beside other drills, not while people vote. Refused in words by field."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from commands.models import SecurityCommand
from incidents.delivery.texts import day_and_time
from incidents.escalation.beginnings import HOUR, MOST_AN_HOUR, is_crowded, latest_end, vote_within
from incidents.limits import clean_words
from incidents.models import Drill, DrillCall

LONGEST_MINUTES = 240
NAME_MAX = 80
FURTHEST = dt.timedelta(days=60)
#: Somebody who starts a drill "now" on a page opened a few minutes ago means now.
GRACE = dt.timedelta(minutes=10)
#: What a phone or a mail program would make a link of. A dot between letters is one, "3.6" and "No. 5" are none.
_ADDRESS = re.compile(r"://|www\.|[^\W_]\.[a-z]{2,}", re.IGNORECASE)


def check(name: str, minutes: int, starts_at: dt.datetime | None, now: dt.datetime) -> None:
    """Refuse a name or times that cannot be. Raises ValidationError by field."""
    wrong = wrong_times(minutes, starts_at, now)
    # It is the subject of a mail and of an SMS behind the mark of a drill: one line, as it reads, and no other message.
    clean_words(name, "name", wrong, NAME_MAX)
    if any(c in name for c in "\r\n\t"):
        wrong["name"] = _("Write the name in one line.")
    if "«" in name or "»" in name:
        wrong["name"] = _("Leave the marks « and » out of the name: messages put them around it.")
    elif _ADDRESS.search(unicodedata.normalize("NFKC", name)):
        wrong["name"] = _("Leave web addresses out of the name: it stands in every message. Write a space after a dot.")
    if not name.strip():
        wrong["name"] = _("Give the drill a name, so that people know what they are called for.")
    elif len(name.strip()) > NAME_MAX:
        wrong["name"] = _("At most 80 characters. Please shorten the name.")
    if wrong:
        raise ValidationError(wrong)


def wrong_times(minutes: int, starts_at: dt.datetime | None, now: dt.datetime) -> dict[str, str]:
    """What is wrong with the times, by field."""
    wrong: dict[str, str] = {}
    if not 1 <= minutes <= LONGEST_MINUTES:
        wrong["minutes"] = _("Between 1 and %(most)s minutes.") % {"most": LONGEST_MINUTES}
    if starts_at and starts_at < now - GRACE:
        wrong["starts_at"] = _("That is in the past. Choose a later time, or leave it empty to start now.")
    elif starts_at and starts_at > now + FURTHEST:
        wrong["starts_at"] = _("At most 60 days ahead.")
    return wrong


def refuse_overlap(called: Sequence[SecurityCommand], begins: dt.datetime, minutes: int, now: dt.datetime) -> None:
    """No command is in two drills at a time. The PSC alone may be: else one province's drill would stop all others."""
    end = begins + dt.timedelta(minutes=minutes * len({c.rung for c in called}))
    below_the_top = [c.pk for c in called if c.rung != 3]
    # Of one that ended, who was called: cancelled before it began it called nobody.
    near = DrillCall.objects.filter(Q(drill__ended_at=None) | Q(called_at__isnull=False))
    near = near.filter(command__in=below_the_top or called, drill__starts_at__gt=begins - HOUR)
    begun: dict[int, list[dt.datetime]] = defaultdict(list)
    for key, at in near.filter(drill__starts_at__lt=begins + HOUR).values_list("command", "drill__starts_at"):
        begun[key].append(at)
    if any(is_crowded(starts, begins) for starts in begun.values()):
        raise ValidationError(
            {
                "command": _(
                    "One of these commands has %(most)s drills in that hour, more would be ignored. "
                    "Choose a time an hour before or after them."
                )
                % {"most": MOST_AN_HOUR}
            }
        )
    for other in Drill.objects.filter(ended_at=None, calls__command__in=below_the_top or called).distinct():
        theirs = latest_end(other)
        if other.starts_at <= now:
            # The step may be late; somebody there still has their time.
            theirs = max(theirs, now + dt.timedelta(minutes=other.minutes))
        if other.starts_at < end and begins < theirs:
            both = other.calls.filter(command__in=called).select_related("command").order_by("command__path")
            name = max((c.command for c in both), key=lambda c: len(c.path)).name
            raise ValidationError(
                {
                    "command": _(
                        "%(command)s is in another drill in that time: «%(name)s», from %(start)s. "
                        "Wait until it is over, or cancel it first."
                    )
                    % {"command": name, "name": other.name, "start": day_and_time(other.starts_at)}
                }
            )


def refuse_while_voting(called: Sequence[SecurityCommand], begins: dt.datetime, minutes: int, now: dt.datetime) -> None:
    """People must not have to tell a drill from a real message when these matter most. For a province's drill."""
    end = begins + dt.timedelta(minutes=minutes * len({c.rung for c in called}))
    if vote := vote_within(called, begins, end, now):
        text = _(
            "From %(start)s to %(end)s, around the vote and the count, messages in %(place)s are for real cases alone. "
            "This drill may last until %(last)s. Choose another time, or ask the PSC or the NEC to hold it."
        )
        values = {"start": day_and_time(vote.start), "end": day_and_time(vote.end), "place": vote.place}
        values["last"] = day_and_time(end)
        raise ValidationError({"starts_at": text % values})
