"""What listens to samples: denoise, loudness, speech, quality. Arrays in, arrays out."""
