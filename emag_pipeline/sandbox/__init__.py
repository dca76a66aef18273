"""A marketplace to try on: the API of emag-api.md over HTTP, with limits, latency, a living catalogue and faults.

It is a stranger to the pipeline: standard library only, and nothing of the pipeline's own, so that it cannot
share our mistakes. Accounts log in as `<account>@sandbox.example` with the password `sandbox` unless told otherwise.

    with SandboxServer(accounts={"main": 1200}) as sandbox:     # or: python -m emag_pipeline.sandbox --port 8765
        requests.post(f"{sandbox.url}/product_offer/read", auth=("main@sandbox.example", "sandbox"), json={"data": {}})
        sandbox.add_fault("server_error", pages=[3], count=2)

`SandboxControl(url)` has the same methods (face.py) for a sandbox in another process. Both speak the control API,
JSON over `POST /_control/<verb>` on the same port, neither counted nor limited:

faults    one fault or a list of them: {"kind": …, limits, options}; {} only lists. Limits, all optional: account,
          resource (prefix), pages [..] (else reads by id too), offer_ids [..], probability 0-1, count (then it is
          over), after (let that many pass first), for_seconds. Kinds and their options:
          - at the door, one a call, the first one added that matches:
            server_error (status 503) · html_200 · is_error (message, status 200) · storm_429 (retry_after) ·
            wrong_credentials (status 401) · ip_not_whitelisted (status 403) · missing_is_error ·
            truncated_json (keep 0.5; cut "json" | "connection" = promises the whole length) ·
            hang (seconds, none = for ever) · reset (after_bytes 0) · slow (seconds 5) ·
            dribble (seconds 1 a byte; part "body" | "headers")
          - in what pages and counts of offers and categories say, also on top of those and of each other:
            endless_pages · repeated_page (shows 1) · count_lies (difference ±n, or offers n) ·
            drift (change "departure" of the first offers | "arrival" in front | price | stock | standing | edition;
            offers 1), before the page is shown · and, the first one added that matches:
            empty_page · short_page (missing 1) ·
            poison (row nul | price | no_id | huge_id | same_id_twice | same_id_instead | long_name | surrogate | types;
            rows 1 from the top of each matching page, or those of offer_ids wherever they are shown)
clear     {} all, {"id": n} or {"kind": …}
edit      {"account", "set": {id: {field: value}}, "add": number | [ids], "remove": [ids], "hide": [ids] (pages leave
          them out, reads by id find them; "counted": true keeps them in the count), "show": [ids],
          "place": "end" | "front"}
advance   {"account" (else all), "days": x, "changes": n,
          "kind": arrival | departure | price | stock | standing | edition}
settings  {requests_per_second, requests_per_minute (0 = none), latency_seconds, quirk_share, changes_per_second,
          order "id" | "id_desc" | "shuffled", arrivals "end" | "front", users {account: [user, password]}};
          {} only shows
stats     {"requests": true for the list, "account", "reset": true}: requests, over_limit, most_in_a_second,
          most_in_a_minute, at_once, most_at_once by account
truth     {"account", "page": n | "id": n | "ids": true, "items_per_page"}: offers as they truly are, without quirks
          and faults; GET with a query works too
"""

from emag_pipeline.sandbox.client import SandboxControl
from emag_pipeline.sandbox.fault_kinds import FaultError
from emag_pipeline.sandbox.foreground import run
from emag_pipeline.sandbox.server import PortTaken, SandboxServer

__all__ = ["FaultError", "PortTaken", "SandboxControl", "SandboxServer", "run"]
