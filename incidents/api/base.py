"""What every address of the API shares: query parameters are known or refused, and answers are kept by nobody else."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incidents.api.formats import no_surprises
from incidents.api.pagination import PARAMETERS
from incidents.api.problems import BadParameters


class Door(APIView):
    """Base of every view. `parameters` are the query parameters it reads beside those of every list."""

    parameters: tuple[str, ...] = ()
    #: False where the view itself checks its parameters (the filters of cases).
    checks_parameters = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        no_surprises(request)
        if self.checks_parameters:
            known = {*self.parameters, *PARAMETERS}
            text = _("There is no parameter called «%(name)s».")
            unknown = {n: text % {"name": n[:60]} for n in request.query_params if n not in known}
            if unknown:
                raise BadParameters(unknown)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class ListDoor(Door, generics.ListAPIView[Any]):
    """A list by keyset; `ordering` runs one way."""

    ordering: tuple[str, ...] = ("pk",)


class Strict(serializers.Serializer[Any]):
    """Input that refuses names it does not know: a misspelt field is never quietly dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := [name for name in data if name not in self.fields]):
            raise serializers.ValidationError(
                {str(n)[:60]: [_("There is no field called «%(name)s».") % {"name": str(n)[:60]}] for n in unknown}
            )
        return super().to_internal_value(data)


class NothingHere(Door):
    """Any other address under the API: 401 for a stranger, 404 for everybody else, as a problem."""

    checks_parameters = False
    schema = None

    def _answer(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise Http404

    get = post = put = patch = delete = _answer
