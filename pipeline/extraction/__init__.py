"""What a sentence says: article in, signals out. Pure: no Kafka, no Beam, no clock."""
