"""Claims about what virtual time keeps."""

from mmfast.backtest import layout


def test_queues_wrap_by_a_mask():
    for size in (layout.INBOX, layout.NEWS):
        assert size & (size - 1) == 0


def test_every_addressed_array_has_its_word_in_the_run():
    for name in layout.ADDRESSED:
        assert f"{name}_at" in layout.RUN.names


def test_records_have_no_hidden_payload():
    for dtype in (layout.RUN, layout.VENUE, layout.SENT, layout.NEWS_ROW, layout.SAMPLE, layout.SWITCHES):
        assert sum(dtype.fields[name][0].itemsize for name in dtype.names) <= dtype.itemsize
        assert dtype.itemsize % 64 == 0
