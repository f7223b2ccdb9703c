import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from transforms.labels.motion.medians import median_of_counted


@given(
    hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=5).flatmap(
        lambda shape: st.tuples(
            hnp.arrays(np.float64, shape, elements=st.floats(-1e6, 1e6)), hnp.arrays(np.bool_, shape)
        )
    )
)
def test_it_is_numpys_median_of_what_counts(case):
    values, counts = case
    medians = median_of_counted(values, counts)
    for place in np.ndindex(medians.shape):
        left = values[place][counts[place]]
        assert medians[place] == (np.median(left) if len(left) else 0)


def test_sides_are_broadcast():
    values = np.arange(6.0).reshape(2, 1, 3)
    counts = np.array([[[True, True, False], [False, True, True]]])
    assert median_of_counted(values, counts).tolist() == [[0.5, 1.5], [3.5, 4.5]]


def test_nothing_to_count_at_all():
    assert median_of_counted(np.zeros((2, 0)), np.zeros((4, 1, 0), np.bool_)).tolist() == [[0, 0]] * 4
