"""Characters that no database and no JSON can keep are replaced one for one."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from corpora.characters import is_storable, storable

ANY = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=60)


def test_nul_and_lone_surrogates_are_replaced() -> None:
    assert storable("a\x00b\ud800c\udfff") == "a\ufffdb\ufffdc\ufffd"


@given(ANY)
def test_the_length_stays_and_the_rest_is_untouched(text: str) -> None:
    kept = storable(text)
    assert len(kept) == len(text)
    assert all(new == old or new == "\ufffd" for new, old in zip(kept, text, strict=True))


@given(ANY)
def test_the_result_can_be_stored_and_stays_as_it_is(text: str) -> None:
    kept = storable(text)
    assert is_storable(kept)
    assert storable(kept) == kept
    assert json.loads(json.dumps(kept, ensure_ascii=False).encode()) == kept
