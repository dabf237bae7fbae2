"""The task `transcribe`."""
