"""The Kafka cluster's address, and every setting of our clients once, with its reason.

    kafka://host1:9092,host2:9092/PREFIX?replication=3&min_insync=2

PREFIX goes before the names of topics and groups (`PREFIX.commands`); there is none by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from airside.urls import Address, parse
from schemas.errors import Invalid
from schemas.record import RECORD_BYTES_MAX

Setting = str | int | float | bool

KAFKA_PORT = 9092
HEADER_BYTES_MAX = 64 * 1024  # room for headers of other producers and the batch's own bytes
MESSAGE_BYTES_MAX = RECORD_BYTES_MAX + HEADER_BYTES_MAX
QUEUE_RECORDS_MAX = 100_000  # in one producer, not acknowledged yet

OPTIONS: Mapping[str, str] = {
    "replication": "how many brokers keep each record of a new topic; by default 1",
    "min_insync": "how many of them must have it before it is acknowledged; by default the "
    "majority",
    "tls": "true for an encrypted connection",
    "ca": "file with the certificates that the brokers' are signed by",
    "cert": "file with this client's certificate",
    "key": "file with its private key",
    "sasl": "SCRAM-SHA-512 (default where a user is given), SCRAM-SHA-256 or PLAIN",
    "group_protocol": "consumer (default: KIP-848, brokers from 4.0), or classic",
}

CLIENT: Mapping[str, Setting] = {
    "client.id": "airside",
    "log_level": 4,  # warnings and worse; see `kafka_trouble.ClientLog` for where they go
    "log.connection.close": False,  # brokers close idle connections: no news
    "socket.keepalive.enable": True,  # a peer that vanished behind a firewall is noticed
    "socket.nagle.disable": True,  # requests are whole when they are written
    "socket.connection.setup.timeout.ms": 5_000,  # then the next broker is tried
    # librdkafka 2.16 tries again after half of it, and its delay does not grow while no broker
    # is known; a new client passes it once, since it connects twice: by host, then by node.
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 1_000,  # 10 s by default: too slow behind a quick restart
    "allow.auto.create.topics": False,  # a typing error must not become a topic
}

PRODUCER: Mapping[str, Setting] = {
    "acks": "all",  # stored means published: one broker's word is not enough
    "enable.idempotence": True,  # a retry neither doubles nor reorders
    # A refused record stops the producer, so that nothing overtakes it (W5). It does not cover
    # records that time out here: therefore none does, and callers keep their own deadline.
    "enable.gapless.guarantee": True,
    "message.timeout.ms": 0,
    # A broker that knows nothing of a producer yet (or no more) takes any sequence number: were
    # its first request refused, as without enough replicas, and the next one taken, the first
    # would count as a repeat when it is sent again, acknowledged and nowhere. So nothing is
    # sent ahead. Measured: no slower, since what waits meanwhile shares the next request.
    "max.in.flight.requests.per.connection": 1,
    # Measured: 0.8 ms to the acknowledgement of a single record at 0, 1.5 at 1, 5.8 at 5 (the
    # default). A commit's records come together, so they share a batch without waiting.
    "linger.ms": 0.1,
    "compression.type": "lz4",  # the cheapest; in Kafka 4 and in every client
    "message.max.bytes": MESSAGE_BYTES_MAX,
    "queue.buffering.max.messages": QUEUE_RECORDS_MAX,
    "queue.buffering.max.kbytes": 1_048_576,  # 1 GiB; the outbox's window ends long before
    # We say each partition ourselves (`shard_of`). Were it ever left out, Java's would be used.
    "partitioner": "murmur2_random",
    "delivery.report.only.error": True,  # a Python call for each record costs more than sending
}

CONSUMER: Mapping[str, Setting] = {
    "enable.auto.commit": False,  # positions are in the stores; offsets here are hints
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",  # aborted transactions of other producers never count
    "check.crcs": True,  # a broken record must not be decided on
}

READER: Mapping[str, Setting] = {
    "auto.offset.reset": "error",  # an offset that is gone is never skipped in silence
    "enable.partition.eof": True,  # says where the end is, also behind transaction markers
    # 1,000 by default: measured 240 k records/s instead of 1.7 M.
    "fetch.queue.backoff.ms": 5,
    # The broker answers at once when there is something; but a partition that is added, as by a
    # seek, only comes with the next question. 500 by default.
    "fetch.wait.max.ms": 100,
    "fetch.error.backoff.ms": 100,
    "queued.min.messages": 50_000,  # what a replay has ahead
    "queued.max.messages.kbytes": 16 * 1024,  # and its bound, for each reader
    "fetch.message.max.bytes": 1_048_576,  # of one partition in one answer
}

MEMBER: Mapping[str, Setting] = {
    "max.poll.interval.ms": 120_000,  # members ask at least once a minute
    "auto.offset.reset": "latest",  # nothing is read through it
}

CLASSIC_MEMBER: Mapping[str, Setting] = {
    "group.protocol": "classic",
    "partition.assignment.strategy": "cooperative-sticky",  # what stays is not revoked
    "session.timeout.ms": 10_000,  # a dead worker's shards wait so long; 45 s by default
    "heartbeat.interval.ms": 2_000,
}

FILES = {"ca": "ssl.ca.location", "cert": "ssl.certificate.location", "key": "ssl.key.location"}
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
GROUP_PROTOCOLS = ("consumer", "classic")
SECURITY = {  # by whether a user is given, and whether the connection is encrypted
    (False, False): "PLAINTEXT",
    (False, True): "SSL",
    (True, False): "SASL_PLAINTEXT",
    (True, True): "SASL_SSL",
}


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """Where a cluster is and how to speak to it. `str()` of it shows no password."""

    address: Address
    replication: int = 1
    min_insync: int = 1
    group_protocol: str = "consumer"

    def __str__(self) -> str:
        return str(self.address)

    def named(self, name: str) -> str:
        """A topic's or group's name on the cluster."""
        return f"{self.address.path}.{name}" if self.address.path else name

    def client(self) -> dict[str, Setting]:
        """What every client is given, an AdminClient too."""
        hosts = (f"[{h}]:{p}" if ":" in h else f"{h}:{p}" for h, p in self.address.hosts)
        found: dict[str, Setting] = {**CLIENT, "bootstrap.servers": ",".join(hosts)}
        is_tls, is_known = self.address.flag("tls"), self.address.user is not None
        found["security.protocol"] = SECURITY[is_known, is_tls]
        for option, setting in FILES.items():
            if option in self.address.options:
                found[setting] = self.address.text(option)
        if is_known:
            found["sasl.mechanism"] = self.address.choice("sasl", MECHANISMS)
            found["sasl.username"] = self.address.user or ""
            found["sasl.password"] = self.address.password or ""
        return found

    def producer(self) -> dict[str, Setting]:
        """An idempotent, gapless producer's settings."""
        return {**self.client(), **PRODUCER}

    def reader(self) -> dict[str, Setting]:
        """Settings of a consumer that is assigned partitions by hand, and asks for facts."""
        return {**self.client(), **CONSUMER, **READER, "group.id": self.named("airside")}

    def member(self, group: str) -> dict[str, Setting]:
        """Settings of a group's member that reads nothing."""
        protocol = CLASSIC_MEMBER
        if self.group_protocol == "consumer":
            protocol = {"group.protocol": "consumer"}
        group_id: dict[str, Setting] = {"group.id": self.named(group)}
        return {**self.client(), **CONSUMER, **MEMBER, **protocol, **group_id}


def parse_cluster(url: str) -> KafkaCluster:
    """The cluster that an address names. Raises: Invalid, which shows no password."""
    address = parse(url, scheme="kafka", port=KAFKA_PORT, options=OPTIONS)
    replication = address.number("replication", 1)
    min_insync = address.number("min_insync", replication // 2 + 1)
    if min_insync > replication:
        raise Invalid(
            f"{address}: min_insync is {min_insync}, replication {replication}. No record "
            "could ever be acknowledged: ask for fewer than there are."
        )
    address.choice("sasl", MECHANISMS)
    protocol = address.choice("group_protocol", GROUP_PROTOCOLS)
    return KafkaCluster(address, replication, min_insync, protocol)
