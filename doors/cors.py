"""Which pages may call the API: Starlette's middleware, whose refusals are in the envelope here."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from doors.errors import envelope, invalid


class Cors(CORSMiddleware):
    """Lets pages of some origins call."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer what a browser asks before it calls."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        refusal = envelope(invalid("Pages of this origin may not call: see CORS_ALLOWED_ORIGINS.", status=400))
        refusal.headers.update({name: value for name, value in response.headers.items() if name == "vary"})
        return refusal
