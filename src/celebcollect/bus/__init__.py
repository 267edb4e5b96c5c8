"""The message log: interface, embedded log, Kafka."""
