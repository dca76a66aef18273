"""Of contacts and of what sellers had sent, nothing is kept but that there is any."""

import json

from emag_pipeline.marketplace.normalise import normalise
from emag_pipeline.model import Offer, Reject

_ELENA = [{"name": "Elena Ionescu", "email": "elena@shop.example"}]
_REPORT = {"errors": [{"code": 1, "message": {"en": "blurred"}}], "warnings": [], "seller_input": {"contact": _ELENA}}


def _offer(**fields: object) -> Offer:
    read = normalise({"id": 1, **fields})
    assert isinstance(read, Offer)
    return read


def test_contacts_are_kept_as_whether_there_are_any() -> None:
    read = _offer(manufacturer=_ELENA, eu_representative=[])
    assert json.loads(read.raw) == {"id": 1, "manufacturer": True, "eu_representative": False}


def test_what_the_seller_had_sent_is_not_kept_beside_the_reasons_of_a_refusal() -> None:
    read = _offer(validation_status=[{"value": 8, "errors": _REPORT}], doc_errors=[_REPORT])
    assert read.validation_details is not None
    assert "blurred" in read.validation_details
    assert "Elena" not in f"{read.validation_details} {read.doc_errors} {read.raw}"


def test_nor_where_the_refusal_itself_cannot_be_read() -> None:
    read = _offer(validation_status=[{"value": "?", "errors": _REPORT}])
    assert "blurred" in read.raw
    assert "Elena" not in read.raw


def test_what_the_seller_sent_makes_no_difference_between_two_readings() -> None:
    one, other = (
        _offer(doc_errors=[_REPORT | {"seller_input": {"version": version}}]).content_hash for version in (1, 2)
    )
    assert one == other


def test_a_row_without_an_id_goes_to_quarantine_without_people() -> None:
    read = normalise({"id": None, "name": "Cafea", "manufacturer": _ELENA, "validation_status": [{"errors": _REPORT}]})
    assert isinstance(read, Reject)
    kept = json.loads(read.payload)
    assert (kept["name"], kept["manufacturer"]) == ("Cafea", True)
    assert "Elena" not in read.payload
