"""Kafka as the jobs use it: a member of a consumer group, and a transactional reader-writer."""
