"""Transcripts: lines and events in the formats that editors, players and benchmarks read."""
