"""What an answer's status means. Pure."""

from __future__ import annotations

from ingestor.errors import Gone, Refused, Unreachable
from ingestor.model import Response


def require_page(response: Response) -> None:
    """Raise the :class:`FetchError` that a status other than 200 stands for.

    404 and 410 are :class:`Gone`; 401, 403, 407 and 451 :class:`Refused`; all others,
    server errors and 429 among them, :class:`Unreachable`.
    """
    if response.status == 200:
        return
    line = f"{response.url}: HTTP {response.status}"
    if response.status in {404, 410}:
        raise Gone(line)
    if response.status in {401, 403, 407, 451}:
        raise Refused(line)
    raise Unreachable(line)
