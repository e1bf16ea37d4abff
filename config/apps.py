"""The admin without GeoDjango: django-leaflet's own admin module needs GDAL, which this project does not."""

from importlib import import_module

from django.apps import apps
from django.contrib.admin.apps import SimpleAdminConfig
from django.utils.module_loading import module_has_submodule


class ReferenceAdminConfig(SimpleAdminConfig):
    """Finds every app's admin module except leaflet's, whose import fails where GDAL is absent."""

    default = False

    def ready(self) -> None:
        super().ready()
        import_module("config.checks")
        for app in apps.get_app_configs():
            if app.name != "leaflet" and app.module and module_has_submodule(app.module, "admin"):
                import_module(f"{app.name}.admin")
