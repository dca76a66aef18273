"""A sandbox marketplace: eMAG's API over HTTP, with rate limits, latency, a changing catalogue and faults.

It responds like recorded real accounts (docs/marketplace-api.md, "Sources"): it reads parameters in one place of the
body only, ignores unknown ones, and uses types that differ from the vendor's document. It shares no code with the
pipeline (standard library only), so that it cannot share its mistakes. docs/how-to/sandbox.md shows how to use it.
By default, accounts log in as `<account>@sandbox.example` with the password `sandbox`.

    with SandboxServer(accounts={"main": 1200}) as sandbox:     # or: python -m emag_pipeline.sandbox --port 8765
        login = ("main@sandbox.example", "sandbox")
        requests.post(f"{sandbox.url}/product_offer/read", auth=login, json={"currentPage": 2})
        sandbox.add_fault("server_error", pages=[3], count=2)

With `like`, responses have the shapes of a probed account; the package `like` describes the file.

`SandboxControl(url)` (client.py) has the same methods for a sandbox in another process. Both use the control API, JSON
over `POST /_control/<verb>` on the same port; its calls are neither counted nor limited:

faults    one fault or a list of faults: {"kind": …, limits, options}; {} only lists them. Limits, all optional:
          account, resource (prefix), pages [..] (page numbers as requested; without it, reads by id match too),
          sizes [..] (itemsPerPage as requested), offer_ids [..], probability 0-1, count (the fault ends after that
          many), after (lets that many calls pass first), for_seconds. Kinds and their options:
          - faults of a whole call; at most one per call, the first one added that matches:
            server_error (status 503) · html_200 · is_error (message, status 200) · storm_429 (retry_after) ·
            missing_is_error · truncated_json (keep 0.5; cut "json" | "connection" = promises the whole length) ·
            hang (seconds, none = forever) · reset (after_bytes 0) · slow (seconds 5) ·
            dribble (seconds 1 per byte; part "body" | "headers")
          - refusals of a whole call, each with status, message (default: as shown) and form "messages" | "objects" |
            "errors" (messages are empty) | "bare" (an empty body) | "html" (an empty web page):
            not_allowed ("You are not allowed to use this API", status 403) ·
            invalid_ip ("Invalid vendor ip [127.0.0.1]", status 403) ·
            wrong_credentials (status 401) · ip_not_whitelisted (status 403)
          - faults in pages and counts of offers and categories, which combine with those above and with each other:
            ignores_page (always page 1) · ignores_filters (id too) ·
            too_many_rows (rows 500: the page size, whatever itemsPerPage says) ·
            drift (change "departure" of the first offers | "arrival" in front | price | stock | standing | edition;
            offers 1), before the page is read ·
            endless_pages · repeated_page (shows 1) · count_lies (difference ±n, or offers n) ·
            breaks_page (each read of offers whose response would contain one of offer_ids fails, whatever its size:
            how "status" | "hang" | "reset" | "cut", status 500; by_id false = reads by id succeed) ·
            and at most one of these, the first one added that matches: empty_page · short_page (missing 1) ·
            poison (row nul | price | no_id | huge_id | same_id_twice | same_id_instead | price_first | no_id_first |
            long_name | surrogate | types; the first `rows` (1) of each matching page, or those of offer_ids on every
            page that has them)
clear     {} ends all faults; {"id": n} or {"kind": …} ends some
edit      {"account", "set": {id: {field: any JSON, served unchanged}}, "add": number | [ids], "remove": [ids],
          "hide": [ids] (pages omit them, reads by id find them; "counted": true keeps them in the count),
          "show": [ids], "double": [ids] (listed a second time before all others, and counted twice),
          "place": "end" | "front"}
advance   {"account" (default: all), "days": x, "changes": n,
          "kind": arrival | departure | price | stock | standing | edition}
settings  {requests_per_second, requests_per_minute (0 = no limit), latency_seconds, seconds_per_offer (for each row
          that a read of offers returns), shape_share (share of offers in the recorded shapes), quirk_share (share of
          offers in PHP's variants of types), changes_per_second, parameters "top" | "data" | "both" | "neither"
          (where reads and counts accept them), order "id" | "id_desc" | "shuffled", arrivals "end" | "front",
          users {account: [user, password]}}; {} only shows the settings
stats     {"requests": true for the list, "account", "reset": true}: requests, over_limit, most_in_a_second,
          most_in_a_minute, at_once, most_at_once by account
truth     {"account", "page": n | "id": n or [ids] | "ids": true, "items_per_page"}: the counts, and the true offers,
          without quirks and faults: in plain types, with null for values that are absent or have no known meaning
          (recommended_price 0, empty text, ownership as a boolean); edited values as they were edited. Also as GET
          with a query, in which `id` may be repeated
"""

from emag_pipeline.sandbox.client import SandboxControl
from emag_pipeline.sandbox.faults import FaultError
from emag_pipeline.sandbox.like import LikenessError
from emag_pipeline.sandbox.server import PortTaken, SandboxServer, run

__all__ = ["FaultError", "LikenessError", "PortTaken", "SandboxControl", "SandboxServer", "run"]
