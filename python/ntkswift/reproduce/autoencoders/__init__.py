"""Nguyen, Wong & Hegde: what autoencoders gain from training both halves, and what infinite width says of them."""
