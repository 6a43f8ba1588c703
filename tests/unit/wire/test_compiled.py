"""What is compiled from shapes, beyond what Lambda's model needs today."""

from typing import Any

import pytest

from relambda.api.wire.jsonread import reader
from relambda.api.wire.jsonwrite import writer
from relambda.api.wire.model import Service, load
from relambda.api.wire.validate import checker

TREE: dict[str, Any] = {
    "metadata": {"endpointPrefix": "tree", "protocol": "json"},
    "operations": {},
    "shapes": {
        "Tree": {"type": "structure", "members": {"Name": {"shape": "Text"}, "Leaves": {"shape": "Trees"}}},
        "Trees": {"type": "list", "member": {"shape": "Tree"}},
        "Text": {"type": "string", "max": 3},
    },
}


def test_a_shape_may_hold_itself() -> None:
    """A recursive shape is read, checked and written to any depth."""
    tree = Service(TREE).shape("Tree")
    document = {"Name": "a", "Leaves": [{"Name": "b", "Leaves": [{"Name": "long"}]}]}
    found: list[str] = []

    checker(tree)(reader(tree)(document), "", found)

    assert writer(tree)(document) == document
    constraint = "Member must have length less than or equal to 3"
    assert found == [
        f"Value 'long' at 'leaves.1.member.leaves.1.member.name' failed to satisfy constraint: {constraint}"
    ]


@pytest.mark.parametrize("service", ["lambda", "logs"])
def test_a_whole_service_compiles(service: str) -> None:
    """Readers, checks and writers can be made for every operation, whatever protocol the service speaks."""
    model = load(service)
    for name in model.operation_names():
        operation = model.operation(name)
        if operation.input is not None:
            assert callable(reader(operation.input))
            assert callable(checker(operation.input))
        if operation.output is not None:
            assert callable(writer(operation.output))
