from django.db import migrations, models


class Migration(migrations.Migration):
    """A latitude without its longitude was let through: a CHECK that comes to NULL counts as met."""

    dependencies = [
        ("incidents", "0007_dashboards_count_from_indexes"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="incident", name="point_is_whole_and_on_earth"),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lat__isnull", True), ("lon__isnull", True)),
                    models.Q(
                        ("lat__isnull", False),
                        ("lat__range", (-90, 90)),
                        ("lon__isnull", False),
                        ("lon__range", (-180, 180)),
                    ),
                    _connector="OR",
                ),
                name="point_is_whole_and_on_earth",
            ),
        ),
    ]
