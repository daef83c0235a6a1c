from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from modelwright.components.columns import ColumnRule, ColumnSelection
from modelwright.components.errors import (
    ColumnTypeError,
    EmptySelection,
    InvalidParameter,
    MissingColumn,
)
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.apply_math_operation import (
    ApplyMathOperation,
    UnequalColumnCounts,
)
from modelwright.components.palette.data_transformation.math_operations import FAMILIES
from modelwright.components.parameters import is_visible
from modelwright.data.expression import DuplicateColumn
from modelwright.data.schema import ColumnType, Role
from modelwright.data.table import Table

NAN, INF, PI = math.nan, math.inf, math.pi
LONG = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, 2**32, -1, 0, 3])
ALL = [(family, name) for family, names in FAMILIES.items() for name in names]


def component(name: str, **parameters: Any) -> ApplyMathOperation:
    family = next(f for f, names in FAMILIES.items() if name in names)
    chosen = {"category": family, family.lower(): name, "columns": ["x"]}
    return ApplyMathOperation.model_validate(chosen | parameters)


def of(name: str, x: Any, second: Any = None, **parameters: Any) -> Any:
    """The function of one value, with a second value from a column if there is one."""
    columns = {"x": [x]}
    if second is not None and FAMILIES.get("Rounding", {}).get(name):
        parameters["constant_precision"] = second
    elif second is not None:
        columns["y"] = [second]
        parameters |= {"second_type": "ColumnSet", "second_columns": ["y"]}
    made = component(name, output_mode="ResultOnly", **parameters)
    return made.run(Table(pl.DataFrame(columns))).frame.item()


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("Abs", (-2.5,), 2.5),
        ("Abs", (-2,), 2),
        ("Atan2", (1.0, -1.0), 3 * PI / 4),
        ("Conj", (-2.5,), -2.5),
        ("CubeRoot", (-27.0,), -3.0),
        ("DoubleFactorial", (7,), 105.0),
        ("DoubleFactorial", (8.0,), 384.0),
        ("DoubleFactorial", (301,), INF),
        ("DoubleFactorial", (2.5,), NAN),
        ("Eps", (1.0,), 2.0**-52),
        ("Eps", (-8,), 2.0**-49),
        ("Exp", (1.0,), math.e),
        ("Exp2", (5, 5), 160.0),
        ("ExpMinus1", (1e-10,), 1.00000000005e-10),
        ("Factorial", (0,), 1.0),
        ("Factorial", (5.0,), 120.0),
        ("Factorial", (-1,), NAN),
        ("Factorial", (171,), INF),
        ("Hypotenuse", (3, 4), 5.0),
        ("Ln", (math.e,), 1.0),
        ("Ln", (-1.0,), NAN),
        ("LnPlus1", (1e-10,), 9.9999999995e-11),
        ("Log", (8, 2), 3.0),
        ("Log10", (1000.0,), 3.0),
        ("Log2", (8.0,), 3.0),
        ("NthRoot", (16.0, 4.0), 2.0),
        ("NthRoot", (-8.0, 3.0), -2.0),
        ("NthRoot", (-8.0, 2.0), NAN),
        ("Pow", (2.0, 10.0), 1024.0),
        ("Sqrt", (9,), 3.0),
        ("SqrtPi", (PI,), PI),
        ("Square", (-3,), 9),
        ("EqualTo", (2, 2.0), True),
        ("GreaterThan", (3, 2), True),
        ("GreaterThanOrEqualTo", (2, 2), True),
        ("LessThan", (3, 2), False),
        ("LessThanOrEqualTo", (2, 2), True),
        ("NotEqualTo", (2, 2), False),
        ("PairMax", (2, 3), 3),
        ("PairMin", (2.5, 3), 2.5),
        ("Add", (2, 3), 5),
        ("Divide", (3, 2), 1.5),
        ("Divide", (3, 0), INF),
        ("Divide", (-3.0, 0.0), -INF),
        ("Multiply", (2, 0.5), 1.0),
        ("Subtract", (5, 1), 4),
        ("Beta", (2.0, 3.0), 1 / 12),
        ("EllipticIntegralE", (0.0,), PI / 2),
        ("EllipticIntegralE", (1.0,), 1.0),
        ("EllipticIntegralK", (0.5,), 1.8540746773013719),
        ("Erf", (0.5,), math.erf(0.5)),
        ("Erfc", (0.5,), math.erfc(0.5)),
        ("ErfScaled", (2.0,), math.exp(4) * math.erfc(2)),
        ("ErfScaled", (100.0,), 0.005641613782989433),
        ("ErfInverse", (math.erf(0.3),), 0.3),
        ("Gamma", (5,), 24.0),
        ("GammaLn", (5.0,), math.log(24)),
        ("GammaRegularizedP", (2.0, 1.0), 1 - math.exp(-2)),
        ("GammaRegularizedQ", (2.0, 1.0), math.exp(-2)),
        ("GammaRegularizedPInverse", (1 - math.exp(-2), 1.0), 2.0),
        ("GammaRegularizedQInverse", (math.exp(-2), 1.0), 2.0),
        ("PolyGamma", (1.0, 0.0), -0.5772156649015329),
        ("PolyGamma", (1.0, 1.0), PI**2 / 6),
        ("PolyGamma", (1.0, 0.5), NAN),
        ("Acos", (0.5,), PI / 3),
        ("Acos", (2.0,), NAN),
        ("AcosDegree", (0.5,), 60.0),
        ("Acosh", (math.cosh(2),), 2.0),
        ("Acot", (1.0,), PI / 4),
        ("Acot", (0.0,), PI / 2),
        ("AcotDegrees", (1.0,), 45.0),
        ("Acoth", (1 / math.tanh(2),), 2.0),
        ("Acsc", (2.0,), PI / 6),
        ("AcscDegrees", (2.0,), 30.0),
        ("Asec", (2.0,), PI / 3),
        ("AsecDegrees", (2.0,), 60.0),
        ("Asech", (1 / math.cosh(2),), 2.0),
        ("Asin", (0.5,), PI / 6),
        ("AsinDegrees", (0.5,), 30.0),
        ("Asinh", (math.sinh(2),), 2.0),
        ("Atan", (1.0,), PI / 4),
        ("AtanDegrees", (1.0,), 45.0),
        ("Atanh", (math.tanh(2),), 2.0),
        ("Cos", (PI,), -1.0),
        ("CosDegrees", (60.0,), 0.5),
        ("Cosh", (2.0,), math.cosh(2)),
        ("Cot", (1.0,), 1 / math.tan(1)),
        ("CotDegrees", (45.0,), 1.0),
        ("Coth", (2.0,), 1 / math.tanh(2)),
        ("Csc", (1.0,), 1 / math.sin(1)),
        ("CscDegrees", (30.0,), 2.0),
        ("Csch", (2.0,), 1 / math.sinh(2)),
        ("DegreesToRadians", (180,), PI),
        ("Sec", (1.0,), 1 / math.cos(1)),
        ("SecDegrees", (60.0,), 2.0),
        ("Sech", (2.0,), 1 / math.cosh(2)),
        ("Sign", (-3,), -1),
        ("Sin", (PI / 2,), 1.0),
        ("Sinc", (2.0,), math.sin(2) / 2),
        ("Sinc", (0,), 1.0),
        ("SinDegrees", (30.0,), 0.5),
        ("Sinh", (2.0,), math.sinh(2)),
        ("Tan", (1.0,), math.tan(1)),
        ("TanDegrees", (45.0,), 1.0),
        ("Tanh", (2.0,), math.tanh(2)),
    ],
)
def test_each_function_gives_what_it_says(
    name: str, arguments: tuple[Any, ...], expected: Any
) -> None:
    found = of(name, *arguments)

    assert type(found) is type(expected)
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("name", "x", "digits", "expected"),
    [
        ("Floor", 2.7, None, 2.0),
        ("Floor", 0.29, 2, 0.29),
        ("Floor", -1.234, 2, -1.24),
        ("Floor", 1234, -2, 1200.0),
        ("RoundDigits", 2.5, 0, 3.0),
        ("RoundDigits", -2.5, 0, -3.0),
        ("RoundDigits", 1.2345, 2, 1.23),
        ("RoundDigits", 1250.0, -2, 1300.0),
        ("RoundDown", -1.29, 1, -1.2),
        ("RoundUp", -1.21, 1, -1.3),
        ("RoundUp", 0.3, 1, 0.3),
        ("Truncate", -1.299, 2, -1.29),
        ("Ceiling", 1.2, None, 2.0),
        ("CeilingPower2", 5.0, None, 8.0),
        ("CeilingPower2", 8, None, 8.0),
        ("CeilingPower2", -1.0, None, NAN),
        ("Mod", -7, 3, 2),
        ("Mod", 5.25, None, 0.25),
        ("Quotient", -7, 3, -3),
        ("Quotient", 5.25, 2, 2.0),
        ("Remainder", -7, 3, -1.0),
        ("ToEven", 3.0, None, 4.0),
        ("ToEven", -2.9, None, -2.0),
        ("ToOdd", 2.0, None, 3.0),
        ("ToOdd", -1.5, None, -1.0),
    ],
)
def test_each_rounding_goes_by_its_precision(
    name: str, x: Any, digits: int | None, expected: Any
) -> None:
    assert of(name, x, digits) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("name", ["Floor", "RoundDigits", "RoundDown", "RoundUp", "Truncate"])
def test_digits_from_a_column_round_as_constant_ones(name: str) -> None:
    values = [1.2345, -987.654, 0.29, 1500.0]
    table = Table(pl.DataFrame({"x": values, "digits": [2, -1, 2, -3]}))
    made = component(
        name, precision_type="ColumnSet", precision_column="digits", output_mode="ResultOnly"
    )

    found = made.run(table).frame.to_series().to_list()

    expected = [of(name, x, d) for x, d in zip(values, [2, -1, 2, -3], strict=True)]
    assert found == pytest.approx(expected)


@settings(max_examples=200, deadline=None)
@given(cents=st.integers(-(10**13), 10**13), digits=st.integers(-3, 3))
@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("Floor", ROUND_FLOOR),
        ("RoundDigits", ROUND_HALF_UP),
        ("RoundDown", ROUND_DOWN),
        ("RoundUp", ROUND_UP),
        ("Truncate", ROUND_DOWN),
    ],
)
def test_sums_of_money_round_as_they_are_written(
    name: str, way: str, cents: int, digits: int
) -> None:
    written = Decimal(cents) / 100

    expected = written.quantize(Decimal(1).scaleb(-digits), rounding=way)

    assert of(name, float(written), digits) == float(expected)


@pytest.mark.parametrize("name", ["Floor", "RoundDigits", "RoundDown", "RoundUp", "Truncate"])
def test_a_number_without_digits_beyond_the_precision_stays_as_it_is(name: str) -> None:
    for x in (1.5, -1e300, INF, -INF):
        assert of(name, x, 400) == x
    assert of(name, 1.5, -400) in (0.0, 1e308)
    assert of(name, -1e300, 10) == -1e300


@pytest.mark.parametrize(
    ("name", "x", "second", "expected"),
    [
        ("NthRoot", 64.0, 3.0, 4.0),
        ("NthRoot", -1000, 3, -10.0),
        ("NthRoot", 2.0, 3.0, 2.0 ** (1 / 3)),
        ("SinDegrees", 180, None, 0.0),
        ("CosDegrees", -90.0, None, 0.0),
        ("CosDegrees", 270, None, 0.0),
        ("TanDegrees", 90, None, INF),
        ("TanDegrees", -360.0, None, 0.0),
        ("CotDegrees", 90.0, None, 0.0),
        ("SecDegrees", 90, None, INF),
        ("CscDegrees", 0.0, None, INF),
    ],
)
def test_what_is_whole_is_not_nearly_so(
    name: str, x: Any, second: float | None, expected: float
) -> None:
    assert of(name, x, second) == expected


def test_a_logarithm_to_a_base_of_ten_or_two_is_exact() -> None:
    for x, base, expected in ((1000.0, 10.0, 3.0), (2**29, 2.0, 29.0), (5.0, 5.0, 1.0)):
        made = component("Log", second=base, output_mode="ResultOnly")
        assert made.run(Table(pl.DataFrame({"x": [x]}))).frame.item() == expected


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(LONG | st.none(), LONG | st.none()), max_size=6),
    second=st.none() | st.integers(-(2**53), 2**53),
)
@pytest.mark.parametrize("name", ["Abs", "Add", "Multiply", "Square", "Subtract"])
def test_a_whole_result_that_64_bits_do_not_hold_is_missing(
    name: str, rows: list[tuple[int | None, int | None]], second: int | None
) -> None:
    work: Callable[[int, int], int] = {
        "Abs": lambda a, _: abs(a),
        "Add": lambda a, b: a + b,
        "Multiply": lambda a, b: a * b,
        "Square": lambda a, _: a * a,
        "Subtract": lambda a, b: a - b,
    }[name]
    alone = name in ("Abs", "Square")
    expected: list[int | None] = []
    for a, by_row in rows:
        b = by_row if second is None else second
        found = None if a is None or (b is None and not alone) else work(a, b or 0)
        expected.append(found if found is not None and -(2**63) <= found < 2**63 else None)
    other = {"second_type": "ColumnSet", "second_columns": ["y"]}
    settled = other if second is None else {"second": second}
    made = component(name, output_mode="Inplace", **settled)
    table = Table(pl.DataFrame(rows, schema={"x": pl.Int64, "y": pl.Int64}, orient="row"))

    result = made.run(table).frame["x"]

    assert result.dtype == pl.Int64
    assert result.to_list() == expected
    formula = made.formula(table.schema)
    assert formula is not None
    program = formula.compile_rows(table.schema)
    replies = [program.score(row) for row in table.frame.to_dicts()]
    assert replies == made.run(table).frame.to_dicts()


def test_a_constant_may_be_larger_than_a_whole_number() -> None:
    table = Table(pl.DataFrame({"x": [1, 2]}))

    found = component("Add", second=1e300, output_mode="ResultOnly").run(table).frame

    assert found.to_dict(as_series=False) == {"Add(x_$1e+300)": [1e300, 1e300]}


@pytest.mark.parametrize("x", [-3.0, -0.5, 0.0, 0.7, 1.0, 4.0, 30.0])
def test_the_entire_exponential_integral_is_the_integral(x: float) -> None:
    expected, _ = integrate.quad(lambda t: (1 - math.exp(-t)) / t if t else 1.0, 0, x)

    assert of("ExponentialIntegralEin", x) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_there_are_98_functions_and_each_has_a_value_that_it_must_give() -> None:
    marks: list[pytest.MarkDecorator] = [
        *test_each_function_gives_what_it_says.pytestmark,
        *test_each_rounding_goes_by_its_precision.pytestmark,
    ]
    tried = {case[0] for mark in marks for case in mark.args[1]}

    assert len(ALL) == len({name for _, name in ALL}) == 98
    # That one is compared with an integral.
    assert tried | {"ExponentialIntegralEin"} == {name for _, name in ALL}


@pytest.mark.parametrize(("family", "name"), ALL)
def test_missing_values_have_missing_results(family: str, name: str) -> None:
    table = Table(pl.DataFrame({"x": [0.5, None, NAN], "y": [1.0, 1.0, 1.0]}))
    made = component(name, second_type="ColumnSet", second_columns=["y"], output_mode="ResultOnly")

    result = made.run(table).frame.to_series()

    assert result[1] is None
    assert result[2] is None or math.isnan(result[2])
    if FAMILIES[family][name].arguments == 2 and family != "Rounding":
        swapped = made.model_copy(
            update={"columns": ColumnSelection.of("y"), "second_columns": ColumnSelection.of("x")}
        )
        assert swapped.run(table).frame.to_series()[1] is None


@pytest.mark.parametrize(("family", "name"), ALL)
def test_the_outline_tells_the_columns_of_every_function(family: str, name: str) -> None:
    table = Table(pl.DataFrame({"x": [1, 2], "y": [0.5, 1.5]}))
    for mode in ("Append", "Inplace", "ResultOnly"):
        made = component(name, columns=["x", "y"], output_mode=mode)

        outline = made.outline(dataset=TableOutline(table.schema, rows=2))

        assert outline["results_dataset"] == TableOutline(made.run(table).schema, rows=2)


@pytest.mark.parametrize(("family", "name"), ALL)
def test_the_row_form_of_a_function_gives_the_same_numbers(family: str, name: str) -> None:
    table = Table(pl.DataFrame({"x": [0.5, 2.0, -3.25, 0.0, None, INF]}))
    made = component(name, second=2.0, constant_precision=1)
    formula = made.formula(table.schema)
    if formula is None:
        assert FAMILIES[family][name].arrays is not None
        return

    program = formula.compile_rows(table.schema)

    rows = [program.score(row) for row in table.frame.to_dicts()]
    assert repr(rows) == repr(made.run(table).frame.to_dicts())


TWO = Table(pl.DataFrame({"Num1": [5, 6], "Num2": [1, 2], "w": ["a", "b"]})).mark(
    "Num1", role=Role.LABEL
)


def two(**parameters: Any) -> dict[str, list[Any]]:
    chosen = {"category": "Operations", "operations": "Subtract", "columns": ["Num1"]}
    made = ApplyMathOperation.model_validate(chosen | parameters)
    return made.run(TWO).frame.to_dict(as_series=False)


def test_a_new_column_is_named_after_its_arguments_and_stands_last() -> None:
    assert two(second=10.0) == {
        "Num1": [5, 6],
        "Num2": [1, 2],
        "w": ["a", "b"],
        "Subtract(Num1_$10)": [-5, -4],
    }
    assert "Subtract(Num1_$2.5)" in two(second=2.5)
    by_column = two(second_type="ColumnSet", second_columns=["Num2"])
    assert by_column["Subtract(Num1_Num2)"] == [4, 4]
    assert "Abs(Num1)" in two(category="Basic")
    rounded = {"category": "Rounding", "columns": ["Num1"], "constant_precision": 2}
    assert "RoundDigits(Num1_$2)" in two(**rounded)


def test_results_stand_alone_or_in_the_place_of_their_values() -> None:
    assert two(output_mode="ResultOnly") == {"Subtract(Num1_$1)": [4, 5]}
    assert two(output_mode="Inplace") == {"Num1": [4, 5], "Num2": [1, 2], "w": ["a", "b"]}
    inplace = ApplyMathOperation(
        columns=ColumnSelection.of("Num1"), output_mode="Inplace", basic="Sqrt"
    )
    column = inplace.run(TWO).schema.column("Num1")
    assert (column.type, column.role) == (ColumnType.DOUBLE, Role.LABEL)


def test_all_numeric_columns_are_taken_unless_some_are_chosen() -> None:
    found = ApplyMathOperation(output_mode="ResultOnly").run(TWO)

    assert found.schema.names == ("Abs(Num1)", "Abs(Num2)")


def test_several_columns_are_paired_in_their_order() -> None:
    swapped = {"rules": [{"names": ["Num2", "Num1"]}], "keep_order": True}
    both = {"columns": ["Num1", "Num2"], "second_type": "ColumnSet", "output_mode": "ResultOnly"}

    assert two(second_columns=swapped, **both) == {
        "Subtract(Num1_Num2)": [4, 4],
        "Subtract(Num2_Num1)": [-4, -4],
    }
    assert two(second_columns=["Num2"], **both) == {
        "Subtract(Num1_Num2)": [4, 4],
        "Subtract(Num2_Num2)": [0, 0],
    }
    with pytest.raises(UnequalColumnCounts) as caught:
        two(columns=["Num1"], second_columns=["Num1", "Num2"], second_type="ColumnSet")
    assert caught.value.code == "unequal-column-counts"


def test_text_has_no_mathematics() -> None:
    for parameters in (
        {"columns": ["w"]},
        {"second_type": "ColumnSet", "second_columns": ["w"]},
        {"category": "Rounding", "precision_type": "ColumnSet", "precision_column": "w"},
    ):
        with pytest.raises(ColumnTypeError, match='"w"'):
            two(**parameters)


def test_what_is_not_chosen_or_not_there_is_an_error() -> None:
    with pytest.raises(EmptySelection, match="Second argument columns"):
        two(second_type="ColumnSet")
    with pytest.raises(InvalidParameter, match="no column is chosen"):
        two(category="Rounding", precision_type="ColumnSet")
    with pytest.raises(MissingColumn):
        two(category="Rounding", precision_type="ColumnSet", precision_column="v")
    with pytest.raises(EmptySelection):
        ApplyMathOperation().run(Table(pl.DataFrame({"w": ["a"]})))


def test_a_new_name_that_is_taken_is_an_error() -> None:
    once = ApplyMathOperation(columns=ColumnSelection.of("Num1"))

    with pytest.raises(DuplicateColumn, match="Abs"):
        once.run(once.run(TWO))


def test_the_second_argument_is_a_finite_number() -> None:
    for value in (NAN, INF):
        with pytest.raises(InvalidParameter):
            ApplyMathOperation.parse({"second": value})


def test_a_function_of_one_argument_has_no_second_in_its_settings() -> None:
    assert "second" not in component("Abs").settings()
    assert "second" in component("Pow").settings()
    assert "constant_precision" not in component("Ceiling").settings()
    assert component("Floor", constant_precision=3).settings()["constant_precision"] == 3


@pytest.mark.parametrize(("family", "name"), ALL)
def test_a_form_asks_for_a_second_argument_where_the_function_takes_one(
    family: str, name: str
) -> None:
    made = component(name)
    values = made.model_dump(mode="json")

    shown = {p.name for p in made.__component__.parameters if is_visible(p, values)}

    takes_two = FAMILIES[family][name].arguments == 2 and family != "Rounding"
    assert ({"second_type", "second"} <= shown) is takes_two
    assert "second_columns" not in shown


def test_an_empty_table_has_empty_results() -> None:
    for name in ("Sqrt", "Gamma"):
        result = component(name).run(Table(pl.DataFrame(schema={"x": pl.Float64})))
        assert (result.rows, len(result.schema)) == (0, 2)


def test_special_functions_keep_the_rows_apart() -> None:
    values = np.linspace(0.1, 3, 7)
    table = Table(pl.DataFrame({"x": values}))

    found = component("Gamma", output_mode="ResultOnly").run(table).frame.to_series()

    assert found.to_list() == pytest.approx([math.gamma(v) for v in values])
    positions = component("Gamma", columns={"rules": [{"positions": "1"}]})
    assert positions.columns == ColumnSelection(rules=(ColumnRule(positions="1"),))
