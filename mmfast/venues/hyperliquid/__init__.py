"""
The exchange's language: bytes to records and back, with no input or output of its own.

In      frames and answers of Hyperliquid; orders in integer ticks and lots.
Out     records and small tuples; frames and bodies ready to send.
Source  https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api

   codes     why a kernel refused a frame            numbers   decimal text and scaled integers
   scan      one step through JSON bytes             rounding  the grid of legal prices
   decode    market frames to records                actions   orders to msgpack and JSON
   packing   the few msgpack words we use            encode    frames and bodies around actions
   signing   hash, sign, recover                     approval  signatures of the account's own key
   nonce     strictly increasing nonces              wire      answers as the venue writes them
   messages  our own orders and fills, typed         info      questions over REST and their answers
   errors    our mistake or theirs; kinds of refusal
"""
