"""The targets there are become the first version of a policy, with the steps every case had so far."""

import datetime as dt

from django.db import migrations

ALWAYS = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_AT_ONCE = ((75, "warn"), (100, "move"))
_LATER = ((75, "warn"), (100, "tell"), (200, "move"))
_NEVER = ((75, "warn"), (100, "tell"))
STEPS = {
    "acknowledge": _AT_ONCE,
    "accept": _AT_ONCE,
    "first_update": _LATER,
    "update": _LATER,
    "contain": _LATER,
    "resolve": _LATER,
    "review": _LATER,
    "verify": _NEVER,
    "legal": _NEVER,
}


def make(apps, schema_editor):
    target, policy = apps.get_model("incidents", "ResponseTarget"), apps.get_model("incidents", "Policy")
    step, incident = apps.get_model("incidents", "PolicyStep"), apps.get_model("incidents", "Incident")
    rows = list(target.objects.order_by("pk"))
    if not rows:
        return
    general = {(row.phase, row.severity): row for row in rows if row.election_id is None}
    made = {}
    for key in [None, *sorted({row.election_id for row in rows} - {None})]:
        made[key] = policy.objects.create(election_id=key, number=1, created_at=ALWAYS, published_at=ALWAYS)
        own = {(row.phase, row.severity): row for row in rows if row.election_id == key}
        for place, row in (general | own).items():
            if place not in own:
                row.pk = None
            row.policy = made[key]
            row.verify_minutes = 120 if row.phase in ("polling", "counting") else 1440
            row.save()
        step.objects.bulk_create(
            step(policy=made[key], clock=clock, number=number, percent=percent, deed=deed)
            for clock, steps in STEPS.items()
            for number, (percent, deed) in enumerate(steps)
        )
    for key, its in made.items():
        cases = incident.objects.filter(policy=None)
        (cases.filter(election_id=key) if key else cases.exclude(election_id__in=[k for k in made if k])).update(policy=its)
    for phase in incident.objects.order_by().values_list("phase", flat=True).distinct():
        incident.objects.filter(phase=phase, clock_phase="").update(clock_phase=phase)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0013_escalation_policies")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
