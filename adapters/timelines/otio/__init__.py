"""OpenTimelineIO's own formats: `.otio`, `.otioz`, `.otiod`."""
