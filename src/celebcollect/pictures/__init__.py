"""From bytes to pixels: formats, limits, decoding and the perceptual hash."""
