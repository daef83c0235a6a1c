from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest

from modelwright.data.expression import (
    Compute,
    Formula,
    InvalidExpression,
    Scalar,
    UnknownFunction,
    call,
    column,
    kernels,
    literal,
)
from modelwright.data.expression.functions import FUNCTIONS, Form, Function
from modelwright.data.expression.functions.arithmetic import power
from modelwright.data.expression.functions.hashing import murmur3
from modelwright.data.expression.nodes import Call
from modelwright.data.schema import Column, ColumnType, Schema
from tests.data.expression.worlds import SPECIAL, World, assert_alike, by_rows, by_table, same

CASES = [
    pytest.param(function, form, id=f"{function.name}-{'-'.join(form.takes)}")
    for function in FUNCTIONS.values()
    for form in function.forms
]
OPTIONS: dict[str, list[dict[str, Scalar]]] = {
    "round": [{"digits": d} for d in (0, 2, -2, 15)],
    "slice": [{"start": 1, "length": 2}, {"start": -2}, {}],
    "matches": [{"pattern": p} for p in ("a", r"^\s*\d+", "")],
    "replace_matches": [{"pattern": "[ab]"}],
    "hash": [{}, {"bits": 10, "seed": 42}],
}


@pytest.mark.parametrize(("function", "form"), CASES)
def test_definition_row_form_and_table_form_agree_on_every_special_value(
    function: Function, form: Form
) -> None:
    kinds = form.takes + form.takes[-1:] * function.variadic
    fewer = 8 if len(kinds) > 2 else None
    rows = [
        {f"c{n}": v for n, v in enumerate(values)}
        for values in product(*([None, *SPECIAL[k]][:fewer] for k in kinds))
    ]
    schema = Schema(tuple(Column(f"c{n}", kind) for n, kind in enumerate(kinds)))
    world = World(schema, rows)
    for options in OPTIONS.get(function.name, [{}]):
        expression = call(function.name, *(column(c.name) for c in schema), **options)
        formula = Formula(Compute({"result": expression}))
        by_row = by_rows(formula, world)
        assert_alike(by_table(formula, world)[1], by_row)
        assert isinstance(expression, Call)
        filled = dict(expression.options)
        for row, reply in zip(rows, by_row, strict=True):
            values = list(row.values())
            defined = None if None in values else form.row(*values, **filled)
            assert isinstance(reply, dict)
            assert same(reply["result"], defined), row


@pytest.mark.parametrize(
    ("function", "form"),
    [c for c in CASES if len(c.values[1].takes) > 1],  # type: ignore[union-attr]
)
def test_a_constant_argument_gives_what_a_column_of_it_gives(
    function: Function, form: Form
) -> None:
    schema = Schema(tuple(Column(f"c{n}", kind) for n, kind in enumerate(form.takes)))
    columns = [column(c.name) for c in schema]
    many = 40
    rows = [
        {
            c.name: SPECIAL[c.type][row * (at + 1) % len(SPECIAL[c.type])]
            for at, c in enumerate(schema)
        }
        for row in range(many)
    ]
    for at, kind in enumerate(form.takes):
        for constant in [*SPECIAL[kind], None]:
            arguments = [*columns[:at], literal(constant), *columns[at + 1 :]]
            formula = Formula(Compute({"result": call(function.name, *arguments)}))
            of_columns = Formula(Compute({"result": call(function.name, *columns)}))
            constants = World(schema, [{**row, f"c{at}": constant} for row in rows])
            found = by_table(formula, constants)[1]
            assert_alike(found, by_rows(formula, constants))
            assert_alike(found, by_rows(of_columns, constants))


@pytest.mark.parametrize("exponent", [-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 2.5])
@pytest.mark.parametrize("rows", [1, 2, 5_001])
def test_a_power_is_the_same_in_both_forms_for_every_exponent_and_number_of_rows(
    exponent: float, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "_VECTOR_BLOCK", 1000)
    bases = [1.4581823046899465 + n / 7.0 for n in range(rows)]
    powers = Formula(Compute({"y": call("power", column("x"), literal(exponent))}))
    found = powers.apply(pl.DataFrame({"x": bases}))["y"].to_list()
    assert found == [power(b, exponent) for b in bases]
    assert found == pytest.approx([b**exponent for b in bases], rel=1e-15)


def _of_doubles(form: Form) -> bool:
    by_numpy = form.ufunc is not None or form.vector is not None
    return by_numpy and {*form.takes} == {ColumnType.DOUBLE}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    "name", [f.name for f in FUNCTIONS.values() if any(map(_of_doubles, f.forms))]
)
def test_one_value_has_the_bits_that_it_has_among_many(name: str) -> None:
    chance = np.random.default_rng(5)
    drawn = [chance.normal(0, size, 2_001) for size in (0.6, 5, 300)]
    drawn += [sign * 10.0 ** chance.uniform(-320, 308, 501) for sign in (1, -1)]
    numbers = [*np.concatenate(drawn).tolist(), *SPECIAL[ColumnType.DOUBLE]]
    form = next(filter(_of_doubles, FUNCTIONS[name].forms))
    names = [f"c{n}" for n in range(len(form.takes))]
    frame = pl.DataFrame({n: pl.Series(numbers[at:] + numbers[:at]) for at, n in enumerate(names)})
    formula = Formula(Compute({"y": call(name, *map(column, names))}))
    many = formula.apply(frame)["y"].to_list()
    assert all(map(same, many, [form.row(*row) for row in frame.iter_rows()]))


def value(function: str, *arguments: object, **options: object) -> object:
    program = Formula(
        Compute({"y": call(function, *(literal(a) for a in arguments), **options)})  # type: ignore[arg-type]
    ).compile_rows(Schema((Column("x", ColumnType.STRING),)))
    reply = program.score({"x": ""})
    assert isinstance(reply, dict)
    return reply["y"]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (value("add", 2**63 - 1, 1), -(2**63)),
        (value("divide", 7, 2), 3.5),
        (value("divide", -1, 0), float("-inf")),
        (value("floor_divide", -7, 2), -4),
        (value("floor_divide", 7, 0), None),
        (value("modulo", -7, 3), 2),
        (value("power", 2, 10), 1024.0),
        (value("power", 10.0, 400.0), float("inf")),
        (value("ln", 0.0), float("-inf")),
        (value("log10", 1000.0), 3.0),
        (value("exp", 1000.0), float("inf")),
        (value("sigmoid", -1000.0), 0.0),
        (value("normal_cdf", 0.0), 0.5),
        (value("round", 2.5), 3.0),
        (value("round", -2.5), -3.0),
        (value("round", 1234.0, digits=-2), 1200.0),
        (value("clip", 12, 0, 10), 10),
        (value("minimum", 1, 0.5), 0.5),
        (value("to_integer", "12.5"), None),
        (value("to_integer", " 12 "), 12),
        (value("to_integer", -3.9), -3),
        (value("to_double", "1e3"), 1000.0),
        (value("to_string", 0.1), "0.1"),
        (value("to_string", True), "true"),
        (value("to_boolean", "TRUE"), True),
        (value("to_boolean", "yes"), None),
        (
            value("to_string", value("to_datetime", "2024-02-29T12:00:00+02:00")),
            "2024-02-29T10:00:00",
        ),
        (value("to_double", value("to_datetime", "1970-01-02")), 86_400.0),
        (value("weekday", value("to_datetime", "2024-02-29")), 4),
        (value("concat", "a", "ß"), "aß"),
        (value("concat", "a", None), None),
        (value("length", "🙂ä"), 2),
        (value("matches", "order 66", pattern=r"\d+$"), True),
        (value("replace", "a.b", ".", "-"), "a-b"),
        (value("slice", "abcdef", start=-3, length=2), "de"),
    ],
)
def test_functions_give_what_people_expect(found: object, wanted: object) -> None:
    assert same(found, wanted)


@pytest.mark.parametrize(
    ("text", "seed", "hashed"),
    [
        (b"", 0, 0),
        (b"", 1, 0x514E28B7),
        (b"\xff\xff\xff\xff", 0, 0x76293B50),
        (b"\x21\x43\x65\x87", 0x5082EDEE, 0x2362F9DE),
        (b"\x21\x43\x65", 0, 0x7E4A8634),
        (b"Hello, world!", 0x9747B28C, 0x24884CBA),
    ],
)
def test_hashing_is_murmur3(text: bytes, seed: int, hashed: int) -> None:
    assert murmur3(text, seed) == hashed


def test_an_unknown_function_is_named_with_the_nearest_known() -> None:
    with pytest.raises(UnknownFunction, match="log1p"):
        call("log1q", column("x"))


def test_a_wrong_number_of_arguments_is_refused() -> None:
    with pytest.raises(InvalidExpression, match="takes 2 arguments, not 1"):
        call("atan2", column("x"))


@pytest.mark.parametrize(
    ("function", "options"),
    [("round", {"digits": 1.5}), ("round", {"places": 2}), ("matches", {"pattern": "("})],
)
def test_a_wrong_option_is_refused(function: str, options: dict[str, str | float]) -> None:
    with pytest.raises(InvalidExpression, match="option"):
        call(function, column("x"), **options)


def test_a_long_column_of_few_texts_is_worked_out_once_for_each_text() -> None:
    calls: list[str] = []

    def noted(text: str) -> int:
        calls.append(text)
        return len(text)

    texts = pl.Series(["a", "bb", None] * 100)
    assert kernels.each([texts], noted, pl.Int64()).to_list() == [1, 2, None] * 100
    assert sorted(calls) == ["a", "bb"]


@pytest.mark.parametrize("distinct", [1, 100, 160, 200])
def test_a_long_column_gives_the_same_however_often_its_texts_repeat(distinct: int) -> None:
    texts = [f"Text {n % distinct}" for n in range(200)] + [None]
    world = World(Schema((Column("c", ColumnType.STRING),)), [{"c": t} for t in texts])
    expression = call("replace_matches", call("upper", column("c")), "<>", pattern="T$|1")
    formula = Formula(Compute({"y": expression, "h": call("hash", column("c"), bits=8)}))
    assert_alike(by_table(formula, world)[1], by_rows(formula, world))
