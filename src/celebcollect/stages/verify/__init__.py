"""Compare catalogue, files, topic and notes with one another, and mend what does not agree."""
