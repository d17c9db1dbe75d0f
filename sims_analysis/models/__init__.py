"""What a profile means: models fitted to it, its interfaces, its sheet resistance."""
