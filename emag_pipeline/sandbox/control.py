"""The control API, `/_control/<verb>`. The package's docstring describes it for users."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from emag_pipeline.sandbox import truth
from emag_pipeline.sandbox.answers import Answer, plain
from emag_pipeline.sandbox.catalogue.catalogue import Catalogue
from emag_pipeline.sandbox.catalogue.life import CHANGES
from emag_pipeline.sandbox.marketplace import Marketplace

Body = Mapping[str, Any]
_MOST_ADDED = 1_000_000
#: the parameter that a query may repeat
_MANY = "id"


class ControlError(ValueError):
    """The command is invalid; the message says why."""


class Control:
    """Carries out commands, given as JSON over HTTP or from Python."""

    def __init__(self, marketplace: Marketplace) -> None:
        self._marketplace = marketplace
        self._verbs: dict[str, Callable[[Any], dict[str, Any]]] = {
            "faults": self._faults,
            "clear": self._clear,
            "edit": self._edit,
            "advance": self._advance,
            "settings": self._settings,
            "stats": self._stats,
            "truth": self._truth,
        }

    def answer(self, target: str, body: bytes) -> Answer:
        """The response to an HTTP request: 200 with JSON, or 400 with an `error` that says what is wrong."""
        address = urlsplit(target)
        try:
            content = json.loads(body) if body.strip() else {}
            if isinstance(content, dict):
                content = _asked(address.query) | content
            return plain(200, self.do(address.path.rpartition("/")[2], content))
        except ValueError as error:
            return plain(400, {"error": str(error)})
        except RecursionError:
            return plain(400, {"error": "The body is nested too deeply."})

    def do(self, verb: str, body: Any) -> dict[str, Any]:
        """Carry out one command. Raises ValueError if it is invalid."""
        if verb not in self._verbs:
            raise ControlError(f"Unknown command {verb!r}; the known ones are {', '.join(self._verbs)}.")
        if not isinstance(body, Mapping) and verb != "faults":
            raise ControlError("The body must be a JSON object.")
        try:
            return self._verbs[verb](body)
        except KeyError as error:
            raise ControlError(f"Unknown offer or account {error.args[0]!r}.") from error
        except (TypeError, AttributeError, OverflowError) as error:
            raise ControlError(f"The body does not have the form of this command: {error}.") from error

    def _faults(self, body: Any) -> dict[str, Any]:
        descriptions = body if isinstance(body, list) else [body] if body else []
        if not all(isinstance(description, Mapping) for description in descriptions):
            raise ControlError(
                "A fault must be a JSON object with the key kind; several faults must be a list of such objects."
            )
        added = [self._marketplace.faults.add(description) for description in descriptions]
        return {"added": added, "faults": self._marketplace.faults.described()}

    def _clear(self, body: Body) -> dict[str, Any]:
        _only(body, "id", "kind")
        return {"cleared": self._marketplace.faults.clear(body.get("id"), body.get("kind"))}

    def _edit(self, body: Body) -> dict[str, Any]:
        _only(body, "account", "set", "add", "double", "remove", "hide", "show", "place", "counted")
        catalogue = self._catalogue(body)
        with catalogue.lock:
            for offer_id, fields in dict(body.get("set", {})).items():
                catalogue.edit(_offer_id(offer_id), fields)
            added = [catalogue.add(one, body.get("place")) for one in _additions(body.get("add", 0))]
            for offer_id in body.get("double", ()):
                catalogue.double(_offer_id(offer_id))
            for offer_id in body.get("remove", ()):
                catalogue.remove(_offer_id(offer_id))
            for offer_id in body.get("hide", ()):
                catalogue.hide(_offer_id(offer_id), counted=bool(body.get("counted", False)))
            for offer_id in body.get("show", ()):
                catalogue.add(_offer_id(offer_id), body.get("place"))
            return {"added": added, "count": catalogue.count()}

    def _advance(self, body: Body) -> dict[str, Any]:
        _only(body, "account", "days", "changes", "kind")
        kind = body.get("kind")
        if kind is not None and kind not in CHANGES:
            raise ControlError(f"Unknown kind of change {kind!r}; the known ones are {', '.join(CHANGES)}.")
        names = [self._account(body)] if body.get("account") else list(self._marketplace.accounts.lives)
        for name in names:
            life = self._marketplace.accounts.lives[name]
            life.advance(float(body.get("days", 0)))
            life.change(int(body.get("changes", 0)), kind)
        catalogues = self._marketplace.accounts.catalogues
        return {name: {"day": catalogues[name].day, "count": catalogues[name].count()} for name in names}

    def _settings(self, body: Body) -> dict[str, Any]:
        changes = dict(body)
        users = dict(changes.pop("users", {}))
        settings = self._marketplace.settings.changed(changes)
        for account, (username, password) in users.items():
            self._marketplace.accounts.set_user(account, username, password)
        self._marketplace.apply(settings)
        fixed = {"seed": self._marketplace.seed, "users": self._marketplace.accounts.usernames()}
        return asdict(self._marketplace.settings) | fixed

    def _stats(self, body: Body) -> dict[str, Any]:
        _only(body, "account", "requests", "reset")
        statistics = self._marketplace.statistics
        result: dict[str, Any] = {"accounts": statistics.summary()}
        if body.get("requests"):
            result["requests"] = statistics.requests(body.get("account"))
        if body.get("reset"):
            statistics.reset()
        return result

    def _truth(self, body: Body) -> dict[str, Any]:
        _only(body, "account", "page", "items_per_page", "id", "ids")
        account = self._account(body)
        ids = body.get("id")
        if ids is not None:
            body = {**body, "id": [_offer_id(one) for one in (ids if isinstance(ids, list) else [ids])]}
        self._marketplace.accounts.lives[account].catch_up(time.monotonic())
        return truth.truth_of(self._marketplace.accounts.catalogues[account], self._marketplace.shapes(account), body)

    def _account(self, body: Body) -> str:
        account = body.get("account", "main")
        if account not in self._marketplace.accounts.catalogues:
            known = ", ".join(self._marketplace.accounts.catalogues)
            raise ControlError(f"Unknown account {account!r}; the known ones are {known}.")
        return str(account)

    def _catalogue(self, body: Body) -> Catalogue:
        return self._marketplace.accounts.catalogues[self._account(body)]


def _asked(query: str) -> dict[str, Any]:
    """The parameters of a query; repeated ones become a list."""
    found: dict[str, list[Any]] = {}
    for name, text in parse_qsl(query):
        found.setdefault(name, []).append(_typed(text))
    if several := [name for name, values in found.items() if len(values) > 1 and name != _MANY]:
        raise ControlError(f"{several[0]!r} is given {len(found[several[0]])} times; only {_MANY} may be repeated.")
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _only(body: Body, *names: str) -> None:
    if unknown := sorted(body.keys() - set(names)):
        raise ControlError(f"Unknown key {unknown[0]!r}; the known ones are {', '.join(names)}.")


def _additions(add: Any) -> list[int | None]:
    """The ids to add, None for a new id; `add` is a number of offers or a list of ids."""
    if not isinstance(add, int):
        return [_offer_id(one) for one in add]
    if add > _MOST_ADDED:
        raise ControlError(f"At most {_MOST_ADDED} offers can be added at once, not {add}.")
    return [None] * add


def _offer_id(value: Any) -> int:
    """An id, given as a number or as text. Other values are refused: no page could return such an offer."""
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,18}", str(value)):
        raise ControlError(f"An offer's id must be a whole number, not {value!r}.")
    return int(value)


def _typed(text: str) -> Any:
    """A query parameter converted like JSON: numbers and true/false are not text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
