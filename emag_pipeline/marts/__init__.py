"""The marts: answers that the data team reads, computed from what is published and its history."""
