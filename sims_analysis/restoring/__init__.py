"""What a depth resolution has blurred, and what can be restored of it."""
