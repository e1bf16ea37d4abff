from django.db import migrations

WAS = {"en": "Not yet classified", "km": "មិនទាន់ចាត់ថ្នាក់"}
NOW = {"en": "Kind not known yet", "km": "មិនទាន់ដឹងប្រភេទ"}


def _rename(apps, was, now):
    """Only what nobody has changed: the words of categories are an administrator's."""
    unknown = apps.get_model("incidents", "Category").objects.filter(pk="UNK-00")
    for language in was:
        for field in (f"name_{language}", f"group_{language}"):
            unknown.filter(**{field: was[language]}).update(**{field: now[language]})


def forward(apps, schema_editor):
    _rename(apps, WAS, NOW)


def back(apps, schema_editor):
    _rename(apps, NOW, WAS)


class Migration(migrations.Migration):
    """«Not classified» is said of what NEC has not decided; a category of nearly that name stood on the same page."""

    dependencies = [("incidents", "0010_accounts_in_the_journal")]

    operations = [migrations.RunPython(forward, back)]
