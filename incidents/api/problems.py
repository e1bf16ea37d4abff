"""Every refusal of the API as an RFC 9457 problem."""

from rest_framework.views import exception_handler as problem

__all__ = ["problem"]
