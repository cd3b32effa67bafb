"""
mmfast: a market maker for Hyperliquid perpetuals. Start reading at `topology`, then `records`, then the folder
whose name is the question: why so wide → actuary, why so little → governor, why cancelled → executor,
why stopped → watchdog, what is this number → runtime.catalog.
"""

__version__ = "0.1.0"
