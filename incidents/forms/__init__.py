"""Forms: reading what people typed. They parse and show; what is allowed is decided by the actions."""
