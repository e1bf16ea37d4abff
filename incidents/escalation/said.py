"""What people are told of the engine's condition: officers in plain words, who runs the machines with their names."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Said:
    """`what` is wrong and how to `mend` it, both for who runs the machines."""

    what: str
    mend: str


def said(reason: str) -> Said:
    """The words for a `Pulse.reason`."""
    texts = {
        "beat_dead": Said(
            _("Nothing calls the engine any more."),
            _("Start the process that calls it every 15 seconds (beat), or run: manage.py escalate --loop"),
        ),
        "worker_dead": Said(
            _("The engine is called and nobody answers."),
            _("Start the worker of the queue «escalation». The calls that wait do no harm."),
        ),
        "broker_away": Said(
            _("The engine cannot be called: what carries the calls is away."),
            _("Start the message broker (Redis). Until then run: manage.py escalate --loop"),
        ),
        "failing": Said(
            _("The engine begins its round and breaks off with a fault."),
            _("Read the fault below and in the log of the worker, and mend it. The rounds go on by themselves."),
        ),
        "slow": Said(
            _("The engine runs, but more comes due than it gets done."),
            _("Start another worker, and look at what keeps the database busy."),
        ),
        "held": Said(
            _("The clock leapt ahead. Nothing moves until a person has looked at it."),
            _("Check the clock of the machine. The PSC watch or the NEC secretariat then lets the steps go."),
        ),
        "set_aside": Said(
            _("The engine runs, but the deadlines of single cases cannot be fired."),
            _("Read the fault of each on the page of the engine, and mend it. They are tried again by themselves."),
        ),
        "no_tick_yet": Said(_("The engine has not run yet."), _("Start the worker and the process that calls it.")),
    }
    return texts.get(reason, Said("", ""))


@dataclass(frozen=True)
class Plain:
    """What it means for cases, and what to `do`: for whoever answers for them and runs no machine."""

    what: str
    do: str


def plain(state: str, length: str, *, is_stood_in: bool = False, may_release: bool = False) -> Plain:
    """The words for a `Pulse.state` that has lasted `length` ("12 min", or "" where that is not known)."""
    if state == "held":
        what = _("The clock of the system leapt ahead. No case moves up until a person has looked at it.")
        if may_release:
            return Plain(
                what, _("Look at what is held and let it go on. If you are not sure, call the technical desk.")
            )
        return Plain(what, _("The PSC watch or the NEC secretariat lets it go on. Call them, and the technical desk."))
    if state == "set_aside":
        what = _("The deadlines of single cases failed: these cases may not move up by themselves.")
        return Plain(what, _("Call the command that each of them waits for, and the technical desk."))
    if not length:
        what = _("The escalation engine does not run. Cases may be late.")
    elif state == "late":
        what = _("The escalation engine is %(length)s behind. Cases may be late.") % {"length": length}
    else:
        what = _("The escalation engine has not run by itself for %(length)s. Cases may be late.") % {"length": length}
    if is_stood_in:
        return Plain(what, _("Your page does its work meanwhile: leave it open, and call the technical desk."))
    return Plain(what, _("Press «Escalate now», leave this page open, and call the technical desk. Nothing is lost."))


def heading(state: str) -> str:
    """The first words of the bar."""
    texts = {
        "late": _("Automatic escalation is late."),
        "stopped": _("Automatic escalation does not run."),
        "held": _("Automatic escalation waits for a person."),
        "set_aside": _("Single cases may not move up by themselves."),
    }
    return texts.get(state, "")
