"""What people read of their duty: one sentence an act, for the inbox and for channels outside. No case is in any."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incidents.models import Entry

KIND = "duty"


def sentence(entry: Entry, bodies: Mapping[str, str]) -> str:
    """What happened, in the language active now. `bodies` puts names for the codes of commands; a code stands else."""
    after = entry.after
    command, acting = after.get("command", ""), after.get("acting", "")
    values = {
        "by": entry.by,
        "command": bodies.get(command, command),
        "acting": bodies.get(acting, acting),
        "person": after.get("person"),
        "other": after.get("other"),
        "replaces": after.get("replaces"),
        **_hours(after),
    }
    return _text(after) % values


def codes_of(entry: Entry) -> list[str]:
    """Codes of the commands the sentence names."""
    return [code for code in (entry.after.get("command"), entry.after.get("acting")) if code]


def _text(after: Mapping[str, Any]) -> str:
    if after["what"] == "cover_made":
        if not after["person"]:
            return _("%(by)s took «%(replaces)s» off duty at %(command)s from %(from)s to %(until)s.")
        if not after["replaces"]:
            return _("%(by)s put «%(person)s» on duty at %(command)s from %(from)s to %(until)s.")
    texts = {
        "roster_on": _("The duty roster of %(command)s is in use now. Notices go to whoever is on duty."),
        "roster_off": _("The duty roster of %(command)s is not in use any more. Notices go to everybody who answers."),
        "shift_made": _("%(by)s put «%(person)s» on the roster of %(command)s: %(days)s, %(hours)s, from %(first)s."),
        "shift_changed": _("%(by)s changed a shift of %(command)s from %(first)s: «%(person)s», %(days)s, %(hours)s."),
        "shift_ended": _("%(by)s ended a shift of «%(person)s» at %(command)s: %(days)s, %(hours)s."),
        "cover_made": _(
            "%(by)s put «%(person)s» on duty in place of «%(replaces)s» at %(command)s from %(from)s to %(until)s."
        ),
        "cover_ended": _("%(by)s ended a cover at %(command)s: the roster holds again from %(from)s to %(until)s."),
        "swap_asked": _("«%(person)s» asks you to take a duty at %(command)s: %(from)s to %(until)s. Please answer."),
        "swap_agreed": _("«%(other)s» takes your duty at %(command)s: %(from)s to %(until)s."),
        "swap_declined": _("«%(other)s» cannot take your duty at %(command)s: %(from)s to %(until)s. It stays yours."),
        "swap_withdrawn": _("«%(person)s» no longer asks you to take the duty at %(command)s: %(from)s to %(until)s."),
        "delegated": _("%(acting)s answers for %(command)s as well, from %(from)s to %(until)s."),
        "delegation_ended": _("%(acting)s no longer answers for %(command)s."),
    }
    return texts.get(after["what"], _("%(by)s changed the duty of %(command)s."))


def _hours(after: Mapping[str, Any]) -> dict[str, str]:
    found = {name: _moment(after[name]) for name in ("from", "until") if name in after}
    if "starts" in after:
        starts = dt.time.fromisoformat(after["starts"])
        ends = (dt.datetime.combine(dt.date.min, starts) + dt.timedelta(minutes=after["minutes"])).time()
        found["hours"] = f"{starts:%H:%M}\u2013{ends:%H:%M}"
        found["days"] = _(", ").join(str(WEEKDAYS[day]) for day in after["weekdays"])
        found["first"] = date_format(dt.date.fromisoformat(after["first"]), "MONTH_DAY_FORMAT")
    return found


def _moment(value: str) -> str:
    here = timezone.localtime(dt.datetime.fromisoformat(value))
    day, time = date_format(here, "MONTH_DAY_FORMAT"), date_format(here, "TIME_FORMAT")
    return _("%(day)s, %(time)s") % {"day": day, "time": time}
