"""actuary"""
