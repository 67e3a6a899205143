"""The simulation is held to what is known without it: queueing theory, conservation, and what was measured."""

from __future__ import annotations

import json
import random
from dataclasses import fields, replace

import pytest

from bench.simulation import service_times
from bench.simulation.__main__ import main
from bench.simulation.comparison import SIMULATED, compare, group_seconds, md1_wait, p2
from bench.simulation.engine import Station, Timeline
from bench.simulation.pipeline import Delivery, LaneQueue, Pipeline
from bench.simulation.results import LARGEST, OTHERS, ceilings, simulate, table
from bench.simulation.scenario import Load, Provider, Scenario, deployed, provisioned, turn_seconds
from bench.simulation.sending import slowest_seconds
from bench.simulation.service_times import Cost, ServiceTimes
from infra.settings import Batch
from nofy.domain.routing import LANES, Channel, Lane, Priority
from nofy.pipeline.credit import TURN_LIMIT

TIMES = service_times.load()
STEADY = Provider(0.05, spread=0)
ONE_LANE = {"priorities": {Priority.LOW: 1.0}, "channels": {Channel.EMAIL: 1.0}}
LOW = Lane(Channel.EMAIL, Priority.LOW)


def scenario(load: Load, provider: Provider = STEADY, **parts) -> Scenario:
    return Scenario(TIMES, load, replace(deployed(), **parts), provider)


def drained(the_load: Load, provider: Provider = STEADY, **parts) -> Pipeline:
    """A pipeline that nothing arrives at any more, long after its last delivery."""
    pipeline = Pipeline(scenario(the_load, provider, **parts), seed=3)
    pipeline.run(seconds=200, warm_up=0)
    return pipeline


# -- theory


@pytest.mark.parametrize("used", [0.3, 0.6, 0.8])
def test_a_station_keeps_poisson_arrivals_waiting_as_long_as_theory_says(used):
    timeline, draw, service = Timeline(), random.Random(7), 1.0
    station, waits = Station(timeline, 1), []

    def arrive() -> None:
        came = timeline.now
        station.serve(service, lambda: waits.append(timeline.now - came - service))
        timeline.after(draw.expovariate(used), arrive)

    timeline.after(0, arrive)
    timeline.run(100_000)
    assert sum(waits) / len(waits) == pytest.approx(md1_wait(used, service), rel=0.06)
    assert station.used() == pytest.approx(used, rel=0.02)


def test_theory_has_no_wait_for_a_server_that_is_overrun():
    assert md1_wait(2.0, 0.5) == float("inf")


def test_on_average_so_many_are_under_way_as_arrive_in_the_time_that_each_takes():
    """Little's law, by what has come: requests of twenty make the rate of forty seconds differ by several percent."""
    results = simulate(scenario(Load(rate=500)), seconds=40, warm_up=5, seed=1)
    assert results.mean_in_system == pytest.approx(results.throughput * results.mean_seconds_in_system, rel=0.03)


@pytest.mark.parametrize("memory", [512, 1_769])
@pytest.mark.parametrize("seconds", [0.01, 0.25])
@pytest.mark.parametrize("calls", [1, 32, 100, 128])
def test_an_invoke_takes_as_long_as_its_rounds(memory, seconds, calls):
    parts, provider = replace(deployed(), memory=memory), Provider(seconds, spread=0)
    expected = group_seconds(TIMES, parts, provider, calls)
    assert slowest_seconds(TIMES, parts, provider, 4, calls) == pytest.approx(expected, rel=0.02)


def test_who_waits_for_many_waits_for_the_slowest():
    same, spread = (slowest_seconds(TIMES, deployed(), Provider(0.25, each), 4, 128) for each in (0.0, 0.5))
    assert spread > 1.1 * same


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_a_lane_with_a_backlog_does_as_many_full_batches_as_its_partitions_can(spread):
    load, batches = Load(rate=0, campaign=60_000, **ONE_LANE), dict.fromkeys(Priority, Batch(500, 0))
    one = scenario(load, Provider(0.25, spread), partitions=dict.fromkeys(Priority, 2), batches=batches)
    results = simulate(one, seconds=30, warm_up=10, seed=1)
    assert results.throughput == pytest.approx(ceilings(one)[LOW.name], rel=0.1)


def test_a_dispatcher_with_a_backlog_in_a_lane_takes_as_many_as_its_turns_allow():
    one = scenario(Load(rate=0, campaign=60_000, **ONE_LANE), partitions=dict.fromkeys(Priority, 60), consumers=600)
    pipeline = Pipeline(one, seed=1)
    observed = pipeline.run(seconds=10, warm_up=0)
    turn = turn_seconds(TIMES, one.parts, len(LANES), TURN_LIMIT)
    assert observed.dispatched / observed.dispatching == pytest.approx(TURN_LIMIT / turn, rel=0.05)


def test_one_sender_comes_near_what_its_calls_in_flight_allow():
    assert 0.8 < p2(TIMES) < 1


# -- conservation


def test_whatever_became_due_is_acknowledged_once_or_under_way():
    pipeline = Pipeline(scenario(Load(rate=800, scheduled=1e9)), seed=5)
    pipeline.run(seconds=20, warm_up=5)
    assert pipeline.entered > pipeline.accepted > 0
    assert pipeline.entered == pipeline.acknowledged + pipeline.in_system.value


def test_a_pipeline_that_nothing_arrives_at_empties_itself():
    pipeline = drained(Load(rate=0, campaign=20_000))
    assert pipeline.acknowledged == pipeline.entered == 20_000
    assert pipeline.in_system.value == 0
    assert all(station.taken.value == 0 for station in pipeline.stations().values())
    assert len(pipeline.observed.lateness) == 20_000


def test_what_waits_for_its_slot_comes_back_and_is_called_once():
    pipeline = drained(Load(rate=0, campaign=2_000), Provider(0.05, spread=0, per_second=50))
    assert pipeline.acknowledged == len(pipeline.observed.lateness) == 2_000
    assert pipeline.observed.parked > 0


def test_no_provider_is_called_more_often_than_it_bears():
    pipeline = drained(Load(rate=0, campaign=2_000), Provider(0.05, spread=0, per_second=50))
    last = max(seconds for _, _, seconds in pipeline.observed.lateness)
    assert 2_000 / 50 <= last < 2_000 / 50 + 4  # (whose slot has come goes through the pipeline once more)


# -- who waits for whom


def test_projects_take_turns_in_a_lane():
    lane = LaneQueue()
    for project in (1, 1, 1, 1, 2):
        lane.put(Delivery(project, LOW, due=0.0))
    assert [each.project for each in lane.take(3)] == [1, 2, 1]
    assert lane.size == 2
    assert [each.project for each in lane.take(9)] == [1, 1]


def test_one_projects_campaign_does_not_delay_the_others_much():
    quiet, busy = (
        simulate(scenario(Load(rate=300, campaign=count, campaign_at=10)), seconds=20, warm_up=10, seed=1)
        for count in (0, 20_000)
    )
    assert busy.lateness[LARGEST].p99 > 2 * quiet.lateness[LARGEST].p99
    assert busy.lateness[OTHERS].p99 < 2 * quiet.lateness[OTHERS].p99


def test_urgent_deliveries_do_not_wait_for_a_campaign():
    quiet, busy = (
        simulate(scenario(Load(rate=300, campaign=count, campaign_at=10)), seconds=20, warm_up=10, seed=1)
        for count in (0, 20_000)
    )
    assert busy.lateness[Priority.HIGH].p99 < 2 * quiet.lateness[Priority.HIGH].p99


def test_a_part_too_small_is_named_as_the_one_that_is_full_first():
    results = simulate(scenario(Load(rate=400, per_request=1), postgres_cores=1), seconds=10, warm_up=5, seed=1)
    assert results.first.part == "PostgreSQL cores"
    starved = simulate(scenario(Load(rate=400), dispatcher_memory=32), seconds=10, warm_up=5, seed=1)
    assert starved.first.part == "dispatcher"
    assert starved.throughput < 400


def test_what_is_provisioned_for_a_load_bears_it():
    load = Load(rate=3_000)
    parts = provisioned(TIMES, load, Provider())
    results = simulate(Scenario(TIMES, load, parts), seconds=15, warm_up=10, seed=1)
    assert results.throughput == pytest.approx(3_000, rel=0.08)
    assert results.first.share < 0.9


def test_scheduled_deliveries_come_due_at_the_rate_of_their_number_over_their_time():
    load = Load(rate=0, scheduled=1e9)
    assert load.due_rate == pytest.approx(31.7, abs=0.1)
    assert load.in_window == pytest.approx(28_539, abs=1)
    results = simulate(scenario(load), seconds=60, warm_up=5, seed=1)
    assert results.throughput == pytest.approx(load.due_rate, rel=0.1)


# -- the same seed, the same run


def test_a_seed_decides_everything():
    one, same, other = (simulate(scenario(Load(rate=200)), seconds=5, warm_up=1, seed=seed) for seed in (1, 1, 2))
    assert table(one) == table(same) != table(other)


def test_the_command_prints_a_table_and_says_that_it_is_one_cell_of_several(monkeypatch, capsys):
    asked = "simulation --rate 2000 --cell 500 --scheduled 1e6 --seconds 2 --warm-up 1 --per-second 40 --memory 1769"
    monkeypatch.setattr("sys.argv", asked.split())
    main()
    printed = capsys.readouterr().out
    assert "4 cells of 500/s; this is one of them" in printed
    assert "full first: " in printed
    assert "due to answered, seconds" in printed


def test_prod_as_deployed_can_be_asked_for(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", "simulation --rate 50 --deployed --seconds 2 --warm-up 1".split())
    main()
    assert f"PostgreSQL: {deployed().postgres_cores} cores" in capsys.readouterr().out


# -- times


def test_every_time_has_a_source():
    document = json.loads(service_times.FILE.read_text())
    assert {each.name for each in fields(ServiceTimes)} <= document.keys()
    assert all(document[each.name]["source"] for each in fields(ServiceTimes))


def test_a_batch_takes_its_fixed_part_once():
    assert Cost(0.5, 0.01).of(10) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"accept": None}, "accept missing, or not known"),
        ({"teleport": {"fixed": 0, "per_item": 0, "source": "x"}}, "teleport missing, or not known"),
        ({"accept": {"fixed": 0, "per_item": 0, "source": ""}}, "a time without a source"),
        ({"accept": {"fixed": 12, "per_item": 0, "source": "milliseconds"}}, "not a time in seconds"),
        ({"accept": {"fixed": 0, "per_item": -1, "source": "x"}}, "not a time in seconds"),
    ],
)
def test_times_that_cannot_be_are_refused(tmp_path, change, words):
    document = json.loads(service_times.FILE.read_text()) | change
    path = tmp_path / "times.json"
    path.write_text(json.dumps({name: value for name, value in document.items() if value}))
    with pytest.raises(ValueError, match=words):
        service_times.load(path)


def test_measurements_stand_beside_the_times_and_are_no_part_of_them(tmp_path):
    path = tmp_path / "times.json"
    path.write_text(json.dumps(json.loads(service_times.FILE.read_text()) | {"measured": {"p2": 0.9}}))
    assert service_times.load(path) == TIMES
    assert service_times.measured(path) == {"p2": 0.9}


def test_what_was_measured_on_one_machine_is_simulated_within_a_fifth():
    ratios = compare(TIMES, service_times.measured())
    assert all(0.8 <= ratio <= 1.25 for ratio in ratios.values()), ratios


def test_a_measurement_is_compared_with_the_same_load_simulated():
    assert compare(TIMES, {"p2": p2(TIMES)}) == {"p2": pytest.approx(1.0)}
    with pytest.raises(KeyError):
        compare(TIMES, {"something else": 1.0})
    assert set(SIMULATED) == {"p2"}
