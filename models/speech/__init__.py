"""Voice activity, transcription and speakers, each behind a narrow protocol."""
