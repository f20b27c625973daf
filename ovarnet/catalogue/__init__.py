"""A shop's photos and titles: product search, matching, and the models behind them."""
