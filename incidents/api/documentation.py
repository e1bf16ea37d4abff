"""The documentation page: Swagger UI from the sidecar's own files, under the strict Content-Security-Policy."""

from drf_spectacular.views import SpectacularSwaggerSplitView


class Documentation(SpectacularSwaggerSplitView):
    """For people signed in. Its template has no inline script or style, unlike the one it replaces."""

    url_name = "api:schema"
    template_name = "api/docs.html"
