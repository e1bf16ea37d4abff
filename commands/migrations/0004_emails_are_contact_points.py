from django.db import migrations
from django.utils import timezone


def make_points(apps, schema_editor):
    """An administrator set these addresses, so they count as verified."""
    user, point = apps.get_model("commands", "User"), apps.get_model("commands", "ContactPoint")
    now = timezone.now()
    known = set(point.objects.filter(channel="email").values_list("user", "address"))
    point.objects.bulk_create(
        (
            point(user_id=key, channel="email", address=address, created_at=now, verified_at=now)
            for key, address in user.objects.exclude(email="").values_list("pk", "email").iterator()
            if (key, address) not in known
        ),
        batch_size=500,
    )


class Migration(migrations.Migration):
    dependencies = [("commands", "0003_duty_contacts_delegations")]

    # Back: the addresses stay on the accounts, and points go with their table.
    operations = [migrations.RunPython(make_points, migrations.RunPython.noop)]
