"""A common loader's way: dlt's REST source, paced, into PostgreSQL by COPY, upserted by id into one table.

`PYTHON benchmarks/dlt_way.py MARKETPLACE DATABASE CALLS_A_SECOND DIRECTORY`, where PYTHON has dlt; no more is needed.
"""

import sys
import time
from threading import Lock
from typing import Any

import dlt  # type: ignore[import-not-found]
from dlt.sources.helpers.requests import Session  # type: ignore[import-not-found]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]


class _Paced(Session):  # type: ignore[misc]
    """Sends no call sooner than the rate allows."""

    def __init__(self, calls_a_second: float) -> None:
        super().__init__()
        self._pause = 1 / calls_a_second
        self._lock = Lock()
        self._next = 0.0

    def send(self, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + self._pause
        time.sleep(at - now)
        return super().send(*args, **kwargs)


def main(marketplace: str, database: str, calls_a_second: float, directory: str) -> None:
    """Load all pages."""
    source = rest_api_source(
        {
            "client": {
                "base_url": marketplace,
                "auth": {"type": "http_basic", "username": "main@sandbox.example", "password": "sandbox"},
                "session": _Paced(calls_a_second),
            },
            "resources": [
                {
                    "name": "offers",
                    "primary_key": "id",
                    "write_disposition": {"disposition": "merge", "strategy": "upsert"},
                    "max_table_nesting": 0,
                    "endpoint": {
                        "path": "product_offer/read",
                        "method": "POST",
                        "json": {"currentPage": 1, "itemsPerPage": 100},
                        "data_selector": "results",
                        "paginator": {
                            "type": "page_number",
                            "base_page": 1,
                            "page_param": None,
                            "page_body_path": "currentPage",
                            "total_path": None,
                            "stop_after_empty_page": True,
                        },
                    },
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "offers",
        pipelines_dir=directory,
        destination=dlt.destinations.postgres(database),
        dataset_name="loaded",
    )
    pipeline.run(source, loader_file_format="csv")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
