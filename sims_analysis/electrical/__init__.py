"""What a profile conducts: sheet resistance and mobility."""
