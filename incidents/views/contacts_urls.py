"""A person's contact points."""

from django.urls import path

from incidents.views import contacts

app_name = "contacts"
urlpatterns = [
    path("", contacts.listed, name="list"),
    path("add", contacts.add, name="add"),
    path("<int:pk>/send", contacts.send, name="send"),
    path("<int:pk>/verify", contacts.verify, name="verify"),
    path("<int:pk>/quiet", contacts.quiet, name="quiet"),
    path("<int:pk>/switch", contacts.switch, name="switch"),
    path("<int:pk>/remove", contacts.remove, name="remove"),
]
