import pytest

from experiments.quartiles import Quartiles, interleaved, short


@pytest.mark.parametrize(
    ("values", "quartiles"),
    [([7], (7, 7, 7)), ([3, 1, 2], (1.5, 2, 2.5)), ([4, 1, 3, 2, 5], (2, 3, 4)), ([0, 10], (2.5, 5, 7.5))],
)
def test_quartiles_lie_between_the_sorted_values(values: list[float], quartiles: tuple[float, float, float]) -> None:
    found = Quartiles.of(values)
    assert (found.lower, found.median, found.upper) == quartiles


def test_no_values_have_no_quartiles() -> None:
    with pytest.raises(ValueError, match="no values"):
        Quartiles.of([])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12345.6, "12,346"),
        (99.96, "100"),
        (12.34, "12.3"),
        (1.005, "1"),
        (0.01234, "0.0123"),
        (1e-7, "0.0000001"),
    ],
)
def test_numbers_are_written_with_three_digits_and_no_powers(value: float, text: str) -> None:
    assert short(value) == text


def test_interleaved_works_take_turns_and_the_warm_up_is_not_timed() -> None:
    calls: list[str] = []
    times = interleaved([lambda: calls.append("a"), lambda: calls.append("b")], repeats=2, warm_up=1)
    assert calls == ["a", "b"] * 3
    assert [len(mine) for mine in times] == [2, 2]
