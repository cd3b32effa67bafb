"""hyperliquid"""
