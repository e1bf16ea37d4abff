from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0003_journal_append_only'),
    ]

    operations = [
        migrations.AddField(
            model_name='publicnotice',
            name='alert_xml',
            field=models.TextField(blank=True, default='', editable=False),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='publicnotice',
            name='cancel_xml',
            field=models.TextField(blank=True, default='', editable=False),
            preserve_default=False,
        ),
    ]
