from django.db import migrations, models

TWICE = "This phase is there already, from the same moment."


class Migration(migrations.Migration):
    """A phase once for a place and once for the country, in a form that both databases enforce."""

    dependencies = [
        ("elections", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="phasewindow", name="phase_window_once"),
        migrations.AddConstraint(
            model_name="phasewindow",
            constraint=models.UniqueConstraint(
                fields=("election", "phase", "jurisdiction", "starts_at"),
                name="phase_window_once_in_a_place",
                violation_error_message=TWICE,
            ),
        ),
        migrations.AddConstraint(
            model_name="phasewindow",
            constraint=models.UniqueConstraint(
                condition=models.Q(("jurisdiction", None)),
                fields=("election", "phase", "starts_at"),
                name="phase_window_once_in_the_country",
                violation_error_message=TWICE,
            ),
        ),
    ]
