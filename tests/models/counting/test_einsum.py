import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.counting.einsum import einsum_flops


@pytest.mark.parametrize(
    ("equation", "operands", "expected"),
    [
        ("ij,jk->ik", [(2, 3), (3, 5)], 2 * 2 * 3 * 5),
        ("bhid,bhjd->bhij", [(2, 3, 5, 7), (2, 3, 11, 7)], 2 * 2 * 3 * 5 * 11 * 7),
        ("bhij, bhjd -> bhid", [(2, 3, 5, 11), (2, 3, 11, 7)], 2 * 2 * 3 * 5 * 11 * 7),
        ("ij,jk", [(2, 3), (3, 5)], 2 * 2 * 3 * 5),
        ("i,i", [(4,), (4,)], 2 * 4),
        ("i,j->ij", [(4,), (5,)], 2 * 20),
        ("bchw,bc->bchw", [(2, 3, 5, 7), (2, 3)], 2 * 2 * 3 * 5 * 7),
        ("ii,ij->j", [(3, 3), (3, 4)], 2 * 3 * 4),
        ("...ij,...jk->...ik", [(2, 6, 3, 4), (6, 4, 5)], 2 * 2 * 6 * 3 * 4 * 5),
        ("...ij,jk", [(2, 3, 4), (4, 5)], 2 * 2 * 3 * 4 * 5),
        ("a...,b...->ab", [(2, 7), (3, 7)], 2 * 2 * 3 * 7),
        ("aB,Bc->ac", [(2, 3), (3, 5)], 2 * 2 * 3 * 5),
        # Three operands: (i j k) first, then (i k l) with what is left of the first product.
        ("ij,jk,kl->il", [(2, 3), (3, 5), (5, 7)], 2 * 2 * 3 * 5 + 2 * 2 * 5 * 7),
        ("ij,jk,kl", [(2, 3), (3, 5), (5, 7)], 2 * 2 * 3 * 5 + 2 * 2 * 5 * 7),
        # Nothing may be summed before the last operand came.
        ("i,i,i->", [(4,), (4,), (4,)], 2 * 4 + 2 * 4),
        ("ij,kj->ik", [(0, 3), (2, 3)], 0),
        ("ij,jk->ik", [(2, 1), (3, 5)], 2 * 2 * 3 * 5),
    ],
)
def test_contractions(equation, operands, expected):
    assert einsum_flops(equation, operands) == expected


@pytest.mark.parametrize("equation", ["ij->ji", "ij->i", "ii->i", "ij->", "...i->...", "ij"])
def test_one_operand_multiplies_nothing(equation):
    assert einsum_flops(equation, [(3, 3)]) is None


@pytest.mark.parametrize(
    ("equation", "operands"),
    [
        ("ij,jk->ik", [(2, 3)]),
        ("ij,jk->ik", [(2, 3), (4, 5)]),
        ("ij,jk->ik", [(2, 3), (3, 5, 7)]),
        ("ijk,jk->ik", [(2, 3), (3, 5)]),
        ("ij,jk->iz", [(2, 3), (3, 5)]),
        ("i1,1k->ik", [(2, 3), (3, 5)]),
        ("i->", []),
    ],
)
def test_equations_that_do_not_fit(equation, operands):
    with pytest.raises(ValueError, match=r"terms for|is both|not the labels|no operand has"):
        einsum_flops(equation, operands)


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True),
    st.tuples(*[st.integers(1, 4)] * 4),
    st.data(),
)
def test_two_operands_of_ones_sum_up_to_their_multiplications(left, right, lengths, data):
    by_label = dict(zip("abcd", lengths, strict=True))
    labels = sorted({*left, *right})
    result = data.draw(st.lists(st.sampled_from(labels), unique=True))
    equation = f"{''.join(left)},{''.join(right)}->{''.join(result)}"
    operands = [tuple(by_label[label] for label in term) for term in (left, right)]
    multiplied = np.einsum(equation, *(np.ones(shape) for shape in operands)).sum()
    assert (
        einsum_flops(equation, operands) == 2 * multiplied == 2 * math.prod(by_label[name] for name in labels)
    )
