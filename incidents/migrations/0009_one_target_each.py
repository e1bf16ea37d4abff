from django.db import migrations, models

TWICE = "There is a target for this phase and severity already."


class Migration(migrations.Migration):
    """One response target an election, phase and severity, in a form that both databases enforce."""

    dependencies = [
        ("incidents", "0008_whole_points"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="responsetarget", name="one_target_a_phase_and_severity"),
        migrations.AddConstraint(
            model_name="responsetarget",
            constraint=models.UniqueConstraint(
                fields=("election", "phase", "severity"),
                name="one_target_an_election",
                violation_error_message=TWICE,
            ),
        ),
        migrations.AddConstraint(
            model_name="responsetarget",
            constraint=models.UniqueConstraint(
                condition=models.Q(("election", None)),
                fields=("phase", "severity"),
                name="one_general_target",
                violation_error_message=TWICE,
            ),
        ),
    ]
