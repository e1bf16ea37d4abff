"""What was changed of what had been said: severities within the week, and facts of cases of earlier weeks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from incidents.choices import Act
from incidents.dashboards.past import values_at
from incidents.dashboards.question import Question
from incidents.models import Entry


def severity_changes(question: Question) -> Counter[tuple[str, str]]:
    """Reports of the period by (first severity, severity when it ended), where the two are not the same."""
    end = min(question.span.end, question.now)
    found = values_at(question.reported(), ("severity",), end, fixed=("initial_severity",))
    return Counter({(first, last): n for (last, first), n in found.items() if first != last})


@dataclass(frozen=True)
class Corrections:
    """Cases that were corrected, and of how many of them each field was: names of fields, never what stood there."""

    cases: int = 0
    fields: Counter[str] = field(default_factory=Counter)


def corrections(question: Question) -> Corrections:
    """Corrections made in the period to cases reported before it began."""
    earlier = question.cases().filter(reported_at__lt=question.span.start)
    acts = Entry.objects.filter(
        act=Act.CORRECT, at__gte=question.span.start, at__lt=question.span.end, incident__in=earlier
    )
    touched = {
        (case, name) for case, before in acts.order_by().values_list("incident", "before").iterator() for name in before
    }
    return Corrections(len({case for case, _name in touched}), Counter(name for _case, name in touched))
