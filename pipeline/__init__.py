"""Articles in, alerts out: records, extraction, scoring, Beam transforms, Kafka, runners, command line."""
