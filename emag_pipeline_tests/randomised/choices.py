"""What the rules choose from; the first of each is what hypothesis turns to when it shortens a story."""

from hypothesis import strategies as st

#: offers next to each other in page order: where they begin, how many
BLOCKS = st.tuples(st.integers(0, 249), st.sampled_from([1, 2, 5, 12, 60]))
PAGES = st.integers(1, 4)
CALLS = st.one_of(
    PAGES.map(lambda page: {"pages": [page]}),
    st.sampled_from([{"resource": "product_offer/count"}, {"resource": "product_offer/read"}]),
)
EDITS = st.sampled_from(
    [
        {"sale_price": 12.3456},
        {"sale_price": 99.99, "recommended_price": None},
        {"general_stock": 0, "estimated_stock": 0},
        {"general_stock": 7},
        {"status": 2},
        {"name": "Ceainic emailat, ediție nouă"},
    ]
)
#: no good answer came
FAILURES = st.sampled_from(
    [
        {"kind": "server_error"},
        {"kind": "reset"},
        {"kind": "reset", "after_bytes": 200},
        {"kind": "truncated_json"},
        {"kind": "truncated_json", "cut": "connection"},
        {"kind": "html_200"},
        {"kind": "is_error"},
        {"kind": "missing_is_error"},
        {"kind": "storm_429", "retry_after": 0.05},
    ]
)
_WRONG_PAGES = st.sampled_from(
    [
        {"kind": "short_page"},
        {"kind": "short_page", "missing": 30},
        {"kind": "empty_page"},
        {"kind": "repeated_page"},
        {"kind": "repeated_page", "shows": 2},
    ]
)
_DRIFTS = st.sampled_from(["departure", "arrival", "price", "stock", "standing", "edition"])
#: good answers that mislead
TRICKS = st.one_of(
    st.builds(lambda fault, page: {**fault, "pages": [page]}, _WRONG_PAGES, PAGES),
    st.builds(
        lambda change, offers, page: {"kind": "drift", "change": change, "offers": offers, "pages": [page]},
        _DRIFTS,
        st.integers(1, 3),
        PAGES,
    ),
    st.builds(
        lambda difference, after: {"kind": "count_lies", "difference": difference, "after": after},
        st.sampled_from([-120, -1, 1, 120]),
        st.integers(0, 2),
    ),
)
#: None: all rows are well again
POISON = st.sampled_from(
    [None, "nul", "price", "no_id", "huge_id", "same_id_twice", "same_id_instead", "long_name", "surrogate", "types"]
)
