"""Learning from pictures: an encoder beside an algorithm's own networks, and what its pictures are disturbed with."""
