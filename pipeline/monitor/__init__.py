"""What the broker knows of the service: how full its topics and disks are, and how far its groups."""
