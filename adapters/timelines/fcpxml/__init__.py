"""Final Cut Pro X XML."""
