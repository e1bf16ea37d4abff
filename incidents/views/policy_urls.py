"""Addresses of escalation policies, below /escalation/policies/: a version is named by its election and number."""

from django.urls import path

from incidents.views import policies, rebase, simulation

urlpatterns = [
    path("", policies.policy_list, name="policies"),
    path("simulation/", simulation.simulation, name="simulation"),
    path("case/<uuid:pk>/", rebase.case, name="policy_case"),
    path("<slug:code>/<int:number>/", policies.policy, name="policy"),
    path("<slug:code>/<int:number>/draft", policies.draft, name="policy_draft"),
    path("<slug:code>/<int:number>/edit/", policies.edit, name="policy_edit"),
    path("<slug:code>/<int:number>/publish", policies.publish, name="policy_publish"),
    path("<slug:code>/<int:number>/discard", policies.discard, name="policy_discard"),
    path("<slug:code>/<int:number>/move/", rebase.move, name="policy_move"),
]
