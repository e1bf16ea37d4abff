"""Addresses of the weekly summary and its files."""

from django.urls import path

from incidents.reports import views

app_name = "reports"
urlpatterns = [
    path("weekly/", views.page, name="weekly"),
    path("weekly/summary.csv", views.summary_csv, name="weekly_csv"),
    path("weekly/summary.xlsx", views.workbook, name="weekly_xlsx"),
    path("weekly/cases.csv", views.cases_csv, name="weekly_cases"),
]
