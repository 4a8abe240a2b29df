"""Littwin et al.: what a finite layer changes in an infinitely wide network."""
