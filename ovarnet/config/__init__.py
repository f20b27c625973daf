"""Typed settings of every stage and the only reader of configs/*.yaml."""
