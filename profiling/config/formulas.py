"""Formulas of the case mix: which words they may use, and which columns they name.

A formula is evaluated as code by the formula library, so only an explicit list of functions passes.
"""

from __future__ import annotations

import ast
import re

FUNCTIONS = ("log", "exp", "sqrt", "bs", "cr", "poly", "C", "I")
NUMPY_FUNCTIONS = ("minimum", "maximum")
ALLOWED = "names of columns and log exp sqrt np.minimum np.maximum bs cr poly C I"

_QUOTED_OR_COLON = re.compile(r"""'[^']*'|"[^"]*"|:""")
_FORMULA_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.MatMult)
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


class FormulaError(ValueError):
    """The formula says something that is not allowed; the message says what is."""


def check_formula(text: str) -> None:
    """Refuse a right-hand side that uses anything but columns and the allowed functions."""
    _columns_of(_parse(text), inside_call=False)


def formula_columns(text: str) -> tuple[str, ...]:
    """Columns that a right-hand side names, in order of first mention; FormulaError if it cannot be read."""
    return tuple(dict.fromkeys(_columns_of(_parse(text), inside_call=False)))


def _parse(text: str) -> ast.expr:
    # Python has no binary colon: interactions borrow the operator of matrix products.
    if "@" in text:
        raise FormulaError(f"only {ALLOWED}, without '@'")
    if "~" in text:
        raise FormulaError("only the right-hand side, without '~'; the outcome has its own key")
    if "|" in text:
        raise FormulaError("no random terms; they stand under providers")
    readable = _QUOTED_OR_COLON.sub(lambda match: "@" if match[0] == ":" else match[0], text)
    try:
        return ast.parse(readable.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise FormulaError("a formula such as 'age + C(sex)', with every bracket closed") from None


def _columns_of(node: ast.expr, inside_call: bool) -> list[str]:
    match node:
        case ast.Name(id=name):
            return [_column(name)]
        case ast.BinOp(left=left, op=operator, right=right):
            _check_operator(operator, inside_call)
            return _columns_of(left, inside_call) + _operand(operator, right, inside_call)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand) if inside_call:
            return _columns_of(operand, inside_call)
        case ast.Call():
            return _columns_of_call(node)
        case ast.Constant(value=value):
            _check_constant(value, inside_call)
            return []
        case ast.List(elts=items) | ast.Tuple(elts=items) if inside_call:
            return [column for item in items for column in _columns_of(item, inside_call)]
    raise FormulaError(f"only {ALLOWED}, not '{_words(node)}'")


def _operand(operator: ast.operator, node: ast.expr, inside_call: bool) -> list[str]:
    if isinstance(operator, ast.Pow) and not inside_call:
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and 1 <= node.value <= 5:
            return []
        raise FormulaError("a whole number from 1 to 5 after '**' (inside I(...) any)")
    return _columns_of(node, inside_call)


def _columns_of_call(call: ast.Call) -> list[str]:
    match call.func:
        case ast.Name(id=name) if name in FUNCTIONS:
            pass
        case ast.Attribute(value=ast.Name(id="np"), attr=name) if name in NUMPY_FUNCTIONS:
            pass
        case _:
            raise FormulaError(f"only {ALLOWED}, not '{_words(call.func)}'")
    if any(keyword.arg is None for keyword in call.keywords):
        raise FormulaError(f"only {ALLOWED}, not '**'")
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    return [column for argument in arguments for column in _columns_of(argument, inside_call=True)]


def _column(name: str) -> str:
    if name in FUNCTIONS or name == "np":
        raise FormulaError(f"brackets after '{name}', as in 'log(age)'")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise FormulaError(f"only {ALLOWED}, not '{name}'; columns have names in small letters")
    return name


def _check_operator(operator: ast.operator, inside_call: bool) -> None:
    allowed = _ARITHMETIC if inside_call else _FORMULA_OPERATORS
    if not isinstance(operator, allowed):
        raise FormulaError("only the operators + - * / ** and, between terms, ':'")


def _check_constant(value: object, inside_call: bool) -> None:
    if not inside_call and value != 1:
        raise FormulaError("no numbers between terms; the intercept is always part of the model")
    if not isinstance(value, str | int | float):
        raise FormulaError(f"only {ALLOWED}")


def _words(node: ast.AST) -> str:
    return ast.unparse(node).replace("@", ":")[:40]
