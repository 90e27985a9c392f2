import pytest

from release.lineages import adapter_of, report_of
from tunesmith.errors import GateNotPassedError
from tunesmith.release.config import ReleaseConfig
from tunesmith.release.gates import check, require


@pytest.fixture
def report(workspace, dataset_of):
    adapter = adapter_of(workspace, dataset_of([("a", "b")]))
    return lambda **numbers: report_of(workspace, adapter, **numbers)


def test_the_minimum_may_be_met_exactly(report):
    config = ReleaseConfig(minimum=0.9, must_beat_base=False)

    (met,) = check(config, report(tuned=18))
    (missed,) = check(config, report(tuned=17))

    assert (met.is_passed, met.measured, met.required) == (True, 0.9, 0.9)
    assert met.sentence == "exact is 0.900 and reaches the minimum of 0.900"
    assert (missed.is_passed, missed.measured) == (False, 0.85)


def test_an_interval_that_touches_zero_does_not_beat_the_base(report):
    config = ReleaseConfig()

    (above,) = check(config, report(low=0.01))
    (touching,) = check(config, report(low=0.0))

    assert above.is_passed
    assert not touching.is_passed
    assert touching.sentence == (
        "exact changed by +0.400 over the base,"
        " 95% interval +0.000 to +0.600: not all of it above 0"
    )


def test_what_was_never_measured_passes_no_gate_and_without_gates_all_pass():
    gates = check(ReleaseConfig(minimum=0.5), None)

    assert [(gate.gate, gate.is_passed) for gate in gates] == [
        ("minimum", False),
        ("beats_base", False),
    ]
    assert check(ReleaseConfig(must_beat_base=False), None) == []


def test_the_first_gate_not_passed_is_reported_with_both_numbers(report):
    gates = check(ReleaseConfig(minimum=0.95), report(tuned=18))

    with pytest.raises(GateNotPassedError) as refused:
        require(gates)

    assert (refused.value.gate, refused.value.measured, refused.value.required) == (
        "minimum",
        0.9,
        0.95,
    )
    assert "measured 0.900, required at least 0.950" in refused.value.what
    assert (refused.value.exit_code, refused.value.http_status) == (11, 409)
