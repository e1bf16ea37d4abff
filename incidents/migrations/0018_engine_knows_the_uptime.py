from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0017_delivery_by_channel'),
    ]

    operations = [
        migrations.AddField(
            model_name='enginestate',
            name='last_boot',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name='enginestate',
            name='last_uptime',
            field=models.FloatField(blank=True, null=True),
        ),
    ]
