"""Final Cut Pro 7 XML (xmeml): Premiere, Resolve."""
