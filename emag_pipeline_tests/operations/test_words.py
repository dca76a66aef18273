from emag_pipeline.operations.words import failure_words


def test_a_remedy_is_told_once() -> None:
    assert failure_words("It broke. Mend it.", "Mend it") == "It broke. Mend it."
    assert failure_words("It broke", "Mend it") == "It broke. Mend it."
