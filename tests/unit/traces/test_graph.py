"""Service graphs: who called whom, and how that went."""

from typing import Any

from relambda.api.traces.graph import service_graph
from relambda.api.traces.trace import Trace


def test_services_and_edges(shop: Trace) -> None:
    """Given a trace, then each service is a node, each call an edge, and the client stands before its root."""
    services = service_graph([shop])
    nodes = {each["ReferenceId"]: each for each in services}
    edges = {
        (each["Type"], nodes[edge["ReferenceId"]]["Type"]): edge["SummaryStatistics"]
        for each in services
        for edge in each["Edges"]
    }

    assert set(edges) == {
        ("client", "AWS::EC2::Instance"),
        ("AWS::EC2::Instance", "AWS::Lambda"),
        ("AWS::Lambda", "AWS::Lambda::Function"),
        ("AWS::Lambda::Function", "AWS::DynamoDB"),
        ("AWS::Lambda::Function", "remote"),
    }
    assert edges["AWS::Lambda::Function", "AWS::DynamoDB"]["ErrorStatistics"] == {
        "ThrottleCount": 1,
        "OtherCount": 0,
        "TotalCount": 1,
    }
    assert edges["AWS::Lambda::Function", "remote"]["FaultStatistics"]["TotalCount"] == 1
    assert [each["Name"] for each in services if each.get("Root")] == ["shop"]
    assert [each["Type"] for each in services if each["State"] == "unknown"] == ["AWS::DynamoDB", "remote", "client"]


def test_figures_of_many_traces() -> None:
    """Given two traces of one service, then its node counts and times both."""

    def trace(id_: str, start: float, **more: Any) -> Trace:
        return Trace(id_, [{"name": "a", "id": "a" * 16, "start_time": start, "end_time": start + 2, **more}], "1")

    node, client = service_graph([trace("1", 10.0), trace("2", 20.0, error=True)])

    assert (node["StartTime"], node["EndTime"]) == (10.0, 22.0)
    assert (node["SummaryStatistics"]["OkCount"], node["SummaryStatistics"]["TotalCount"]) == (1, 2)
    assert node["SummaryStatistics"]["TotalResponseTime"] == 4.0
    assert node["ResponseTimeHistogram"] == node["DurationHistogram"] == [{"Value": 2.0, "Count": 2}]
    assert client["Edges"][0]["SummaryStatistics"] == node["SummaryStatistics"]


def test_no_traces() -> None:
    """Given nothing, then the graph is empty."""
    assert service_graph([]) == []
