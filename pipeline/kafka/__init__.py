"""Kafka: topics as declared, and clients as the settings say."""
