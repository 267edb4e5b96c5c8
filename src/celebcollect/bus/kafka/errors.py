"""Kafka's error codes, sorted by what they mean to us, and what a person can do about them.

Codes with an underscore are librdkafka's own. confluent_kafka documents them as public members of
KafkaError under these names; they are all read here, so that nobody else looks like a trespasser.
"""

from __future__ import annotations

from confluent_kafka import KafkaError

ALL_BROKERS_DOWN = KafkaError._ALL_BROKERS_DOWN
MAX_POLL_EXCEEDED = KafkaError._MAX_POLL_EXCEEDED
PARTITION_EOF = KafkaError._PARTITION_EOF
TIMED_OUT = KafkaError._TIMED_OUT

REFUSALS = frozenset(
    {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL}
)
"""Errors of a connection that waiting does not cure."""

PASSING = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._IN_PROGRESS,
        KafkaError._PARTIAL,
        KafkaError._RESOLVE,
        KafkaError._RETRY,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._TRANSPORT,
        KafkaError._WAIT_CACHE,
        KafkaError._WAIT_COORD,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
"""Errors that a healthy cluster gets over: a broker that starts, an election, a topic that not
every broker knows yet."""

LATE_COMMITS = frozenset(
    {
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._STATE,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
    }
)
"""Answers to a commit that met a rebalance: the next poll shows which partitions are still ours."""

GROUP_REFUSALS = frozenset(
    {
        KafkaError._FATAL,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.GROUP_MAX_SIZE_REACHED,
        KafkaError.INCONSISTENT_GROUP_PROTOCOL,
        KafkaError.INVALID_GROUP_ID,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    }
)
"""Events of a group that will not have us: no waiting cures them."""

_REFUSED = "Kafka does not let this user do that: ask whoever runs the cluster for the right (ACL)."
_HINTS: dict[int, str] = {
    KafkaError._AUTHENTICATION: "Check sasl.* in [kafka.client].",
    KafkaError.SASL_AUTHENTICATION_FAILED: "Check sasl.* in [kafka.client].",
    KafkaError._SSL: "Check security.protocol and ssl.* in [kafka.client].",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: _REFUSED,
    KafkaError.GROUP_AUTHORIZATION_FAILED: _REFUSED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: _REFUSED,
    KafkaError.INVALID_REPLICATION_FACTOR: (
        "[kafka] replication_factor may be as large as the number of brokers that are up."
    ),
    KafkaError.INVALID_RECORD: "Give every message of a compacted topic a key.",
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: (
        "Another program uses this consumer group in its own way: end it, or give it another group."
    ),
    KafkaError.GROUP_MAX_SIZE_REACHED: (
        "The brokers' group.max.size says how many workers there may be."
    ),
}
_UNREACHABLE = (
    "Is Kafka running there? Check [kafka] bootstrap_servers, and security.protocol in"
    " [kafka.client]."
)


def hint_of(error: KafkaError) -> str:
    """Return what a person can do about an error; empty where nobody knows."""
    return _HINTS.get(error.code(), _UNREACHABLE if error.code() in PASSING else "")
