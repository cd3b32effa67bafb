"""The shared nouns: numpy structured dtypes with stated sizes and natural alignment; all that stages share."""
