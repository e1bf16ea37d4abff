"""Pages of the NEC secretariat: classification queue and public notices."""

from django.urls.resolvers import URLPattern, URLResolver

app_name = "nec"
urlpatterns: list[URLPattern | URLResolver] = []
