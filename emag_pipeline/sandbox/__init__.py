"""A sandbox marketplace: eMAG's API over HTTP, with limits, latency, a living catalogue and faults.

It answers as real accounts were recorded to answer (docs/marketplace-api.md, "Sources"): parameters are obeyed in one
place of the body, unknown ones are ignored, and types are not those of the vendor's document. It shares nothing with
the pipeline (standard library only), so that it cannot share our mistakes. docs/how-to/sandbox.md shows its use.
Accounts log in as `<account>@sandbox.example` with the password `sandbox` unless told otherwise.

    with SandboxServer(accounts={"main": 1200}) as sandbox:     # or: python -m emag_pipeline.sandbox --port 8765
        login = ("main@sandbox.example", "sandbox")
        requests.post(f"{sandbox.url}/product_offer/read", auth=login, json={"currentPage": 2})
        sandbox.add_fault("server_error", pages=[3], count=2)

With `like` it answers in the shapes of an account that was probed; the package `like` describes the file.

`SandboxControl(url)` has the same methods (face.py) for a sandbox in another process. Both speak the control API,
JSON over `POST /_control/<verb>` on the same port, neither counted nor limited:

faults    one fault or a list of them: {"kind": …, limits, options}; {} only lists. Limits, all optional: account,
          resource (prefix), pages [..] (as asked for; else reads by id too), sizes [..] (itemsPerPage
          as asked for), offer_ids [..], probability 0-1, count (then it is over), after (let that many pass first),
          for_seconds. Kinds and their options:
          - at the door, one a call, the first one added that matches:
            server_error (status 503) · html_200 · is_error (message, status 200) · storm_429 (retry_after) ·
            missing_is_error · truncated_json (keep 0.5; cut "json" | "connection" = promises the whole length) ·
            hang (seconds, none = for ever) · reset (after_bytes 0) · slow (seconds 5) ·
            dribble (seconds 1 a byte; part "body" | "headers")
          - refusals at the door, each with status, message (else its own words) and form "messages" | "objects" |
            "errors" (messages are empty) | "bare" (an empty body) | "html" (a page without words):
            not_allowed ("You are not allowed to use this API", status 403) ·
            invalid_ip ("Invalid vendor ip [127.0.0.1]", status 403) ·
            wrong_credentials (status 401) · ip_not_whitelisted (status 403)
          - in what pages and counts of offers and categories say, also on top of those and of each other:
            ignores_page (always page 1) · ignores_filters (id too) ·
            too_many_rows (rows 500: pages of that size, whatever itemsPerPage says) ·
            drift (change "departure" of the first offers | "arrival" in front | price | stock | standing | edition;
            offers 1), before the page is shown ·
            endless_pages · repeated_page (shows 1) · count_lies (difference ±n, or offers n) ·
            breaks_page (each read of offers whose answer would hold one of offer_ids fails, whatever its size:
            how "status" | "hang" | "reset" | "cut", status 500; by_id false = reads by id answer) ·
            and, the first one added that matches: empty_page · short_page (missing 1) ·
            poison (row nul | price | no_id | huge_id | same_id_twice | same_id_instead | price_first | no_id_first |
            long_name | surrogate | types; rows 1 from the top of each matching page, or those of offer_ids wherever
            they are shown)
clear     {} all, {"id": n} or {"kind": …}
edit      {"account", "set": {id: {field: any JSON, which is served as it is}}, "add": number | [ids], "remove": [ids],
          "hide": [ids] (pages leave them out, reads by id find them; "counted": true keeps them in the count),
          "show": [ids], "double": [ids] (shown before all others too, and counted twice), "place": "end" | "front"}
advance   {"account" (else all), "days": x, "changes": n,
          "kind": arrival | departure | price | stock | standing | edition}
settings  {requests_per_second, requests_per_minute (0 = none), latency_seconds, seconds_per_offer (of each row that a
          read of offers returns), shape_share (of offers in the recorded shapes), quirk_share (of offers in PHP's
          spelling), changes_per_second, parameters "top" | "data" | "both" | "neither" (where reads and counts look for
          them), order "id" | "id_desc" | "shuffled", arrivals "end" | "front", users {account: [user, password]}};
          {} only shows
stats     {"requests": true for the list, "account", "reset": true}: requests, over_limit, most_in_a_second,
          most_in_a_minute, at_once, most_at_once by account
truth     {"account", "page": n | "id": n or [ids] | "ids": true, "items_per_page"}: the counts, and offers as they
          truly are, without quirks and faults: in plain types, null for what is not given or cannot be understood
          (recommended_price 0, empty text, ownership as a boolean); an edited value as it was edited. GET with a query
          works too, with several id
"""

from emag_pipeline.sandbox.client import SandboxControl
from emag_pipeline.sandbox.faults import FaultError
from emag_pipeline.sandbox.like import LikenessError
from emag_pipeline.sandbox.server import PortTaken, SandboxServer, run

__all__ = ["FaultError", "LikenessError", "PortTaken", "SandboxControl", "SandboxServer", "run"]
