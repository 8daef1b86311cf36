"""Declares the parameters of the table `run.node_parameters` on a node."""

from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException, ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.run.node_parameters import NodeParameter, Value, declared_by

TYPES = {
    "string": Parameter.Type.STRING,
    "bool": Parameter.Type.BOOL,
    "integer": Parameter.Type.INTEGER,
    "double": Parameter.Type.DOUBLE,
    "string array": Parameter.Type.STRING_ARRAY,
    "integer array": Parameter.Type.INTEGER_ARRAY,
    "double array": Parameter.Type.DOUBLE_ARRAY,
}


class NodeParameters:
    """The parameters of `executable` on `node`, each declared when it is asked for."""

    def __init__(self, node: Node, executable: str) -> None:
        self._node = node
        self._table = {each.name: each for each in declared_by(executable)}
        self._changed: dict[str, Callable[[Any], None]] = {}
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._apply)

    def get(self, name: str, value: Value | None = None) -> Any:
        """Declare parameter `name`, by default with `value` or else the table's, and return its value.

        Raises:
            ConfigError: it was given with another type or outside its range.
            UnknownNameError: it is not in the table.
        """
        return self._declare(self._entry(name), self._entry(name).default if value is None else value)

    def show(self, **values: Value) -> None:
        """Declare read-only parameters that say what the run's configuration says; `__` in a name stands for a point.

        Raises:
            ConfigError: another value was given.
        """
        for name, value in values.items():
            entry = self._entry(name.replace("__", "."))
            if self._declare(entry, value) != value:
                raise ConfigError(f"{self._named(entry)} follows from the run's configuration; change that")

    def change(self, name: str, changed: Callable[[Any], None], value: Value | None = None) -> None:
        """Declare parameter `name` with `value`, by default its own; `changed` is called with it, now and later."""
        entry = self._entry(name)
        self._changed[name] = changed
        changed(self._declare(entry, entry.default if value is None else value))

    def _entry(self, name: str) -> NodeParameter:
        if name not in self._table:
            raise UnknownNameError("parameter", name, self._table, f"node {self._node.get_name()!r}")
        return self._table[name]

    def _named(self, entry: NodeParameter) -> str:
        return f"parameter {entry.name!r} of node {self._node.get_name()!r}"

    def _declare(self, entry: NodeParameter, value: Value) -> Any:
        descriptor = ParameterDescriptor(description=entry.text, read_only=not entry.dynamic)
        descriptor.additional_constraints = entry.range.replace("`", "")
        if entry.low is not None and entry.kind.split()[0] == "integer":
            high = 2**63 - 1 if entry.high is None else int(entry.high)
            descriptor.integer_range = [IntegerRange(from_value=int(entry.low), to_value=high)]
        elif entry.low is not None:
            high_value = float("inf") if entry.high is None else entry.high
            descriptor.floating_point_range = [FloatingPointRange(from_value=entry.low, to_value=high_value)]
        kind = TYPES[entry.kind]
        if self._node.has_parameter(entry.name):  # a managed node that is configured anew
            return self._value(entry)
        try:
            self._node.declare_parameter(entry.name, Parameter(entry.name, kind, value).value, descriptor)
        except InvalidParameterTypeException:
            raise ConfigError(f"{self._named(entry)} must be of type {entry.kind}") from None
        except (InvalidParameterValueException, ParameterException) as error:
            given = getattr(error, "value", None) or getattr(self._node, "_parameter_overrides", {}).get(entry.name)
            given = getattr(given, "value", given)
            raise ConfigError(f"{self._named(entry)} {entry.refusal(given) or f'is refused: {error}'}") from None
        return self._value(entry)

    def _value(self, entry: NodeParameter) -> Any:
        found = self._node.get_parameter(entry.name).value
        return list(found) if isinstance(entry.default, list) else found

    def _check(self, parameters: list[Parameter]) -> SetParametersResult:
        for each in parameters:
            entry = self._table.get(each.name)
            if entry is not None and (text := entry.refusal(each.value)) is not None:
                return SetParametersResult(successful=False, reason=f"{self._named(entry)} {text}")
        return SetParametersResult(successful=True)

    def _apply(self, parameters: list[Parameter]) -> None:
        for each in parameters:
            if each.name in self._changed:
                self._changed[each.name](each.value)
