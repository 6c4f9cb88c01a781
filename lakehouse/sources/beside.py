"""What stands in a row beside the fields of a usage line: its further amounts, and arithmetic that its sender is known to follow."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, localcontext

from lakehouse.sources.dialect import Check, Dialect
from lakehouse.sources.grammar import cut, plain_number, read_number, trimmed
from lakehouse.sources.mapping import Cells

# Products of printed numbers are exact at this precision: no cell that is a number has more than some 120 digits.
_EXACT = Context(prec=1000)
_ZERO = Decimal(0)


def beside_reader(dialect: Dialect) -> Callable[[Cells], tuple[dict[str, str], list[str]]] | None:
    """A function that gives a row's further amounts by column, in plain notation of at most 18 decimals, and what is odd about them.
    None where the dialect declares none. A blank cell is left out; one that is no number is left out with a warning."""
    if not dialect.amounts and not dialect.checks:
        return None
    grammar = dialect.grammar
    places = {column: dialect.position(column) for column in dialect.amounts}
    checks = [(check, _Arithmetic(check, dialect)) for check in dialect.checks]

    def read(cells: Cells) -> tuple[dict[str, str], list[str]]:
        amounts, warnings = {}, []
        for column, place in places.items():
            text = trimmed(cells[place], grammar)
            figure = plain_number(text, grammar)
            if figure is not None:
                amounts[column] = cut(read_number(text, grammar) or "0")
            elif text is not None:
                warnings.append(f"{column} is {text!r}, which is no number")
        broken = (arithmetic.broken(cells) for _, arithmetic in checks)
        return amounts, warnings + [warning for warning in broken if warning]

    return read


def beside_places(dialect: Dialect) -> tuple[int, ...]:
    """The places of the cells that `beside_reader` looks at."""
    columns = {*dialect.amounts, *(column for check in dialect.checks for column in check.columns)}
    return tuple(sorted(dialect.position(column) for column in columns))


class _Arithmetic:
    """One formula of a dialect, held against rows."""

    def __init__(self, check: Check, dialect: Dialect) -> None:
        self._check, self._grammar = check, dialect.grammar
        self._places = {column: dialect.position(column) for column in check.columns}

    def broken(self, cells: Cells) -> str | None:
        """The figures of a row in which the formula does not hold; None where it does, or where a figure is missing."""
        check = self._check
        printed = self._figure(check.equals, cells)
        figures = {column: self._figure(column, cells) for column in (*check.product, *check.plus, *check.minus)}
        if printed is None or any(figure is None for figure in figures.values()):
            return None
        known = {column: figure for column, figure in figures.items() if figure is not None}
        with localcontext(_EXACT):
            computed, slack = _product(check, known) if check.product else _sum(check, known)
            if abs(computed - printed) <= slack + _last_digit(printed):
                return None
        plain = read_number(f"{computed:f}", type(self._grammar)())
        return f"{check.equals} is {cells[self._places[check.equals]]}, where {check} is {plain}"

    def _figure(self, column: str, cells: Cells) -> Decimal | None:
        """The number in a cell; `85%` is 0.85."""
        text = trimmed(cells[self._places[column]], self._grammar) or ""
        figure = plain_number(text.removesuffix("%").rstrip(), self._grammar)
        return figure.scaleb(-2, _EXACT) if figure is not None and text.endswith("%") else figure


def _product(check: Check, figures: dict[str, Decimal]) -> tuple[Decimal, Decimal]:
    """The product, and how far it may be off because each factor was printed with so many digits."""
    computed, slack = Decimal(1), _ZERO
    for column in check.product:
        slack = slack * abs(figures[column]) + abs(computed) * _rounding(figures[column], column in check.rounded)
        computed *= figures[column]
    return computed, slack


def _sum(check: Check, figures: dict[str, Decimal]) -> tuple[Decimal, Decimal]:
    computed = sum((figures[column] for column in check.plus), _ZERO) - sum((figures[column] for column in check.minus), _ZERO)
    return computed, sum((_rounding(figure, column in check.rounded) for column, figure in figures.items()), _ZERO)


def _last_digit(figure: Decimal) -> Decimal:
    """One unit of the last printed decimal; nothing for a whole number."""
    exponent = figure.as_tuple().exponent
    return Decimal((0, (1,), exponent)) if isinstance(exponent, int) and exponent < 0 else _ZERO


def _rounding(figure: Decimal, rounded: bool) -> Decimal:
    """What a printed figure may have lost: half its last digit, where it is known to be rounded or has four decimals or more."""
    exponent = figure.as_tuple().exponent
    return _last_digit(figure) / 2 if rounded or (isinstance(exponent, int) and exponent <= -4) else _ZERO
