from django.db import migrations

from incidents import append_only


def install(apps, schema_editor):
    append_only.install(schema_editor.connection)


def remove(apps, schema_editor):
    append_only.remove(schema_editor.connection)


class Migration(migrations.Migration):
    """From here on the database itself refuses to change or delete what the journal and its chain hold."""

    dependencies = [
        ("incidents", "0002_block_marks"),
    ]

    operations = [
        migrations.RunPython(install, remove),
    ]
