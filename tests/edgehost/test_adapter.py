"""Property values to dataclasses and back, and what differs between them."""

from dataclasses import dataclass, field

import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import PropertyDiffKind

from edgehost import adapter
from edgehost.address import HostAddress
from edgehost.checking import check_inputs
from edgehost.difference import compare
from edgehost.naming import property_name
from edgehost.resources.file import File
from edgehost.resources.sysctls import Sysctls
from edgehost.resources.unit import Unit, UnitInputs

HOST = {"name": "edge1", "address": "10.0.0.1"}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Have a field of every kind."""

    host: HostAddress
    plain_text: str
    count: int = 0
    ratio: float = 1.5
    on: bool | None = None
    names: list[str] = field(default_factory=list[str])
    by_name: dict[str, str] = field(default_factory=dict[str, str])


def properties(**values: object) -> dict[str, PropertyValue]:
    """Return property values of plain ones."""
    return {name: adapter.to_property(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("field_name", "property_"), [("restart_on", "restartOn"), ("sha256", "sha256"), ("a_b_c", "aBC")]
)
def test_names(field_name: str, property_: str) -> None:
    assert property_name(field_name) == property_


def test_a_dataclass_comes_back_as_it_was() -> None:
    sample = Sample(host=HostAddress(**HOST), plain_text="x", count=3, on=False, names=["a"], by_name={"net.a": "1"})
    assert adapter.load(Sample, adapter.dump(sample)) == sample


def test_defaults_are_filled_in_and_nulls_are_absent() -> None:
    given = properties(host=HOST, plainText="x", count=None)
    defaults = adapter.missing_defaults(Sample, given)
    assert {name: adapter.plain(value) for name, value in defaults.items()} == {
        "count": 0.0,
        "ratio": 1.5,
        "names": [],
        "byName": {},
    }
    assert adapter.load(Sample, {**given, **defaults}).count == 0


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"plainText": None}, "plainText", "this argument is required"),
        ({"plainText": 3}, "plainText", "a value of type str is needed, not float"),
        ({"count": 1.5}, "count", "a value of type int is needed, not float"),
        ({"names": "a"}, "names", "a list is needed, not 'a'"),
        ({"names": ["a", 1]}, "names[1]", "a value of type str is needed, not float"),
        ({"byName": ["a"]}, "byName", "an object is needed, not ['a']"),
        ({"host": {"name": "a"}}, "host.address", "this argument is required"),
    ],
)
def test_wrong_types_are_named_by_path(change: dict[str, object], path: str, reason: str) -> None:
    with pytest.raises(adapter.WrongType) as caught:
        adapter.load(Sample, properties(**{"host": HOST, "plainText": "x", **change}))
    assert (caught.value.path, str(caught.value)) == (path, reason)


def test_unknown_values_are_found_at_any_depth() -> None:
    assert adapter.has_unknowns({"a": PropertyValue({"b": PropertyValue([adapter.UNKNOWN_VALUE])})})
    assert not adapter.has_unknowns(properties(a=["b"]))


def test_secrets_keep_their_mark() -> None:
    inputs = {"a": PropertyValue("x", is_secret=True), "b": PropertyValue({"c": PropertyValue("y", is_secret=True)})}
    assert adapter.secret_properties({**inputs, **properties(d="z")}) == {"a", "b"}
    assert adapter.with_secrets(properties(a="x", d="z"), {"a"})["a"].is_secret


def test_an_unknown_argument_is_refused_with_the_known_ones() -> None:
    _, failures = check_inputs(File(), properties(host=HOST, path="/x", content="", Mode="0644"))
    assert [(failure.property, failure.reason) for failure in failures] == [
        ("Mode", "there is no argument of this name; there are host, hostStatus, path, content, mode, owner, group")
    ]


def test_checking_waits_for_what_is_unknown() -> None:
    given = {**properties(host=HOST, path="not absolute"), "content": adapter.UNKNOWN_VALUE}
    inputs, failures = check_inputs(File(), given)
    assert failures == []
    assert adapter.plain(inputs["mode"]) == "0644"


def test_checking_keeps_a_secret_a_secret() -> None:
    given = {**properties(host=HOST, path="/x"), "content": PropertyValue("s", is_secret=True)}
    inputs, _ = check_inputs(File(), given)
    assert inputs["content"].is_secret
    assert not inputs["path"].is_secret


def file_properties(**change: object) -> dict[str, PropertyValue]:
    """Return the properties of a file."""
    return check_inputs(File(), properties(**{"host": HOST, "path": "/x", "content": "a", **change}))[0]


def test_equal_states_have_no_difference() -> None:
    assert not compare(File(), file_properties(), file_properties()).changes


def test_a_secret_differs_by_its_value_alone() -> None:
    secret = {**file_properties(), "content": PropertyValue("a", is_secret=True)}
    assert not compare(File(), secret, file_properties()).changes


@pytest.mark.parametrize(
    ("change", "path", "kind"),
    [
        ({"content": "b"}, "content", PropertyDiffKind.UPDATE),
        ({"path": "/y"}, "path", PropertyDiffKind.UPDATE_REPLACE),
        ({"host": {**HOST, "name": "edge2"}}, "host.name", PropertyDiffKind.UPDATE_REPLACE),
        ({"host": {**HOST, "address": "10.0.0.2"}}, "host.address", PropertyDiffKind.UPDATE),
        ({"hostStatus": "unreachable"}, "hostStatus", PropertyDiffKind.UPDATE),
    ],
)
def test_differences_are_named_by_path(change: dict[str, object], path: str, kind: PropertyDiffKind) -> None:
    difference = compare(File(), file_properties(), file_properties(**change))
    assert {name: diff.kind for name, diff in difference.detailed_diff.items()} == {path: kind}
    assert difference.delete_before_replace == kind.name.endswith("REPLACE")


def test_differences_of_a_mapping_are_named_by_key() -> None:
    old = properties(host=HOST, settings={"net.a": "0", "kernel": "1"})
    new = properties(host=HOST, settings={"net.a": "1", "vm.b": "1"})
    difference = compare(Sysctls(), old, new)
    assert {path: diff.kind.name for path, diff in difference.detailed_diff.items()} == {
        'settings["net.a"]': "UPDATE",
        "settings.kernel": "DELETE",
        'settings["vm.b"]': "ADD",
    }
    assert difference.diffs == ["settings"]


def test_what_only_says_how_is_not_compared() -> None:
    unit = UnitInputs(host=HostAddress(**HOST), unit_name="a.service")
    longer = UnitInputs(host=HostAddress(**HOST), unit_name="a.service", start_timeout_seconds=5)
    assert not compare(Unit(), adapter.dump(unit), adapter.dump(longer)).changes
