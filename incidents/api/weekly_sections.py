"""The further sections of the weekly summary as JSON: response, escalation, changes, conduct."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from incidents.dashboards.conduct import KINDS
from incidents.dashboards.handovers import LISTED, Handovers
from incidents.dashboards.measures import Value
from incidents.dashboards.response import ACKNOWLEDGE, AWAITED, FEWEST
from incidents.dashboards.waits import SMALLEST_BASE
from incidents.escalation.lateness import patience
from incidents.reports.figures import Figure
from incidents.reports.sections import Sections


class FigureSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True, help_text="Null where it cannot be said.")
    before = serializers.FloatField(allow_null=True, help_text="Of the period it is compared with.")
    change = serializers.FloatField(allow_null=True)


class WaitsSerializer(serializers.Serializer[Any]):
    severity = serializers.CharField(help_text="At the cut-off; empty for all severities together.", allow_blank=True)
    awaited = serializers.ChoiceField(AWAITED)
    cases = serializers.IntegerField(help_text="Incidents the numbers rest on, those that still waited included.")
    waiting = serializers.IntegerField(help_text="Those that still waited at the cut-off.")
    half_minutes = serializers.FloatField(
        allow_null=True, help_text=f"Half needed no more. Null of fewer than {FEWEST} cases, or where too many waited."
    )
    nine_of_ten_minutes = serializers.FloatField(allow_null=True)
    in_time_percent = serializers.FloatField(
        allow_null=True,
        help_text=f"Acknowledged within the target. Null for other answers, and of fewer than {SMALLEST_BASE} cases.",
    )


class HandoverSerializer(FigureSerializer):
    reason = serializers.CharField(help_text="Kind of the clock that ran out; or `by_hand`; or `critical`, at once.")
    rung = serializers.IntegerField(help_text="Of the command that had the case: 0 post to 3 PSC, -1 for others.")
    reached = serializers.DictField(child=serializers.IntegerField(), help_text="Of this week, by rung.")


class OutageSerializer(serializers.Serializer[Any]):
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    minutes = serializers.FloatField()
    late_steps = serializers.IntegerField(help_text="Of the cases in view, fired late after it.")


class EscalationSerializer(serializers.Serializer[Any]):
    """Steps of the week, to cases of any week."""

    handed_over = FigureSerializer(help_text="Upwards.")
    told = FigureSerializer(help_text="The next command was told and the case stayed.")
    exhausted = FigureSerializer(help_text="Top reached and nobody answered.")
    stood_down = FigureSerializer(help_text="Handed back to the command below.")
    vacant = FigureSerializer(help_text="Steps that found a command with nobody there.")
    fired = FigureSerializer(help_text="Steps fired by rule.")
    late = FigureSerializer(help_text="Of these later than `late_after_seconds`.")
    latest_minutes = FigureSerializer(help_text="By how much the latest was late.")
    late_after_seconds = serializers.IntegerField()
    handovers = HandoverSerializer(many=True)
    outage_count = FigureSerializer(help_text="Of automatic escalation, by when it was back.")
    outage_minutes = FigureSerializer()
    outages = OutageSerializer(many=True, help_text=f"At most the last {LISTED}.")


class SeverityChangeSerializer(serializers.Serializer[Any]):
    first = serializers.CharField()
    at_cut_off = serializers.CharField()
    cases = serializers.IntegerField()


class CorrectedFieldSerializer(FigureSerializer):
    name = serializers.CharField()


class CorrectionsSerializer(serializers.Serializer[Any]):
    """Cases of earlier weeks corrected in this one, and how many of them in which field; never what stood there."""

    cases = FigureSerializer()
    by_field = CorrectedFieldSerializer(many=True)


class ConductSerializer(FigureSerializer):
    who_acted = serializers.ChoiceField([str(kind) for kind in KINDS])


def content(sections: Sections) -> dict[str, Any]:
    """The sections as plain values; without `conduct` for who may not know of it."""
    found: dict[str, Any] = {
        "response": _response(sections),
        "escalation": _escalation(sections),
        "severity_changes": [
            {"first": first, "at_cut_off": last, "cases": n}
            for (first, last), n in sorted(sections.now.severity_changes.items())
        ],
        "corrections": {
            "cases": figure(Figure(sections.now.corrections.cases, sections.before.corrections.cases)),
            "by_field": [{"name": name} | figure(found) for name, found in sections.corrected.items()],
        },
    }
    if sections.conduct is not None:
        found["conduct"] = [{"who_acted": kind} | figure(counted) for kind, counted in sections.conduct.items()]
    return found


def figure(made: Figure) -> dict[str, Any]:
    return {"value": made.value, "before": made.before, "change": made.change}


def _response(sections: Sections) -> list[dict[str, Any]]:
    return [
        {
            "severity": level,
            "awaited": awaited,
            "cases": waits.cases,
            "waiting": waits.waiting,
            "half_minutes": waits.half,
            "nine_of_ten_minutes": waits.most,
            "in_time_percent": here.in_time.share if awaited == ACKNOWLEDGE else None,
        }
        for awaited in AWAITED
        for level in sections.severities
        if (here := sections.now.response[level]) and (waits := here.waits[awaited])
    ]


def _escalation(sections: Sections) -> dict[str, Any]:
    counted: dict[str, Callable[[Handovers], Value]] = {
        "handed_over": lambda h: sum(h.moved.values()),
        "told": lambda h: h.told,
        "exhausted": lambda h: h.exhausted,
        "stood_down": lambda h: h.stood_down,
        "vacant": lambda h: h.vacant,
        "fired": lambda h: h.fired,
        "late": lambda h: h.late,
        "latest_minutes": lambda h: h.latest,
        "outage_count": lambda h: h.outages,
        "outage_minutes": lambda h: h.outage_minutes,
    }
    return {
        **{name: figure(sections.figure(value)) for name, value in counted.items()},
        "late_after_seconds": int(patience().total_seconds()),
        "handovers": [
            {"reason": up.reason, "rung": up.rung, "reached": {str(to): n for to, n in sorted(up.reached.items())}}
            | figure(up.figure)
            for up in sections.ups
        ],
        "outages": [
            {
                "started_at": away.started_at,
                "ended_at": away.ended_at,
                "minutes": away.minutes,
                "late_steps": away.steps,
            }
            for away in sections.now.handovers.listed
        ],
    }
