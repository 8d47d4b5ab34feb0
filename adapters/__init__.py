"""The outside world: timelines, media files, stems on disk."""
