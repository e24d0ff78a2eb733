"""Volume conductors: what a contact senses of a current in a fibre."""
