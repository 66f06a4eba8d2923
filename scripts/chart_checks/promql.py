"""What a PromQL expression asks of the services: metrics, and labels of them."""

from collections.abc import Iterator
from typing import Any

import promql_parser as parser

from .metrics import TARGET_LABELS

Series = dict[str, frozenset[str]]


def _children(node: Any) -> list[Any]:
    kinds = {
        parser.AggregateExpr: ("expr", "param"),
        parser.BinaryExpr: ("lhs", "rhs"),
        parser.Call: ("args",),
        parser.MatrixSelector: ("vector_selector",),
        parser.ParenExpr: ("expr",),
        parser.SubqueryExpr: ("expr",),
        parser.UnaryExpr: ("expr",),
    }
    children: list[Any] = []
    for name in kinds.get(type(node), ()):
        child = getattr(node, name)
        children += child if isinstance(child, list) else [child]
    return [child for child in children if child is not None]


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in _children(node):
        yield from _walk(child)


def _labels_under(node: Any, series: Series) -> frozenset[str]:
    """Every label that a series under this node may have."""
    labels = set(TARGET_LABELS)
    for each in _walk(node):
        if isinstance(each, parser.VectorSelector) and each.name:
            labels |= series.get(each.name, frozenset())
        elif isinstance(each, parser.Call) and each.func.name in ("label_replace", "label_join"):
            labels |= {argument.val for argument in each.args[1:2]}
    return frozenset(labels)


def _named_by(node: Any) -> list[str]:
    """Labels in the `by`, `on` and `group_left` of a node; `without` and `ignoring` may name what isn't there."""
    modifier = getattr(node, "modifier", None)
    if isinstance(node, parser.AggregateExpr) and modifier is not None:
        return list(modifier.labels) if modifier.type == parser.AggModifierType.By else []
    if isinstance(node, parser.BinaryExpr) and modifier is not None and modifier.matching is not None:
        return list(modifier.matching.labels) if modifier.matching.type == parser.LabelModifierType.Include else []
    return []


def labels_of(expression: str, series: Series) -> frozenset[str]:
    """Every label that the answer of a valid expression may have; rather one too many than one too few."""
    return _labels_under(parser.parse(expression), series)


def series_in(expression: str) -> set[str]:
    """Names of the series that a valid expression reads."""
    return {
        node.name for node in _walk(parser.parse(expression)) if isinstance(node, parser.VectorSelector) and node.name
    }


def faults_of_expression(expression: str, series: Series) -> Iterator[str]:
    """That it doesn't parse, or what it asks for that isn't in `series`."""
    try:
        tree = parser.parse(expression)
    except ValueError as error:
        yield f"does not parse: {error}"
        return
    for node in _walk(tree):
        if isinstance(node, parser.VectorSelector):
            if node.name not in series:
                yield f"asks for {node.name}, which no service exports"
                continue
            known = series[node.name] | TARGET_LABELS
            for matcher in node.matchers.matchers:
                if matcher.name not in known:
                    yield f"asks {node.name} for the label {matcher.name}, which it doesn't have"
        for label in _named_by(node):
            if label not in _labels_under(node, series):
                yield f"groups by {label}, which nothing in it has"
