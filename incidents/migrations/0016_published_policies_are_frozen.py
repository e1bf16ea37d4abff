from django.db import migrations

from incidents import frozen


def install(apps, schema_editor):
    frozen.install(schema_editor.connection)


def remove(apps, schema_editor):
    frozen.remove(schema_editor.connection)


class Migration(migrations.Migration):
    """From here on the database itself refuses to change a policy that was published, its targets or its steps."""

    dependencies = [
        ("incidents", "0015_every_case_has_a_policy"),
    ]

    operations = [
        migrations.RunPython(install, remove),
    ]
