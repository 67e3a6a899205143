from __future__ import annotations

import pytest

from local import choices
from local.choices import KafkaKind, chosen_kafka, java_major


@pytest.mark.parametrize(
    ("banner", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "21" 2023-09-19 LTS', 21),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ('java version "1.8.0_402"', 1),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", 0),
    ],
)
def test_the_java_version_is_read_from_its_banner(banner: str, major: int):
    assert java_major(banner) == major


@pytest.mark.parametrize("kind", KafkaKind)
def test_the_variable_decides(kind: KafkaKind):
    assert chosen_kafka({"KAFKA": kind.value}) is kind


def test_an_unknown_broker_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="KAFKA=redpanda is none of apache, tansu, external"):
        chosen_kafka({"KAFKA": "redpanda"})


@pytest.mark.parametrize(
    ("java", "maven", "kind"),
    [
        (True, "/usr/bin/mvn", KafkaKind.APACHE),
        (True, None, KafkaKind.TANSU),
        (False, "/usr/bin/mvn", KafkaKind.TANSU),
    ],
)
def test_apache_kafka_is_taken_where_java_and_maven_are(monkeypatch, java: bool, maven: str | None, kind: KafkaKind):
    monkeypatch.setattr(choices, "has_java", lambda: java)
    monkeypatch.setattr(choices.shutil, "which", lambda _: maven)
    assert chosen_kafka({}) is kind
