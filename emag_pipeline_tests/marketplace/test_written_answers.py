"""An answer is read as any JSON is, and of each of its results it is known how it was written."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emag_pipeline.marketplace.json_text import Written, parse, parse_answer

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
#: Short, so that what is spoilt in one is more often what matters.
_FEW_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)
_ANSWERS = st.dictionaries(st.sampled_from(["isError", "messages", "results", "", "ă"]), _VALUES)


def _outcome(read: Any, body: bytes) -> object:
    try:
        return repr(read(body))
    except ValueError:
        return ValueError


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_ANSWERS, st.sampled_from([None, 1, "\t"]), st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_any_answer_is_read_as_json_is(answer: object, indent: Any, is_ascii: bool, encoding: str) -> None:
    body = json.dumps(answer, indent=indent, ensure_ascii=is_ascii).encode(encoding, "surrogatepass")
    assert _outcome(parse_answer, body) == _outcome(parse, body)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(st.text(), _FEW_VALUES, max_size=4), min_size=1, max_size=4), st.data())
def test_whatever_is_wrong_with_it_is_wrong_with_it_as_json(results: object, data: st.DataObject) -> None:
    text = json.dumps({"isError": False, "results": results}, indent=data.draw(st.sampled_from([None, 1])))
    at = data.draw(st.integers(0, len(text)))
    sign = data.draw(st.sampled_from(["", '"', ",", ":", "[", "]", "{", "}", " ", "\n", "0", "x", "\\", "\0"]))
    spoilt = (text[:at] + sign + text[at + data.draw(st.integers(0, 2)) :]).encode()
    assert _outcome(parse_answer, spoilt) == _outcome(parse, spoilt)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_VALUES), st.sampled_from([None, 2]))
def test_the_text_of_each_result_says_what_it_holds(results: list[object], indent: int | None) -> None:
    body = json.dumps({"isError": False, "messages": [{"results": [1]}], "results": results}, indent=indent).encode()
    found = parse_answer(body)
    assert isinstance(found, dict)
    written = found["results"]
    assert isinstance(written, Written)
    assert len(written.texts) == len(written)
    read = [parse(text.encode("utf-8", "surrogatepass")) for text in written.texts]
    assert repr(read) == repr(list(written))


@pytest.mark.parametrize(
    "text",
    ['{"results": {"0": 1}}', '{"results": null}', "[]", '{"results": [1], "results": [2]}', '{"other": [1]}'],
)
def test_where_results_are_no_list_or_stand_twice_it_is_not_known_how_they_were_written(text: str) -> None:
    found = parse_answer(text.encode())
    assert found == parse(text.encode())
    assert not any(isinstance(one, Written) for one in (found.values() if isinstance(found, dict) else [found]))
