from __future__ import annotations

import socket
from dataclasses import astuple, fields

import pytest

from local.ports import PortError, Ports, free_ports, is_taken, ports_from, refuse_taken, variable


def test_the_defaults_hold_when_nothing_is_asked_for():
    assert ports_from({}) == Ports()


def test_each_port_is_changed_by_its_own_variable():
    assert ports_from({"PORT_KAFKA_CONTROLLER": "2222"}) == Ports(kafka_controller=2222)


def test_zero_means_any_free_port_and_no_two_parts_get_the_same():
    chosen = astuple(ports_from({variable(each.name): "0" for each in fields(Ports)}))
    assert len(set(chosen)) == len(fields(Ports))
    assert 0 not in chosen


@pytest.mark.parametrize("text", ["postgres", "-1", "65536", "5432.0"])
def test_what_is_no_port_is_refused_with_the_name_of_its_variable(text: str):
    with pytest.raises(PortError, match=r"PORT_AWS"):
        ports_from({"PORT_AWS": text})


def test_a_taken_port_is_named_with_the_variable_that_changes_it():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(PortError, match=rf"port {taken} \(PORT_REDIS\)"):
            refuse_taken(Ports(redis=taken), frozenset({"redis"}))


def test_every_taken_port_is_named_at_once():
    with socket.socket() as one, socket.socket() as two:
        for listener in (one, two):
            listener.bind(("127.0.0.1", 0))
            listener.listen()
        ports = Ports(redis=one.getsockname()[1], aws=two.getsockname()[1])
        with pytest.raises(PortError, match=r"PORT_REDIS.*PORT_AWS"):
            refuse_taken(ports, frozenset({"redis", "aws"}))


def test_a_listener_on_all_addresses_takes_the_port_too():
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        assert is_taken(other.getsockname()[1])


def test_ports_of_parts_that_are_not_ours_may_be_taken():
    with socket.socket() as kafka:
        kafka.bind(("127.0.0.1", 0))
        kafka.listen()
        refuse_taken(Ports(kafka=kafka.getsockname()[1]), frozenset({"inbox"}) - {"inbox"})


def test_one_port_for_two_parts_is_refused():
    free = free_ports(1)[0]
    with pytest.raises(PortError, match="one port for two parts"):
        refuse_taken(Ports(redis=free, aws=free), frozenset({"redis", "aws"}))
