from django.db import migrations, models


class Migration(migrations.Migration):
    """Drills have tables of their own (docs/decisions/0016-drills.md), and no case was ever one: the mark goes, and the
    indexes that named it are made without it.
    """

    dependencies = [
        ('incidents', '0020_fewer_indexes'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='incident',
            name='unclassified',
        ),
        migrations.RemoveIndex(
            model_name='incident',
            name='open_points',
        ),
        migrations.RemoveIndex(
            model_name='incident',
            name='open_by_verification',
        ),
        migrations.RemoveIndex(
            model_name='incident',
            name='open_without_a_point',
        ),
        migrations.RemoveIndex(
            model_name='incident',
            name='serious_acknowledged',
        ),
        migrations.RemoveIndex(
            model_name='incident',
            name='ended_by_time',
        ),
        migrations.RemoveField(
            model_name='incident',
            name='is_drill',
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('classification', 'undetermined')), fields=['reported_at'], include=('state', 'severity', 'phase', 'is_sealed', 'election', 'province_code', 'category'), name='unclassified'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('is_sealed', False), ('state__in', ('reported', 'acknowledged', 'responding', 'contained')), ('lat__isnull', False)), fields=['lat', 'lon'], include=('place', 'category', 'severity', 'state', 'reference', 'province_code', 'district_code'), name='open_points'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('is_sealed', False), ('state__in', ('reported', 'acknowledged', 'responding', 'contained'))), fields=['province_code', 'district_code', 'verification'], include=('severity', 'reported_at', 'election', 'category'), name='open_by_verification'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('is_sealed', False), ('state__in', ('reported', 'acknowledged', 'responding', 'contained')), ('lat__isnull', True)), fields=['province_code', 'district_code'], include=('severity', 'place', 'category', 'state', 'reference', 'election'), name='open_without_a_point'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('acknowledged_at__isnull', False), ('severity__in', ['critical', 'high']), ('is_sealed', False)), fields=['reported_at'], include=('severity', 'acknowledged_at', 'state', 'province_code', 'district_code', 'election', 'category'), name='serious_acknowledged'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('is_sealed', False), ('resolved_at__isnull', False)), fields=['resolved_at'], include=('severity', 'state', 'reopened_count', 'reported_at', 'province_code', 'district_code', 'election', 'category'), name='ended_by_time'),
        ),
    ]
