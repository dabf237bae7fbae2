"""Music as chords of notes, step by step."""
