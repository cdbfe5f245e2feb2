"""Fixtures of the store's tests."""

from contextlib import ExitStack, closing
from itertools import count

import pytest

from ingestor.store.db.database import Database


@pytest.fixture
def empty(request, tmp_path, store_url):
    """Give a function that opens a new database of the kind under test, with nothing in it."""
    numbers = count(1)
    with ExitStack() as stack:

        def opened() -> Database:
            url = f"sqlite:///{tmp_path}/{next(numbers)}.db"
            if store_url:
                server = request.getfixturevalue("postgresql")
                name = server.empty()
                stack.callback(server.drop, name)
                url = server.url(name)
            return stack.enter_context(closing(Database(url)))

        yield opened
