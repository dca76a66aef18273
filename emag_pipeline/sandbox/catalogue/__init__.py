"""The goods on offer: what an offer is at any moment, and which offers a catalogue shows in which order."""
