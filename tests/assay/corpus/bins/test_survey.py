import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.corpus.bins import survey
from assay.corpus.bins.survey import survey_ids
from tests.twins import bins as twin

numbers = st.lists(st.sampled_from([0, 0, 0, 1, 5, 7, 9, 11]), max_size=60)


@given(ids=numbers, step=st.integers(1, 13))
def test_a_pass_in_steps_finds_what_the_twin_finds(ids: list[int], step: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey, "CHUNK_IDS", step)
        found = survey_ids(np.array(ids, np.uint16), 10, 9)

    assert found.count == len(ids)
    assert (found.smallest, found.largest) == (min(ids, default=0), max(ids, default=0))
    assert found.beyond == sum(each >= 10 for each in ids)
    assert found.first_beyond == next((at for at, each in enumerate(ids) if each >= 10), -1)
    assert (found.zeros, found.zeros_at) == twin.longest_run(ids, 0)
    assert found.num_zeros == ids.count(0)
    assert found.tail == twin.tail(ids, 0)
    assert found.marks_D.tolist() == [at for at, each in enumerate(ids) if each == 9]


def test_ids_under_zero_are_beyond() -> None:
    found = survey_ids(np.array([3, -100, 5], np.int32), 10, 9)

    assert (found.beyond, found.first_beyond, found.smallest) == (1, 1, -100)
