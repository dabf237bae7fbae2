"""Videos: frames, and what is known of each."""
